"""A simulated heart's visit to a simulated scanner: who, on which machine, which images."""
