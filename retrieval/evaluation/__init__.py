"""Judgments, retrieval metrics and the scores of an encoder."""
