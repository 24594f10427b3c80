"""How far the embedding of a document or of a source is, in the words of a job."""

from __future__ import annotations

from typing import Literal

from ingest_tui.model.job import JobState

EmbeddingState = Literal["queued", "running", "succeeded", "failed", "cancelled", ""]
"""Empty where nothing is to be embedded, or nothing will be unless somebody asks for it."""
_OF_JOB: dict[JobState | None, EmbeddingState] = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "running",
    JobState.PAUSED: "running",
    JobState.INTERRUPTED: "running",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


def embedding_state(*, refused: int | None, job: JobState | None, is_automatic: bool) -> EmbeddingState:
    """Return the state of what has to have vectors.

    ``refused``: how many of its texts the model did not take, None while it has no vectors. ``job``: the state of the
    newest job that embeds its collection.

    >>> embedding_state(refused=0, job=JobState.RUNNING, is_automatic=True)
    'succeeded'
    >>> embedding_state(refused=None, job=JobState.SUCCEEDED, is_automatic=True)
    'queued'
    """
    if refused is not None:
        return "failed" if refused else "succeeded"
    return _OF_JOB.get(job, "queued" if is_automatic else "")
