"""Seeing and changing the preferences of a collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.model.chunking import TextChunk, split_into_chunks
from ingest_tui.model.clock import days, rfc3339_now, utc_now
from ingest_tui.model.collection import Collection, CollectionPreferences
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.job import Manifest
from ingest_tui.model.pages import page_starts_of
from ingest_tui.model.preference_values import changed_preferences, differing_keys
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.trash_grace import is_overdue
from ingest_tui.services.collections.overrides import number_to_rechunk
from ingest_tui.services.documents.documents import document_text, get_document, ingestion_record
from ingest_tui.services.documents.trash import list_trash
from ingest_tui.services.documents.version_details import details_of
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.queries import DocumentChoice
from ingest_tui.store.chunk_tokens import limits_of
from ingest_tui.store.document_preferences import overriding_of
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import submit_rechunking

_DOCUMENTS_READ_FOR_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """A change that is valid and not yet saved. ``rechunks``: so many documents are cut by other rules then.

    ``purges``: so many documents have been in the trash for longer than it keeps them then.
    """

    before: Collection
    after: Collection
    changed: tuple[str, ...]
    rechunks: int
    purges: int = 0

    @property
    def in_words(self) -> str:
        """What the change would touch, in one sentence; empty where it touches no document."""
        touches = []
        if self.rechunks:
            touches.append(f"re-chunks {counted(self.rechunks, 'document')}, nothing is fetched")
        if self.purges:
            touches.append(f"deletes {counted(self.purges, 'document')} of the trash for good")
        return ", and ".join(touches)


def plan_preferences(
    workspace: Workspace, collection_id: str, values: Mapping[str, Any], unset: Iterable[str] = ()
) -> PreferenceChange:
    """Return what a change of preferences is and touches; nothing is saved.

    ``values`` are texts, or of the types of their keys. Raises `ValidationError` for what cannot be, and for a
    tokenizer, an embedder or a reranker that is not there. What sources choose for themselves stays as it is.
    """
    before = workspace.collections.get(collection_id)
    preferences = changed_preferences(before.preferences, values, unset)
    changed = differing_keys(before.preferences, preferences)
    if "embedder" in changed and preferences.embedder:
        workspace.embedders.get(preferences.embedder)
    if "reranker" in changed and preferences.reranker:
        workspace.rerankers.get(preferences.reranker)
    rechunks = 0
    if preferences.chunk_rules() != before.preferences.chunk_rules():
        limits_of(preferences.chunk_rules())  # refuses a tokenizer that cannot be read
        rechunks = number_to_rechunk(workspace, collection_id, before.preferences, preferences)
    purges = _number_to_purge(workspace, collection_id, preferences) if "trash_days" in changed else 0
    return PreferenceChange(before, before.model_copy(update={"preferences": preferences}), changed, rechunks, purges)


def _number_to_purge(workspace: Workspace, collection_id: str, preferences: CollectionPreferences) -> int:
    """Return how many documents of the trash are overdue by these preferences and not by those that are in force."""
    kept_for = workspace.settings.trash_days if preferences.trash_days is None else preferences.trash_days
    now, grace = utc_now(), days(kept_for)
    own = {one.source_id for one in workspace.sources.all() if one.overrides.trash_days is not None}
    return sum(
        entry.retired_at is not None
        and is_overdue(entry.retired_at, now, grace)
        and (entry.deleted_after is None or entry.deleted_after > now)
        for entry in list_trash(workspace)
        if entry.document.collection_id == collection_id and entry.document.source_id not in own
    )


class SavedPreferences(NamedTuple):
    """A collection as it was saved, and the job that cuts its documents again, if there is anything to cut."""

    collection: Collection
    job: Manifest | None


def save_preferences(workspace: Workspace, change: PreferenceChange) -> SavedPreferences:
    """Save a change and queue what follows from it.

    Raises `ConflictError` where the collection has been changed since the change was planned.
    """
    if not change.changed:
        return SavedPreferences(change.before, None)
    at = rfc3339_now()
    saved = workspace.collections.save(change.after.model_copy(update={"updated_at": at}), change.before)
    new = change.after.preferences.model_dump(mode="json")
    details: dict[str, Any] = {"changed": {key: new.get(key) for key in change.changed}, "rechunks": change.rechunks}
    target = change.before.collection_id
    workspace.audit.add(at=at, by=requester(), action="collection.prefs", target=target, **details)
    return SavedPreferences(saved, rechunk_collection(workspace, target) if change.rechunks else None)


def unknown_columns(workspace: Workspace, change: PreferenceChange) -> list[str]:
    """Return the columns that a change names and no table of the collection has: they may be misspelt.

    Empty where there is no table yet, or there are too many documents to look at each.
    """
    new, collection_id = change.after.preferences, change.before.collection_id
    named = [name for key in ("text_columns", "context_columns") if key in change.changed for name in getattr(new, key)]
    choice: DocumentChoice = {"collection_id": collection_id, "state": "active"}
    if not named or queries.count_documents(workspace.reading, **choice) > _DOCUMENTS_READ_FOR_COLUMNS:
        return []
    details = details_of(workspace, queries.stream_documents(workspace.reading, **choice)).values()
    known = {" ".join(name.split()) for one in details for name in one.columns}
    return [name for name in dict.fromkeys(named) if name not in known] if known else []


def rechunk_collection(workspace: Workspace, collection_id: str) -> Manifest:
    """Queue a job that cuts the documents of a collection by its preferences, where they are cut otherwise."""
    workspace.collections.get(collection_id)
    manifest = submit_rechunking(workspace, collection_id, trigger=trigger_here(), by=requester())
    details: dict[str, Any] = {"collection": collection_id}
    workspace.audit.add(at=rfc3339_now(), by=requester(), action="job.rechunk", target=manifest.job_id, **details)
    return manifest


def preview_chunks(workspace: Workspace, change: PreferenceChange, target: str) -> list[TextChunk]:
    """Return the chunks of a document, or of a file that is none yet, by the preferences of a change; nothing is kept.

    A document is named as for `get_document`, one of the collection takes precedence; its text is the stored one.
    Raises `NotFoundError` for what is neither.
    """
    preferences = change.after.preferences
    try:
        document = get_document(workspace, target, meant_collection=change.before.collection_id)
    except NotFoundError:
        return split_into_chunks(_text_of_file(Path(target)), limits=limits_of(preferences.chunk_rules()))
    record = ingestion_record(workspace, document.document_id)
    if document.collection_id == change.before.collection_id:
        preferences = preferences_in_force(preferences, overriding_of(workspace.layout, document.source_id, record))
    limits = limits_of(preferences.chunk_rules())
    return split_into_chunks(document_text(workspace, document.document_id), page_starts_of(record), limits)


def _text_of_file(path: Path) -> str:
    try:
        content = path.read_bytes()
    except (OSError, ValueError):
        raise NotFoundError(
            f"there is no document and no file '{safe_display(str(path), limit=200)}'",
            hint="'ingest-tui doc list' shows the documents; else give the path of a file",
        ) from None
    from ingest_tui.extraction.parse import extract_text

    return extract_text(content, path.name)
