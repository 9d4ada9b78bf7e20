"""Exact first and second derivatives of expectation values by tangent propagation."""
