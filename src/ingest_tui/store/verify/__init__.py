"""Whether catalogue, full text, documents/ and trash/ say the same. Reads only; what differs is an `Inconsistency`.

The caller keeps others from committing meanwhile, or looks again at what was found: it may be a commit half seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import known_documents_after
from ingest_tui.store.layout import Layout
from ingest_tui.store.verify.document_check import DocumentCheck
from ingest_tui.store.verify.row_checks import check_feed, check_rows
from ingest_tui.store.verify.stray_files import check_strays

_AT_ONCE = 200


def verify_store(layout: Layout, catalogue: Catalogue, *, deep: bool = False) -> list[Inconsistency]:
    """Return what is wrong between catalogue, full text and folders; empty when all agree.

    ``deep`` also hashes every raw file and every text, which reads all documents.
    """
    return [
        *check_rows(catalogue),
        *check_feed(catalogue),
        *_documents(layout, catalogue, deep=deep),
        *check_strays(layout, catalogue),
    ]


def _documents(layout: Layout, catalogue: Catalogue, *, deep: bool) -> Iterator[Inconsistency]:
    check, last = DocumentCheck(layout, deep=deep), ""
    while known := known_documents_after(catalogue, last, limit=_AT_ONCE):
        for one in known:
            yield from check.of(catalogue, one)
        last = known[-1].document.document_id
