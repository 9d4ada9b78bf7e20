"""The engine of a device."""

from __future__ import annotations

import importlib.util

from vqc_landscape.simulator.compile.compiled import CompiledCircuit
from vqc_landscape.simulator.cpu.cpu_engine import CpuEngine
from vqc_landscape.simulator.engine import Engine


def make_engine(compiled: CompiledCircuit, device: str = "cpu", precision: str = "float64") -> Engine:
    """The engine of a compiled circuit.

    Args:
        compiled: the circuit.
        device: ``"cpu"``, or the name of a GPU.
        precision: of the tangents on a GPU, ``"float64"`` or ``"float32"``.

    Raises:
        ValueError: there is no such device, or it does not take the circuit.
    """
    if device == "cpu":
        return CpuEngine(compiled)
    if importlib.util.find_spec("torch") is None:
        raise ValueError(f"Argument `device` is {device!r}, which needs torch: pip install torch.")
    from vqc_landscape.simulator.gpu.cuda import find_device
    from vqc_landscape.simulator.gpu.gpu_engine import GpuEngine

    return GpuEngine(compiled, find_device(device), precision)
