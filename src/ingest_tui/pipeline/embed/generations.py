"""Which generation of a collection's vectors a job works on, and the switch to one that is complete."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.embedder import Embedder, no_embedder
from ingest_tui.model.errors import BusyError, UsageError
from ingest_tui.model.generation import Generation, Generations, GenerationState
from ingest_tui.store.vector_rows import read_state
from ingest_tui.store.workspace import Workspace

if TYPE_CHECKING:
    from ingest_tui.pipeline.job.context import JobContext

_WORKED_ON = frozenset({GenerationState.BUILDING, GenerationState.READY})


def known_generations(workspace: Workspace, collection_id: str) -> Generations:
    """Return the generations of a collection.

    Where there is no record, the vectors in the space of its embedder are the one that answers, if it has any.
    """
    known = workspace.generations.get(collection_id)
    return known if known.revision else implied_generations(workspace, collection_id)


def implied_generations(workspace: Workspace, collection_id: str) -> Generations:
    """Return what a collection without a record has."""
    none = Generations(collection_id=collection_id)
    choice = workspace.collections.get(collection_id).preferences.embedding_choice()
    if choice is None or not workspace.embedders.exists(choice.embedder_id):
        return none
    embedder = workspace.embedders.get(choice.embedder_id)
    folder = workspace.layout.vector_log(collection_id, embedder.space.space_id)
    if read_state(folder, embedder.space) is None:
        return none
    return none.begun(embedder, at=embedder.created_at)


def record_generations(workspace: Workspace, collection_id: str) -> Generations:
    """Write down what answers in a collection, before its embedder is chosen again or registered again."""
    implied = implied_generations(workspace, collection_id)
    return workspace.generations.change(collection_id, lambda known: known, implied=implied)


def chosen_embedder_of(workspace: Workspace, collection_id: str) -> Embedder:
    """Return the embedder that a collection has chosen; raises `UsageError` for none, `NotFoundError` if it is gone."""
    choice = workspace.collections.get(collection_id).preferences.embedding_choice()
    if choice is None:
        raise no_embedder(collection_id, workspace.embedders.names())
    return workspace.embedders.get(choice.embedder_id)


def generation_to_follow(job: JobContext) -> Generation:
    """Return the generation that answers, in which a job embeds what has changed; begun where there is none yet.

    Settings that were registered later for the same space take precedence over those that it was begun with.
    """
    workspace, collection_id = job.workspace, job.manifest.collection_id
    embedder = chosen_embedder_of(workspace, collection_id)

    def begun(known: Generations) -> Generations:
        return known if known.answering is not None else known.begun(embedder, at=rfc3339_now())

    implied = implied_generations(workspace, collection_id)
    answering = workspace.generations.change(collection_id, begun, implied=implied).answering
    assert answering is not None  # noqa: S101 - begun above
    return with_current_settings(answering, embedder)


def with_current_settings(generation: Generation, embedder: Embedder) -> Generation:
    """Return a generation with what is registered for its space now."""
    same = generation.space == embedder.space
    return generation.model_copy(update={"embedder": embedder}) if same else generation


def generation_to_build(job: JobContext) -> Generation | None:
    """Return the generation that a job builds: its own, one that another job left, or a new one.

    None when the job has built it and an earlier attempt has switched to it. Raises `UsageError` where there is nothing
    to build, `BusyError` where another one is being built.
    """
    workspace, manifest = job.workspace, job.manifest
    known = workspace.generations.get(manifest.collection_id)
    mine = known.of_job(manifest.job_id)
    if mine is not None:
        return mine if mine.state in _WORKED_ON else None
    name = str(manifest.options.get("embedder", ""))
    embedder = workspace.embedders.get(name) if name else None
    implied = implied_generations(workspace, manifest.collection_id)
    taken = partial(_taken_on, job, embedder)
    return workspace.generations.change(manifest.collection_id, taken, implied=implied).pending


def _taken_on(job: JobContext, embedder: Embedder | None, known: Generations) -> Generations:
    """Return the generations with the one that a job is to build: one that is there, or a new one."""
    manifest, pending = job.manifest, known.pending
    if pending is not None:
        if embedder is not None and pending.space != embedder.space:
            raise being_built(pending, manifest.collection_id)
        return known.built_by(pending.number, manifest.job_id)
    if embedder is None or known.answering is None:
        raise nothing_built(known)
    if manifest.options.get("reuse") and known.kept is not None and known.kept.space == embedder.space:
        return known.reused(known.kept.number, manifest.job_id)
    return known.begun(
        embedder,
        at=rfc3339_now(),
        job_id=manifest.job_id,
        documents=tuple(manifest.options.get("documents", ())),
        sources=tuple(manifest.options.get("sources", ())),
    )


def being_built(pending: Generation, collection_id: str) -> BusyError:
    """Return the error of a collection of which another generation is being built, or waits for a switch."""
    what = "is ready" if pending.state is GenerationState.READY else "is being built"
    return BusyError(
        f"generation {pending.number} of collection {collection_id!r} {what} (embedder {pending.embedder.embedder_id})",
        hint=f"'ingest-tui reembed {collection_id} --switch' completes it and switches, --discard drops it",
        code="generation_pending",
    )


def nothing_built(known: Generations) -> UsageError:
    """Return the error of a collection that has no generation next to the one that answers."""
    kept = "" if known.kept is None else f", --revert goes back to generation {known.kept.number}"
    return UsageError(
        f"no other generation of collection {known.collection_id!r} is built or being built; it has: {known.listed}",
        hint=f"'ingest-tui reembed {known.collection_id} --no-switch' builds one{kept}",
        code="no_generation",
    )


def mark_ready(job: JobContext, generation: Generation) -> None:
    """Write down that a generation is complete."""
    job.workspace.generations.change(job.manifest.collection_id, lambda known: known.completed(generation.number))


def switch_to(workspace: Workspace, collection_id: str, number: int, *, by: str) -> Generations:
    """Let another generation answer, in one write; the caller holds the commit lock.

    The choice of the collection is written first: killed in between, the next job that embeds finds that the chosen
    embedder is not the one that answers, and that its vectors are there.
    """
    at = rfc3339_now()
    known = workspace.generations.get(collection_id)
    chosen = next(one for one in known.generations if one.number == number)
    collection = workspace.collections.get(collection_id)
    if collection.preferences.embedder != chosen.embedder.embedder_id:
        preferences = collection.preferences.model_copy(update={"embedder": chosen.embedder.embedder_id})
        workspace.collections.save(
            collection.model_copy(update={"preferences": preferences, "updated_at": at}), collection
        )
    changed = workspace.generations.change(collection_id, lambda now: now.switched_to(number, at=at))
    workspace.audit.add(
        at=at,
        by=by,
        action="generation.switch",
        target=collection_id,
        generation=number,
        embedder=chosen.embedder.embedder_id,
    )
    return changed
