"""Training: optimisers, the loop over epochs, checkpoints. Knows an objective's interface, never circuits."""
