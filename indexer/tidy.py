"""Remove files that belong to nothing."""

from retrieval.ports import Catalog, ClipStore


def tidy(catalog: Catalog, clips: ClipStore) -> int:
    """Remove every clip that no catalog row names; return how many there were.

    Files are written before rows, so a stopped ingest may leave some. Nothing
    may be ingesting meanwhile.
    """
    named = set(catalog.clip_ids())
    orphans = [clip for clip in clips.ids() if clip not in named]
    for clip in orphans:
        clips.remove(clip)
    return len(orphans)
