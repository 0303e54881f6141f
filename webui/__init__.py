"""The screens: they show and ask; the logic stays in retrieval."""
