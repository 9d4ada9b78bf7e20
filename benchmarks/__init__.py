"""Time, peak memory and error of the exact Hessian, beside those of other ways to compute it: ``make bench``."""
