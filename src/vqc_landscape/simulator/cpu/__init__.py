"""The engine on processors: kernels that numba compiles, threads over samples or over tangents."""
