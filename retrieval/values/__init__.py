"""The frozen values that cross every seam: NumPy and the standard library, nothing else."""
