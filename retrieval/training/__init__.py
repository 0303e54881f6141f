"""Contrastive training from (clips, impression) pairs."""
