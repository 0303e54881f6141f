"""CineSeek: natural-language case retrieval for cardiac MRI."""
