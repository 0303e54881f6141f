"""Vector indexes and their immutable builds (generations)."""
