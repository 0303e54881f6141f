"""A query in plain words, understood in the open: chips that a reader sees and edits.

Words become kinds of terms (`terms.toml`, `words`), a grammar finds what they
say together (`grammar.lark`, `scan`, `reading`), negations reach along lists
(`claims`), and what nobody recognises stays free text for the encoder.
"""
