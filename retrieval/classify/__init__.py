"""Reading studies by what an encoder makes of them: by words, or from a handful of examples."""
