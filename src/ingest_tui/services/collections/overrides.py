"""What sources and uploads choose in place of their collection, and what a change of it cuts again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import RECHUNK, Manifest
from ingest_tui.model.preference_values import PreferenceInForce, as_text, changed_overrides, rows_in_force
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.source import Source
from ingest_tui.store.catalogue import queries
from ingest_tui.store.chunk_tokens import limits_of
from ingest_tui.store.document_preferences import overriding_of
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import submit_rechunking

NOTHING: Mapping[str, Any] = {}


class OverridingSource(NamedTuple):
    """A source that chooses preferences for itself, as texts by key."""

    source_id: str
    values: dict[str, str]


def source_preferences(workspace: Workspace, source: Source) -> list[PreferenceInForce] | None:
    """Return what is in force for the documents of a source, and where each value comes from.

    None where the record of its collection cannot be read: whoever asks shows the rest.
    """
    preferences = _readable_preferences(workspace, source.collection_id)
    return None if preferences is None else rows_in_force(preferences, source.overriding)


def document_preference_rows(
    workspace: Workspace, document: Document, record: Mapping[str, Any]
) -> list[PreferenceInForce] | None:
    """Return what is in force for a document, and where each value comes from; ``record`` is its ingestion.json.

    None where the record of its collection cannot be read.
    """
    preferences = _readable_preferences(workspace, document.collection_id)
    if preferences is None:
        return None
    return rows_in_force(preferences, overriding_of(workspace.layout, document.source_id, record))


def _readable_preferences(workspace: Workspace, collection_id: str) -> CollectionPreferences | None:
    try:
        return workspace.collections.get(collection_id).preferences
    except IngestError:  # missing, damaged or newer: 'doctor' reports it
        return None


def overriding_sources(workspace: Workspace, collection_id: str) -> list[OverridingSource]:
    """Return the sources of a collection that choose something for themselves."""
    found = [
        OverridingSource(
            source.source_id, {key: as_text(value) for key, value in source.overriding.overrides.chosen().items()}
        )
        for source in workspace.sources.all()
        if source.collection_id == collection_id
    ]
    return [one for one in found if one.values]


def with_overrides(
    workspace: Workspace, source: Source, values: Mapping[str, Any] = NOTHING, unset: Sequence[str] = ()
) -> Source:
    """Return a source that chooses other preferences for itself, checked with those of its collection.

    How it reads pictures is kept in fields of its own. Raises `ValidationError` for what cannot be.
    """
    preferences = workspace.collections.get(source.collection_id).preferences
    overrides = changed_overrides(source.overriding.overrides, values, unset, collection=preferences)
    ocr = {"ocr": overrides.ocr, "ocr_languages": overrides.ocr_languages or "", "ocr_engine": overrides.ocr_engine}
    rest = overrides.model_copy(update=dict.fromkeys(ocr))
    changed = source.model_copy(update={**ocr, "overrides": rest})
    limits_of(preferences_in_force(preferences, changed.overriding).chunk_rules())  # refuses an unusable tokenizer
    return changed


def number_to_rechunk(
    workspace: Workspace, collection_id: str, before: CollectionPreferences, after: CollectionPreferences
) -> int:
    """Return how many documents other preferences of their collection cut otherwise.

    Those of sources that choose what is changed are none of them. Uploads count, whatever they have chosen.
    """
    if before.chunk_rules() == after.chunk_rules():
        return 0
    unchanged = {
        source.source_id
        for source in workspace.sources.all()
        if preferences_in_force(before, source.overriding).chunk_rules()
        == preferences_in_force(after, source.overriding).chunk_rules()
    }
    counts = queries.primary_documents(workspace.reading, collection_id)
    return sum(number for source_id, number in counts.items() if source_id not in unchanged)


def number_cut_otherwise(workspace: Workspace, before: Source, after: Source) -> int:
    """Return how many documents of a source an edit of it cuts otherwise."""
    preferences = workspace.collections.get(after.collection_id).preferences
    rules = [preferences_in_force(preferences, one.overriding).chunk_rules() for one in (before, after)]
    if rules[0] == rules[1]:
        return 0
    return queries.primary_documents(workspace.reading, after.collection_id).get(after.source_id, 0)


def queue_rechunking(workspace: Workspace, before: Source, after: Source) -> None:
    """Queue the job that cuts the documents of a source again after an edit of it, where there is anything to cut."""
    if number_cut_otherwise(workspace, before, after):
        submit_rechunking(workspace, after.collection_id, trigger=trigger_here(), by=requester())


def waiting_rechunking(workspace: Workspace, collection_id: str) -> Manifest | None:
    """Return the newest job that has yet to cut documents of a collection again; None where there is none."""
    jobs = [
        job
        for job in workspace.jobs.readable(workspace.jobs.queued_ids())
        if job.kind == RECHUNK and job.collection_id == collection_id and not job.ended
    ]
    return max(jobs, key=lambda job: job.created_at, default=None)
