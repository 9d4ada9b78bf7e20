"""Objectives: a loss over samples with exact derivatives, the same interface for circuits and networks."""
