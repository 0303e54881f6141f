"""Our own small dual encoder, trained on simulated hearts only; shipped with its weights."""

from retrieval.encoder.phantom.encoder import PhantomEncoder, load

__all__ = ["PhantomEncoder", "load"]
