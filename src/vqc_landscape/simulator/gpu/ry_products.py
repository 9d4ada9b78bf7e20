"""RY rotations of many qubits as matrix products over ranges of consecutive bits.

A gate alone would read and write all amplitudes once; the RY of 5 qubits together are one real matrix of 32 x 32, and
the real and imaginary parts of all columns are its right-hand sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Bits of one matrix. Chosen by us: 32 x 32 is as large as it gets while moving the amplitudes costs more than
# multiplying them (64 operations for 16 bytes in float64).
MATRIX_BITS = 5


def bit_ranges(n_qubits: int) -> list[range]:
    """Consecutive bits, as even as it gets, at most ``MATRIX_BITS`` of them together."""
    n_ranges = -(-n_qubits // MATRIX_BITS)
    bounds = [round(k * n_qubits / n_ranges) for k in range(n_ranges + 1)]
    return [range(low, high) for low, high in zip(bounds, bounds[1:], strict=False)]


def ry_matrices(cos: Tensor, sin: Tensor, ranges: Sequence[range]) -> list[Tensor]:
    """Products of (cos, -sin; sin, cos) over the bits of each range.

    Args:
        cos: of half the angle of each bit, (..., n_qubits, n_samples).
        sin: likewise.
        ranges: see :func:`bit_ranges`.

    Returns:
        For each range matrices (..., n_samples, 2**k, 2**k), k the number of its bits.
    """
    rotations = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    products = []
    for bits in ranges:
        product = rotations[..., bits[0], :, :, :]
        for bit in bits[1:]:
            product = torch.einsum("...ij,...kl->...ikjl", product, rotations[..., bit, :, :, :])
            product = product.flatten(-2, -1).flatten(-3, -2)
        products.append(product)
    return products


def apply_ry(columns: Tensor, matrices: Sequence[Tensor | None], ranges: Sequence[range], back: bool = False) -> Tensor:
    """The RY rotations of all ranges, or their inverses, on columns (n_samples, 2**n_qubits, n_columns)."""
    n_samples, size, n_columns = columns.shape
    real = torch.view_as_real(columns).reshape(n_samples, size, 2 * n_columns)
    for matrix, bits in zip(matrices, ranges, strict=True):
        if matrix is not None:
            m = matrix.to(real.dtype)
            m = (m.mT if back else m).expand(n_samples, -1, -1)
            real = torch.matmul(m[:, None], real.reshape(n_samples, 1 << bits[0], 1 << len(bits), -1))
    return torch.view_as_complex(real.reshape(n_samples, size, n_columns, 2))
