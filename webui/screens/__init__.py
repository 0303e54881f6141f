"""What a reader sees: one module per screen, and the frame around them."""
