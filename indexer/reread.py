"""Read the stored reports again with today's reader."""

from itertools import islice

from indexer.progress import Report as Progress
from indexer.views import Json
from retrieval.language.reader import read_statements, reader_digest
from retrieval.ports import Catalog

BATCH = 200
"""Texts in one transaction: about a second of reading, which is all that a stop costs."""


def reread(catalog: Catalog, *, progress: Progress) -> Json:
    """Replace what reports state by what today's reader finds in them; texts stay.

    Texts that this very reader has read are left alone, so running again after
    a stop goes on, and running again after the end does nothing.

    Returns
    -------
    Json
        Texts read, the findings and measurements in them, and the reader.
    """
    reader = reader_digest()
    waiting = catalog.reports_to_read(reader)
    findings = measurements = done = 0
    progress(0, len(waiting))
    digests = iter(waiting)
    while batch := list(islice(digests, BATCH)):
        texts = catalog.report_texts(batch)
        stated = {digest: read_statements(text) for digest, text in texts.items()}
        catalog.put_statements(stated)
        findings += sum(len(one.findings) for one in stated.values())
        measurements += sum(len(one.measurements) for one in stated.values())
        done += len(batch)
        progress(done, len(waiting))
    return {"read": done, "findings": findings, "measurements": measurements, "reader": reader}
