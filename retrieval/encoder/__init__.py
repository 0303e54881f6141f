"""The dual encoders: video tower, text tower, checkpoints."""
