"""What maps parameters and a sample to outputs, with derivatives: circuits and networks."""
