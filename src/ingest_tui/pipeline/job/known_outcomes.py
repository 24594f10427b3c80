"""Outcomes that follow from what the catalogue knows, for lines that a job lost between committing and writing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.members import parent_of
from ingest_tui.model.outcome import Outcome, OutcomeName
from ingest_tui.model.place import KnownPlace
from ingest_tui.pipeline.commit.ending import left_removed
from ingest_tui.store.catalogue.catalogue import Catalogue


def outcomes_at(catalogue: Catalogue, places: Sequence[KnownPlace]) -> Iterator[Outcome]:
    """Yield for each of the places, all of one source, the outcome of the job that wrote it.

    No job writes a place as retired. It found there what a person had removed before, and left it so; or the document
    that it took in there was removed since.
    """
    documents = catalogue.documents(place.document_id for place in places if place.document_id)
    removed = [place for place in places if place.outcome == "retired"]
    in_trash = catalogue.retired_at(removed[0].source_id, (place.key for place in removed)) if removed else {}
    for place in places:
        document = documents.get(place.document_id or "")
        if place.outcome != "retired":
            yield _outcome(place, document)
        elif (document := in_trash.get(place.key)) is not None and document.job_id == place.job_id:
            yield _outcome(_taken_in(place, document), document)
        else:
            yield _outcome(place._replace(outcome="unchanged", detail=left_removed(place.detail)), None)


def _taken_in(place: KnownPlace, document: Document) -> KnownPlace:
    return place._replace(
        outcome="ingested",
        reason="new" if document.version == 1 else "changed",
        detail="",
        document_id=document.document_id,
        version=document.version,
    )


def _outcome(place: KnownPlace, document: Document | None) -> Outcome:
    return Outcome(
        place.uri,
        place.key,
        cast("OutcomeName", place.outcome),
        place.reason,
        rfc3339_now(),
        place.detail,
        document_id=place.document_id,
        version=place.version,
        raw_sha256=document.raw_sha256 if document else None,
        content_hash=document.content_hash if document else None,
        bytes=place.size,
        media_type=document.media_type if document else None,
        parent=parent_of(place.uri) if place.container else None,
    )
