"""What a person can do with the vectors of a collection: choose its embedder, embed, find what is similar."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.collection import Collection
from ingest_tui.model.embedder import Embedder, EmbeddingChoice, no_embedder
from ingest_tui.model.job import EMBED, Manifest
from ingest_tui.pipeline.embed.generations import being_built, known_generations, record_generations
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import next_generation, submit_embedding


def choose_embedder(
    workspace: Workspace, collection_id: str, embedder_id: str | None, *, is_automatic: bool = True
) -> Collection:
    """Choose what a collection is embedded with, None: with nothing; vectors that it has stay.

    ``is_automatic``: a sync of the collection has its documents embedded by itself. Where vectors of another embedder
    answer, they do so until those of this one are complete. Raises `BusyError` while those of a third are being built.
    """
    collection = workspace.collections.get(collection_id)
    if embedder_id is not None:
        _refuse_while_another_is_built(workspace, collection_id, workspace.embedders.get(embedder_id))
    record_generations(workspace, collection_id)
    choice = {"embedder": embedder_id or "", "embed": "auto" if is_automatic else "manual"}
    preferences = collection.preferences.model_copy(update=choice)
    at = rfc3339_now()
    changed = collection.model_copy(update={"preferences": preferences, "updated_at": at})
    saved = workspace.collections.save(changed, collection)
    details: dict[str, Any] = {"embedder": embedder_id or "", "automatic": is_automatic}
    workspace.audit.add(at=at, by=requester(), action="collection.embedder", target=collection_id, **details)
    return saved


def enqueue_embedding(
    workspace: Workspace, /, collection_id: str, *, everything: bool = False, trigger: str = "", **options: Any
) -> Manifest:
    """Queue a job that embeds what has changed in a collection, or with ``everything`` whatever has no vector.

    Where its embedder is another one than that of the vectors that answer, the job builds a generation of vectors with
    that embedder, which answers when it is complete.

    Raises `UsageError` where the collection has no embedder.
    """
    choice = chosen_embedder(workspace, collection_id)
    chosen = options | ({"all": True} if everything else {})
    if workspace.embedders.exists(choice.embedder_id):  # the job reports one that is gone
        embedder = workspace.embedders.get(choice.embedder_id)
        answering = known_generations(workspace, collection_id).answering
        if answering is not None and answering.space != embedder.space:
            chosen |= next_generation(embedder)
    manifest = submit_embedding(workspace, collection_id, trigger=trigger or trigger_here(), by=requester(), **chosen)
    details: dict[str, Any] = {"collection": collection_id, "all": everything}
    workspace.audit.add(at=rfc3339_now(), by=requester(), action="job.embed", target=manifest.job_id, **details)
    return manifest


def _refuse_while_another_is_built(workspace: Workspace, collection_id: str, embedder: Embedder) -> None:
    pending = workspace.generations.get(collection_id).pending
    if pending is not None and pending.space != embedder.space:
        raise being_built(pending, collection_id)


def waiting_embedding(workspace: Workspace, collection_id: str) -> Manifest | None:
    """Return the job that waits to embed a collection, if there is one."""
    waiting = (job for job in workspace.jobs.waiting() if job.kind == EMBED)
    return next((job for job in waiting if job.collection_id == collection_id), None)


def chosen_embedder(workspace: Workspace, collection_id: str) -> EmbeddingChoice:
    """Return what a collection has chosen; raises `UsageError` where it has chosen nothing."""
    choice = workspace.collections.get(collection_id).preferences.embedding_choice()
    if choice is None:
        raise no_embedder(collection_id, workspace.embedders.names())
    return choice
