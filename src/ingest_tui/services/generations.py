"""What a person can do with the generations of a collection's vectors: build another one, compare, switch, go back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.counted import counted
from ingest_tui.model.embedder import Embedder
from ingest_tui.model.errors import BusyError, NotFoundError, UsageError, ValidationError
from ingest_tui.model.generation import Generation, Generations
from ingest_tui.model.job import EMBED, JobState, Manifest
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.pipeline.embed.discarding import remove_discarded
from ingest_tui.pipeline.embed.generations import (
    being_built,
    chosen_embedder_of,
    known_generations,
    nothing_built,
    record_generations,
    switch_to,
)
from ingest_tui.services.documents.documents import get_document
from ingest_tui.services.embedders import registered_as_it_is
from ingest_tui.services.jobs.jobs import as_it_is
from ingest_tui.store.users import requester, trigger_here
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import submit_embedding

_MOST_DOCUMENTS = 200
_PLANNED = ("embedder", "switch", "sources", "documents")
"""The options of a job that say what it builds."""


class Scope(NamedTuple):
    """What is to be embedded again: a collection, or of it only what sources have, and documents."""

    collection_id: str
    sources: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole collection."""
        return not (self.sources or self.documents)


def scope_of(workspace: Workspace, targets: Sequence[str]) -> Scope:
    """Return what collections, sources and documents are meant by ``targets``, all of one collection.

    Raises `UsageError` for several collections, and for a name that both a collection and a source have, unless it is
    written as ``collection:NAME`` or ``source:NAME``; `NotFoundError` for what is none of them.
    """
    found = [_scope_of_one(workspace, target) for target in targets]
    collections = sorted({one.collection_id for one in found})
    if len(collections) != 1:
        raise UsageError(
            f"these are of several collections: {', '.join(collections)}" if collections else "embed what again?",
            hint="name a collection, or sources and documents of one",
        )
    if any(one.is_whole for one in found):
        return Scope(collections[0])
    documents = tuple(dict.fromkeys(document for one in found for document in one.documents))
    if len(documents) > _MOST_DOCUMENTS:
        raise UsageError(
            f"{counted(len(documents), 'document is', 'documents are')} too many",
            hint="name their source, or the collection",
        )
    return Scope(collections[0], tuple(dict.fromkeys(one for each in found for one in each.sources)), documents)


def _scope_of_one(workspace: Workspace, target: str) -> Scope:
    kind, _, name = target.partition(":")
    if kind == "collection" and name:
        return Scope(workspace.collections.get(name).collection_id)
    if kind == "source" and name:
        return Scope(workspace.sources.get(name).collection_id, sources=(name,))
    is_collection = _exists(workspace.collections.exists, target)
    is_source = _exists(workspace.sources.exists, target)
    if is_collection and is_source:
        raise UsageError(
            f"'{safe_display(target)}' is a collection and a source",
            hint=f"write collection:{target} or source:{target}",
            code="ambiguous",
        )
    if is_collection:
        return Scope(target)
    if is_source:
        return Scope(workspace.sources.get(target).collection_id, sources=(target,))
    try:
        document = get_document(workspace, target)
    except NotFoundError:
        raise _nothing_named(workspace, target) from None
    return Scope(document.collection_id, documents=(document.document_id,))


def _nothing_named(workspace: Workspace, target: str) -> NotFoundError:
    """Return the error of a name that is neither that of a collection nor of a source or a document."""
    collections, sources = workspace.collections.names(), workspace.sources.names()
    accepted = "a collection, a source, or a document by id, address or file name"
    return NotFoundError(
        f"there is no collection, source or document '{safe_display(target, limit=200)}'",
        hint=f"{did_you_mean(target, [*collections, *sources])}name {accepted};"
        " 'ingest-tui collection list', 'ingest-tui source list' and 'ingest-tui doc list' show them",
    )


def _exists(exists: Callable[[str], bool], name: str) -> bool:
    """Whether there is a record of that name, which may be none that a record can have."""
    try:
        return exists(name)
    except ValidationError:
        return False


def reembed(workspace: Workspace, scope: Scope, *, embedder_id: str | None = None, switches: bool = True) -> Manifest:
    """Queue a job that builds another generation of a collection's vectors, next to the one that answers.

    With the embedder of the collection or another one, as its model is now. What ``scope`` does not have takes over
    the vectors that it has. With ``switches`` the new generation answers when it is complete. One that was begun in the
    same way is completed, by the job that does so where nobody works on that.

    Raises `UsageError` where nothing answers yet, or for a part of a collection with another embedder, `BusyError`
    while another generation is being built, and what the model raises.
    """
    collection_id = scope.collection_id
    chosen = embedder_id or chosen_embedder_of(workspace, collection_id).embedder_id
    options: dict[str, Any] = {"embedder": chosen, "switch": switches}
    options |= {"sources": list(scope.sources)} if scope.sources else {}
    options |= {"documents": list(scope.documents)} if scope.documents else {}
    unfinished = _unfinished_build(workspace, collection_id)
    if unfinished is not None:
        if _can_be_resumed(unfinished, options):
            return unfinished
        raise _busy(unfinished)
    known = record_generations(workspace, collection_id)
    if known.answering is None:
        raise UsageError(
            f"collection {collection_id!r} has no vectors yet",
            hint=f"'ingest-tui embed {collection_id}' makes them",
            code="no_vectors",
        )
    embedder = registered_as_it_is(workspace, chosen)
    if not scope.is_whole and embedder.space != known.answering.space:
        raise UsageError(
            "vectors of two models cannot be compared, so only a whole collection gets another one",
            hint=f"ingest-tui reembed {collection_id} --embedder {embedder.embedder_id}",
            code="other_space",
        )
    _refuse_other_plan(known, embedder, scope)
    return _queued(workspace, collection_id, "job.reembed", **options)


def _refuse_while_it_is_built(workspace: Workspace, collection_id: str) -> None:
    unfinished = _unfinished_build(workspace, collection_id)
    if unfinished is not None:
        raise _busy(unfinished)


def _unfinished_build(workspace: Workspace, collection_id: str) -> Manifest | None:
    """Return the job that builds a generation of a collection, as it is now."""
    for job in workspace.jobs.readable(workspace.jobs.queued_ids()):
        if (job.kind, job.collection_id) == (EMBED, collection_id) and job.builds_generation:
            current = as_it_is(workspace, job)
            if not current.ended:
                return current
    return None


def _can_be_resumed(job: Manifest, options: Mapping[str, Any]) -> bool:
    """Whether a job whose owner died, or that nobody works on yet, does what is asked for."""
    asked = {name: value for name, value in job.options.items() if name in _PLANNED}
    return job.state in {JobState.QUEUED, JobState.INTERRUPTED} and asked == options


def _busy(job: Manifest) -> BusyError:
    resumed_by = {JobState.PAUSED: f"'ingest-tui job resume {job.job_id}'", JobState.INTERRUPTED: "a worker"}
    to_do = f"{resumed_by[job.state]} resumes it" if job.state in resumed_by else "wait for it"
    return BusyError(
        f"job {job.job_id} builds a generation of collection {job.collection_id!r} ({job.state})",
        hint=f"{to_do}, or end it with 'ingest-tui job cancel {job.job_id}'",
        job_id=job.job_id,
    )


def _refuse_other_plan(known: Generations, embedder: Embedder, scope: Scope) -> None:
    pending = known.pending
    if pending is None:
        return
    begun = (pending.space, set(pending.sources), set(pending.documents))
    if begun != (embedder.space, set(scope.sources), set(scope.documents)):
        raise being_built(pending, known.collection_id)


def switch_generation(workspace: Workspace, collection_id: str) -> Manifest:
    """Queue a job that completes the generation that is built, and lets it answer, whatever has no vector in it."""
    workspace.collections.get(collection_id)
    _refuse_while_it_is_built(workspace, collection_id)
    known = known_generations(workspace, collection_id)
    if known.pending is None:
        raise nothing_built(known)
    return _queued(workspace, collection_id, "job.switch", switch=True, incomplete=True)


def _queued(workspace: Workspace, collection_id: str, action: str, **options: Any) -> Manifest:
    manifest = submit_embedding(workspace, collection_id, trigger=trigger_here(), by=requester(), build=True, **options)
    details: dict[str, Any] = {"collection": collection_id, **options}
    workspace.audit.add(at=rfc3339_now(), by=requester(), action=action, target=manifest.job_id, **details)
    return manifest


def revert_generation(workspace: Workspace, collection_id: str) -> Generation:
    """Let the generation answer that did so before; the one that answers now is kept. Returns it.

    At once: what has changed since has no vectors in it until the next job that embeds. Raises `UsageError` where none
    is kept, `BusyError` while another one is being built.
    """
    workspace.collections.get(collection_id)
    _refuse_while_it_is_built(workspace, collection_id)
    known = known_generations(workspace, collection_id)
    if known.pending is not None:
        raise being_built(known.pending, collection_id)
    if known.kept is None:
        raise UsageError(
            f"no earlier generation of collection {collection_id!r} is kept",
            hint="'ingest-tui reembed COLLECTION --list' shows those that there are",
            code="no_generation",
        )
    with workspace.committing():
        changed = switch_to(workspace, collection_id, known.kept.number, by=requester())
    assert changed.answering is not None  # noqa: S101 - just switched to
    return changed.answering


def discardable_generation(workspace: Workspace, collection_id: str) -> Generation:
    """Return the generation that does not answer: the one being built or ready, else the one that is kept.

    Raises `UsageError` where there is none, `BusyError` while a job builds it.
    """
    workspace.collections.get(collection_id)
    _refuse_while_it_is_built(workspace, collection_id)
    known = known_generations(workspace, collection_id)
    found = known.pending or known.kept
    if found is None:
        raise nothing_built(known)
    return found


def discard_generation(workspace: Workspace, collection_id: str) -> Generation:
    """Drop the generation that does not answer, see `discardable_generation`; returns it."""
    dropped = discardable_generation(workspace, collection_id)
    workspace.generations.change(collection_id, lambda now: now.without(dropped.number))
    details: dict[str, Any] = {"generation": dropped.number, "embedder": dropped.embedder.embedder_id}
    workspace.audit.add(at=rfc3339_now(), by=requester(), action="generation.discard", target=collection_id, **details)
    remove_discarded(workspace, collection_id)
    return dropped


def list_generations(workspace: Workspace, collection_id: str) -> tuple[Generation, ...]:
    """Return the generations of a collection, the oldest first."""
    workspace.collections.get(collection_id)
    return known_generations(workspace, collection_id).generations


def generation_numbered(workspace: Workspace, collection_id: str, number: int) -> Generation:
    """Return a generation of a collection; raises `UsageError` naming those that there are."""
    known = known_generations(workspace, collection_id)
    found = next((one for one in known.generations if one.number == number), None)
    if found is None:
        raise UsageError(
            f"collection {collection_id!r} has no generation {number}",
            hint=f"it has: {known.listed}",
            code="no_generation",
        )
    return found
