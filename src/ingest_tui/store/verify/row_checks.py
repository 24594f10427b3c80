"""The catalogue by itself: what its rows must be to each other."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.model.address import names_one_thing
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.consistency import feed_problems, row_problems, shared_addresses
from ingest_tui.store.catalogue.contradictions import contradiction_in


def check_rows(catalogue: Catalogue) -> Iterator[Inconsistency]:
    """Yield what contradicts itself: places, contents, addresses, versions, chunks and their words."""
    contradiction = contradiction_in(catalogue)
    if contradiction:  # what `doctor` and failing commands look for
        yield Inconsistency("contradiction", "", contradiction)
    for code, document_id, message in row_problems(catalogue):
        yield Inconsistency(code, document_id, message)
    for document_id, uri, first in shared_addresses(catalogue):
        if names_one_thing(uri):
            yield Inconsistency("same_address", document_id, f"{uri} is a place of document {first} too")
    for difference in catalogue.full_text.differences():
        yield Inconsistency("full_text_differs", "", difference)


def check_feed(catalogue: Catalogue) -> Iterator[Inconsistency]:
    """Yield how the change feed differs from what became of documents: whoever follows it would be wrong."""
    for code, document_id, message in feed_problems(catalogue):
        yield Inconsistency(code, document_id, message)
