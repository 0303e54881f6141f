"""Pixels on disk, so that DICOM is read once, and the previews rendered from them."""
