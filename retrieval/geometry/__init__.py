"""Geometry of planes and hearts in patient millimetres: NumPy and SciPy, nothing else."""
