"""A job: its manifest, its states, and the one table of allowed transitions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, field_serializer

from ingest_tui.model.bounded_lists import clipped, newest_that_fit, written_bytes
from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job_counters import Counters
from ingest_tui.model.redaction import redact

SCHEMA_VERSION = 1
ERRORS_KEPT = 50
TRANSITIONS_KEPT = 40
# A manifest stays below 32 KB whatever its texts are: each list has its share of bytes as they are written, the rest of
# the manifest needs less than 8 KB. Every error is whole in outcomes.jsonl and in the log.
ERRORS_BYTES = 14_000
TRANSITIONS_BYTES = 6_000
WARNINGS_BYTES = 4_000
PARSING_BYTES = 3_000
URI_KEPT = 200
MESSAGE_KEPT = 200
HINT_KEPT = 160
NAME_KEPT = 64
PHASES = ("list", "stage", "extract", "commit")
EMBED = "embed"
"""The kind of a job that embeds the chunks of a collection, and its one phase."""
RECHUNK = "rechunk"
"""The kind of a job that cuts the texts of a collection again, and its one phase."""
COLLECTION_KINDS = frozenset({EMBED, RECHUNK})
"""Kinds of jobs that work on the documents of a collection, whatever their sources are."""


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


ALLOWED_TRANSITIONS: dict[JobState | None, frozenset[JobState]] = {
    None: frozenset({JobState.QUEUED}),
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.PAUSED}),
    JobState.RUNNING: frozenset(
        {
            JobState.SUCCEEDED,
            JobState.PARTIAL,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.PAUSED,
            JobState.INTERRUPTED,
        }
    ),
    JobState.PAUSED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.INTERRUPTED, JobState.FAILED}),
    JobState.INTERRUPTED: frozenset({JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.PARTIAL: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
ENDED_STATES = frozenset({JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})


class TransitionError(IngestError):
    """The job cannot go from its state to the one asked for."""

    code = "transition"


class Transition(BaseModel):
    """One change of state: who, when and why."""

    model_config = ConfigDict(populate_by_name=True)

    from_: JobState | None = Field(default=None, alias="from")
    to: JobState
    at: str
    by: str = ""
    reason: str = ""


class WorkerMark(BaseModel):
    """Which process runs the job. For display only: ownership is the lock."""

    host: str
    pid: int
    heartbeat_at: str


class Phase(BaseModel):
    """How far a phase is. ``total`` is None while it is not known; ``bytes`` of ``bytes_total`` where that is known.

    ``stopped``: the job ended before the phase was done.
    """

    state: Literal["pending", "running", "done", "skipped", "stopped"] = "pending"
    done: int = 0
    total: int | None = None
    bytes: int = 0
    bytes_total: int | None = None
    started_at: str | None = None
    finished_at: str | None = None


class Progress(BaseModel):
    """Rates of the last seconds and what remains. ``eta_seconds`` is None while nobody can say."""

    percent: float = 0.0
    items_per_second: float = 0.0
    bytes_per_second: float = 0.0
    eta_seconds: float | None = None
    throttled_seconds: float = 0.0


class JobError(BaseModel):
    """An error of the job or of one item, as the manifest keeps the last of them."""

    code: str
    message: str
    hint: str = ""
    uri: str | None = None
    phase: str | None = None
    at: str
    retryable: bool = False


class ParsingItem(BaseModel):
    """An item that is being parsed: its key in the source, the process that parses it, and since when."""

    key: str
    pid: int
    since: str

    def seconds(self, now: float) -> float:
        """Return for how long, at the moment ``now`` (POSIX seconds)."""
        return max(0.0, now - (seconds_since_epoch(self.since) or now))


DISK_FULL = "disk_full"
"""The reason of the transition to ``paused`` when there is no room on the disk."""


KNOWN_PLAN = "known_plan"
"""The option of a job whose plan was made with it: it lists nothing, so its plan cannot be made again."""


class HeldDeletions(BaseModel):
    """Deletions that wait for a person. ``reason`` is that of the plan, see `HoldReason` in model/holding.py.

    ``is_remote``: the source is behind a network.

    Answered once a job was queued that carries them out, or once ``refused_by`` names who wants to keep the documents.
    ``closed``: why no answer is needed any more, in words; it follows from other records and is never kept.
    """

    documents: int
    known: int
    reason: str
    is_remote: bool = False
    answered_by_job: str | None = None
    refused_by: str = ""
    closed: str = ""

    @property
    def waits(self) -> bool:
        """Whether a person has still to answer."""
        return self.documents > 0 and not (self.answered_by_job or self.refused_by or self.closed)


class Manifest(BaseModel):
    """The state of one job; stays small however many documents the job has (those are in its journals)."""

    model_config = ConfigDict(extra="ignore", validate_assignment=False)

    schema_version: int = SCHEMA_VERSION
    rev: int = 0
    job_id: str
    kind: str = "sync"
    source_id: str
    collection_id: str
    state: JobState = JobState.QUEUED
    priority: int = 100
    trigger: str = "manual"
    requested_by: str = ""
    cancel_requested_by: str = ""
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    updated_at: str
    attempt: int = 1
    options: dict[str, Any] = Field(default_factory=dict)
    transitions: list[Transition] = Field(default_factory=list)
    worker: WorkerMark | None = None
    phases: dict[str, Phase] = Field(default_factory=lambda: {name: Phase() for name in PHASES})
    counters: Counters = Field(default_factory=Counters)
    progress: Progress = Field(default_factory=Progress)
    parsing: list[ParsingItem] = Field(default_factory=list)
    errors: list[JobError] = Field(default_factory=list)
    errors_total: int = 0
    warnings: list[str] = Field(default_factory=list)
    held: HeldDeletions | None = None
    reached: int = 0
    attempts_without_progress: int = 0

    @property
    def lane(self) -> str:
        """What the job works on: one job of a lane runs at a time, the next one waits for its end."""
        if not self.works_on_collection:
            return self.source_id
        return (
            f"{self.kind}/{self.collection_id}/next" if self.builds_generation else f"{self.kind}/{self.collection_id}"
        )

    @property
    def builds_generation(self) -> bool:
        """Whether a job that embeds builds the next generation of vectors, next to those that answer."""
        return self.kind == EMBED and bool(self.options.get("build"))

    @property
    def works_on_collection(self) -> bool:
        """Whether the job works on a collection rather than on a source: it fetches nothing."""
        return self.kind in COLLECTION_KINDS

    @property
    def phase_names(self) -> tuple[str, ...]:
        """The phases of a job of this kind, in order; the last is the one whose end is the end of the work."""
        return (self.kind,) if self.works_on_collection else PHASES

    @property
    def waits_for_space(self) -> bool:
        """Whether the job is paused until there is room on the disk: then it works without being asked to."""
        return self.state is JobState.PAUSED and bool(self.transitions) and self.transitions[-1].reason == DISK_FULL

    @property
    def keeps_uploaded_files(self) -> bool:
        """Whether what is still staged of an upload stays: the job failed, and the files may be nowhere else."""
        return self.state is JobState.FAILED and bool(self.options.get("staged"))

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.state in ENDED_STATES

    def move_to(self, state: JobState, *, at: str, by: str, reason: str = "") -> None:
        """Change the state; raises `TransitionError` when the table does not allow it."""
        current = self.state if self.transitions else None
        if state not in ALLOWED_TRANSITIONS[current]:
            raise TransitionError(
                f"job {self.job_id} is {current} and cannot become {state}",
                hint=f"'ingest-tui job show {self.job_id}' shows what it is doing",
                job_id=self.job_id,
            )
        self.transitions.append(
            Transition(
                from_=current, to=state, at=at, by=clipped(by, NAME_KEPT), reason=clipped(redact(reason), MESSAGE_KEPT)
            )
        )
        if len(self.transitions) > TRANSITIONS_KEPT:
            # The first says who asked for the job; the newest say what state it is in.
            self.transitions = [self.transitions[0], *self.transitions[-(TRANSITIONS_KEPT - 1) :]]
        self.state = state
        self.updated_at = at
        if state is JobState.RUNNING and self.started_at is None:
            self.started_at = at
        if state is not JobState.RUNNING:
            self.progress.eta_seconds = None  # what does not run does not come closer to its end
            self.parsing = []
        if state in ENDED_STATES:
            self.finished_at = at
            self._close_phases(at)

    def _close_phases(self, at: str) -> None:
        for phase in self.phases.values():
            if phase.state == "running":
                phase.state, phase.finished_at = "stopped", at

    def add_error(self, error: JobError) -> None:
        """Count an error and keep it among the last fifty, without secrets, its texts cut to what a person needs."""
        self.errors_total += 1
        self.errors.append(
            error.model_copy(
                update={
                    "code": clipped(error.code, NAME_KEPT),
                    "message": clipped(redact(error.message), MESSAGE_KEPT),
                    "hint": clipped(redact(error.hint), HINT_KEPT),
                    "uri": error.uri and clipped(redact(error.uri), URI_KEPT),
                    "phase": error.phase and clipped(error.phase, NAME_KEPT),
                }
            )
        )
        if len(self.errors) > ERRORS_KEPT:
            del self.errors[: len(self.errors) - ERRORS_KEPT]

    # What is written is bounded here, once for each writing and not once for each error.

    @field_serializer("errors", mode="wrap")
    def _newest_errors(self, errors: list[JobError], dump: SerializerFunctionWrapHandler) -> list[Any]:
        return newest_that_fit(dump(errors), ERRORS_BYTES)

    @field_serializer("warnings", mode="wrap")
    def _newest_warnings(self, warnings: list[str], dump: SerializerFunctionWrapHandler) -> list[Any]:
        return newest_that_fit(dump([clipped(redact(text), MESSAGE_KEPT) for text in warnings]), WARNINGS_BYTES)

    @field_serializer("transitions", mode="wrap")
    def _first_and_newest_transitions(
        self, transitions: list[Transition], dump: SerializerFunctionWrapHandler
    ) -> list[Any]:
        dumped: list[Any] = dump(transitions)
        return dumped[:1] + newest_that_fit(dumped[1:], TRANSITIONS_BYTES - written_bytes(dumped[:1]))

    @field_serializer("parsing", mode="wrap")
    def _longest_parsing(self, parsing: list[ParsingItem], dump: SerializerFunctionWrapHandler) -> list[Any]:
        cut = [one.model_copy(update={"key": clipped(redact(one.key), URI_KEPT)}) for one in parsing]
        return newest_that_fit(dump(cut)[::-1], PARSING_BYTES)[::-1]

    @field_serializer("requested_by", "cancel_requested_by")
    def _name(self, name: str) -> str:
        return clipped(name, NAME_KEPT)


class IngestionStatusResponse(BaseModel):
    """The state of a job by its id, as ``status JOB --json`` prints it: the manifest and where the job queues."""

    model_config = ConfigDict(defer_build=True)  # for one command: building it would be felt at each start

    job_id: str
    state: JobState
    kind: str
    source_id: str
    collection_id: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    updated_at: str
    attempt: int
    queue_position: int | None
    transitions: list[Transition]
    counters: Counters
    progress: Progress
    phases: dict[str, Phase]
    errors: list[JobError]
    errors_total: int
    held: HeldDeletions | None


def end_state(manifest: Manifest, *, listing_complete: bool) -> JobState:
    """Return ``succeeded`` or ``partial`` for a job that has gone through its plan."""
    held = manifest.held is not None and manifest.held.documents > 0
    failed = manifest.counters.items_failed + manifest.counters.members.failed
    return JobState.PARTIAL if failed or held or not listing_complete else JobState.SUCCEEDED
