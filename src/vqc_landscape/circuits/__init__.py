"""Circuits as programs, the paper's ansaetze, observables, and the way to PennyLane."""
