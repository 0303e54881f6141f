"""Simulated hearts: physiology, rendering to clips, sentences with their truth."""
