"""Something of the workspace that can be had as JSON: for the clipboard, a file, or an editor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ingest_tui.tui.client.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Record:
    """``name`` for people: "manifest of …". ``read`` returns the JSON; ``save`` takes it
    back, with the JSON that its author began with. Both run in threads.

    Without ``save`` an editor gets a copy that is thrown away.
    """

    name: str
    read: Callable[[], str]
    save: Callable[[str, str], object] | None = None


def job_record(gateway: Gateway, job_id: str) -> Record:
    """Return the manifest of a job."""
    return Record(f"manifest of {job_id}", partial(gateway.record_text, "job", job_id))


def source_record(gateway: Gateway, source_id: str) -> Record:
    """Return the record of a source, which can be saved again."""
    read = partial(gateway.record_text, "source", source_id)
    return Record(f"source {source_id}", read, partial(gateway.save_source_text, source_id))


def document_record(gateway: Gateway, document_id: str) -> Record:
    """Return the ingestion record of the current version of a document."""
    return Record(f"ingestion record of {document_id}", partial(gateway.record_text, "document", document_id))
