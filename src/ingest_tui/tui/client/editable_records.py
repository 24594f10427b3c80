"""Something of the workspace that can be had as JSON: for the clipboard, a file, or an editor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ingest_tui.services.client import Client
from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict

if TYPE_CHECKING:
    from ingest_tui.model.source import Source


@dataclass(frozen=True, slots=True)
class Record:
    """``name`` for people: "manifest of …". ``read`` returns the JSON; ``save`` takes it
    back, with the JSON that its author began with. Both run in threads.

    Without ``save`` an editor gets a copy that is thrown away.
    """

    name: str
    read: Callable[[], str]
    save: Callable[[str, str], object] | None = None


def job_record(client: Client, job_id: str) -> Record:
    """Return the manifest of a job."""
    return Record(f"manifest of {job_id}", partial(client.records.text, "job", job_id))


def source_record(client: Client, source_id: str) -> Record:
    """Return the record of a source, which can be saved again."""
    read = partial(client.records.text, "source", source_id)

    def save(text: str, before: str) -> Source | Conflict:
        saved = saved_or_conflict(lambda: client.records.save_source(source_id, text, before))
        return replace(saved, theirs=client.records.source_text(saved.theirs)) if isinstance(saved, Conflict) else saved

    return Record(f"source {source_id}", read, save)


def document_record(client: Client, document_id: str) -> Record:
    """Return the ingestion record of the current version of a document."""
    return Record(f"ingestion record of {document_id}", partial(client.records.text, "document", document_id))
