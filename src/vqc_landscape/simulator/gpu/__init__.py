"""The engine on a GPU: the same schedule and columns as on the CPU, other kernels. Everything here imports torch."""
