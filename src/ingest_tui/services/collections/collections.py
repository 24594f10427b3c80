"""Making collections, listing and describing them, and which one is in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.collection import DEFAULT_COLLECTION, Collection
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.identifiers import check_name, slug
from ingest_tui.store.catalogue import queries
from ingest_tui.store.records.settings import change_setting, setting_of
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

_IN_USE = "collection"
"""The setting in workspace.json that names the collection in use."""


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection and what is in it. ``unfinished_jobs``: those that wait, work or are paused."""

    collection: Collection
    documents: int
    chunks: int
    in_trash: int
    source_ids: tuple[str, ...]
    unfinished_jobs: tuple[str, ...]
    is_in_use: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self.collection.model_dump(mode="json") | {
            "documents": self.documents,
            "chunks": self.chunks,
            "documents_in_trash": self.in_trash,
            "sources": list(self.source_ids),
            "unfinished_jobs": list(self.unfinished_jobs),
            "in_use": self.is_in_use,
        }


def list_collections(workspace: Workspace) -> list[tuple[Collection, int]]:
    """Return the collections with their numbers of documents."""
    counts = queries.documents_by_collection(workspace.reading)
    return [(item, int(counts.get(item.collection_id, 0))) for item in workspace.collections.all()]


def unreadable_collections(workspace: Workspace) -> list[str]:
    """Return the names of the records of collections that cannot be read."""
    return workspace.collections.unreadable()


def get_collection(workspace: Workspace, collection_id: str) -> Collection:
    """Return a collection; raises `NotFoundError`."""
    return workspace.collections.get(collection_id)


def collection_names(workspace: Workspace) -> list[str]:
    """Return the names of the collections."""
    return [collection.collection_id for collection in workspace.collections.all()]


def add_collection(workspace: Workspace, name: str, *, description: str = "") -> Collection:
    """Make a collection; raises `UsageError` when its name is taken."""
    collection_id = slug(name)
    if workspace.collections.exists(collection_id):
        raise UsageError(f"a collection named {collection_id!r} is already there", hint="choose another name")
    at = rfc3339_now()
    collection = Collection(
        collection_id=collection_id, name=name, description=description, created_at=at, updated_at=at
    )
    collection = workspace.collections.add(collection)
    workspace.audit.add(at=at, by=requester(), action="collection.add", target=collection_id)
    return collection


def show_collection(workspace: Workspace, collection_id: str) -> CollectionSummary:
    """Return a collection with what is in it; raises `NotFoundError`."""
    collection = workspace.collections.get(collection_id)
    catalogue = workspace.reading
    jobs = workspace.jobs.readable(workspace.jobs.queued_ids())
    return CollectionSummary(
        collection,
        queries.count_documents(catalogue, collection_id=collection_id),
        catalogue.count_chunks_of_collection(collection_id),
        queries.count_documents(catalogue, collection_id=collection_id, state="retired"),
        tuple(one.source_id for one in workspace.sources.all() if one.collection_id == collection_id),
        tuple(one.job_id for one in jobs if one.collection_id == collection_id and not one.ended),
        collection_in_use(workspace) == collection_id,
    )


def edit_collection(
    workspace: Workspace, collection_id: str, *, name: str | None = None, description: str | None = None
) -> Collection:
    """Change what a collection is called and what it is for; its identifier stays. None leaves a value as it is.

    Raises `UsageError` for a name that another collection has, or means already, `ValidationError` as `check_name`.
    """
    before = workspace.collections.get(collection_id)
    values = {"name": before.name if name in {None, before.name} else check_name(name.strip())}
    values["description"] = before.description if description is None else description
    if not values["name"]:
        raise UsageError("a collection has a name", hint=f"its identifier stays {collection_id!r} whatever its name is")
    for other in workspace.collections.all():
        if other.collection_id != collection_id and values["name"] in {other.collection_id, other.name}:
            raise UsageError(f"a collection named {values['name']!r} is already there", hint="choose another name")
    changed = sorted(field for field, value in values.items() if value != getattr(before, field))
    at = rfc3339_now()
    saved = workspace.collections.save(before.model_copy(update={**values, "updated_at": at}), before)
    workspace.audit.add(at=at, by=requester(), action="collection.edit", target=collection_id, changed=changed)
    return saved


def use_collection(workspace: Workspace, collection_id: str) -> Collection:
    """Remember a collection as the one in use: the TUI opens with it. Raises `NotFoundError`."""
    collection = workspace.collections.get(collection_id)
    if setting_of(workspace.layout, _IN_USE) != collection_id:
        change_setting(workspace.layout, _IN_USE, value=collection_id)
        workspace.audit.add(at=rfc3339_now(), by=requester(), action="collection.use", target=collection_id)
    return collection


def stop_using_collection(workspace: Workspace, collection_id: str) -> None:
    """Have the default collection in use where this one was: it is about to go."""
    if setting_of(workspace.layout, _IN_USE) == collection_id:
        change_setting(workspace.layout, _IN_USE, value=DEFAULT_COLLECTION)


def collection_in_use(workspace: Workspace) -> str:
    """Return the collection that was used last, the default one where nobody chose, or where that is gone."""
    chosen = setting_of(workspace.layout, _IN_USE)
    try:
        if isinstance(chosen, str) and workspace.collections.exists(chosen):
            return chosen
    except IngestError:  # no identifier: somebody has edited the file
        pass
    return DEFAULT_COLLECTION
