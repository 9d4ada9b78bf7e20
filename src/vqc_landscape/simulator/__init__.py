"""Outputs and derivatives of circuits: one contract (``engine.py``), several engines.

A circuit and its observables are compiled once (``compile/``); an engine (``cpu/``, ``gpu/``) computes with the result.

The formula of the Hessian stands in ``cpu/second_order.py``, that of products with it in ``cpu/hvp.py``; the factors by
which ways to measure differ are in ``compile/strategies.py``.

Glossary
========

active parameters
    those whose derivatives are taken; what depends on them is in *columns*, one tangent for each.
accumulation block
    samples that one thread sums before anything else is added; its size depends on the number of samples alone.
batch
    samples that are computed side by side, innermost in all arrays.
block
    a diagonal, then RY rotations of one-qubit *runs*, then unitaries on several qubits; the schedule is a list of them.
run, element
    consecutive one-qubit gates on a wire, and one of these gates.
evaluation point
    of a block: after all of its RY rotations and unitaries; all generators of the block are taken there.
word
    a product of Pauli letters; in a schedule one of Z's, whose rotation belongs to the diagonal after its block.
site
    where a generator acts at the end of a block: the qubit of a run, or a word.
step, slot, entry
    generators that enter at one point; a column that gains there; one generator with its coefficient. Entries are
    listed site by site.
wire masks
    how a wire acts on stored states: X flips the bits x, Z reads the parity of the bits r. CNOT and SWAP change them.
chunk, piece
    columns of tangents that are stored together; a part of an operation that no other one of its parts waits for.
commuting set
    products of the observable that are diagonal after one change of basis, and measured together.
image
    the observable of an output, times the state.
adjoint
    the images, each times the loss gradient of its output, pulled back to a block.
loss gradient, loss curvature
    derivatives of the loss in the outputs, g (K,) and C (K, K) of every sample.
"""
