"""CMR-CLIP, the published encoder (Nakashima et al., Nat Commun 2026, 10.1038/s41467-026-73022-2).

The network and its study layout are computed exactly as published; the road
from DICOM to its arrays, which was never published, is ours (see `arrays`).
"""

from retrieval.encoder.cmrclip.encoder import CmrClipEncoder, load

__all__ = ["CmrClipEncoder", "load"]
