"""The one place that maps pseudonyms back to what they stand for, encrypted."""
