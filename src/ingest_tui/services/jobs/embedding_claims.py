"""Which job is embedding a document right now: one that runs or is paused, and has not come to the document yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest_tui.model.document import Document
from ingest_tui.model.job import EMBED, JobState, Manifest
from ingest_tui.store.vector_files import refused_in
from ingest_tui.store.workspace import Workspace


def job_that_embeds(workspace: Workspace, documents: Iterable[Document]) -> Manifest | None:
    """Return a job in which the embedding of one of the documents is in progress. Looks at none where no job runs."""
    jobs = list(_embedding_jobs(workspace))
    if not jobs:
        return None
    keys = {job.job_id: key_of_job(workspace, job) for job in jobs}
    for document in documents:
        for job in jobs:
            if job.collection_id == document.collection_id and is_due_in(workspace, document, keys[job.job_id]):
                return job
    return None


def _embedding_jobs(workspace: Workspace) -> Iterator[Manifest]:
    """Yield the jobs that embed right now; one whose worker died does not, until another worker resumes it."""
    for job in workspace.jobs.readable(workspace.jobs.queued_ids()):
        is_paused = job.state is JobState.PAUSED and job.started_at is not None
        if job.kind == EMBED and not job.ended and (is_paused or workspace.jobs.has_owner(job.job_id)):
            yield job


def key_of_job(workspace: Workspace, job: Manifest) -> str:
    """Return the key of the generation that a job embeds in; empty where it has not begun it yet."""
    from ingest_tui.pipeline.embed.generations import known_generations  # not for looking something up

    known = known_generations(workspace, job.collection_id)
    generation = known.pending if job.builds_generation else known.answering
    return generation.key if generation is not None else ""


def is_due_in(workspace: Workspace, document: Document, key: str) -> bool:
    """Whether a document has chunks, and no vectors of its current version in a generation."""
    if document.state != "active" or not document.chunks:
        return False
    folder = workspace.layout.version(document.collection_id, document.document_id, document.version)
    return not key or refused_in(folder, key) is None
