"""Job states: any sequence of wishes keeps a manifest within its table of transitions."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ingest_tui.model.bounded_lists import clipped
from ingest_tui.model.job import (
    ALLOWED_TRANSITIONS,
    ENDED_STATES,
    ERRORS_KEPT,
    TRANSITIONS_KEPT,
    HeldDeletions,
    JobError,
    JobState,
    Manifest,
    ParsingItem,
    TransitionError,
    WorkerMark,
    end_state,
)
from ingest_tui.model.job_counters import Counters
from ingest_tui.model.outcome import COUNTER_OF, OUTCOME_NAMES, OutcomeName
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.layout import Layout

states = st.sampled_from(list(JobState))


def _manifest() -> Manifest:
    return Manifest(
        job_id="20260101-000000-docs-2222", source_id="docs", collection_id="default", created_at="0", updated_at="0"
    )


def _job_store(root: Path) -> JobStore:
    layout = Layout(root)
    for folder in (layout.jobs, layout.queue):
        folder.mkdir()
    return JobStore(layout)


class JobLife(RuleBasedStateMachine):
    """A manifest next to a model that knows nothing but the table."""

    def __init__(self) -> None:
        super().__init__()
        self.manifest = _manifest()
        self.state: JobState | None = None
        self.history: list[JobState] = []
        self.clock = 0
        self.errors = 0

    @initialize()
    def enqueue(self) -> None:
        self.wish(JobState.QUEUED)

    @rule(state=states)
    def wish(self, state: JobState) -> None:
        self.clock += 1
        before = self.manifest.model_dump()
        if state in ALLOWED_TRANSITIONS[self.state]:
            self.manifest.move_to(state, at=str(self.clock), by="test")
            self.state = state
            self.history.append(state)
        else:
            with pytest.raises(TransitionError):
                self.manifest.move_to(state, at=str(self.clock), by="test")
            assert self.manifest.model_dump() == before, "a refused wish must change nothing"

    @rule(number=st.integers(1, 60))
    def go_back_and_forth(self, number: int) -> None:
        """Pause and resume often, so that the kept transitions overflow."""
        for _ in range(number):
            self.wish(JobState.PAUSED)
            self.wish(JobState.RUNNING)

    @rule(number=st.integers(1, 60))
    def err(self, number: int) -> None:
        for _ in range(number):
            self.errors += 1
            self.manifest.add_error(JobError(code="x", message=str(self.errors), at="0"))

    @invariant()
    def state_is_the_last_allowed_one(self) -> None:
        assert self.manifest.state == (self.state or JobState.QUEUED)
        assert self.manifest.ended == (self.state in ENDED_STATES)

    @invariant()
    def transitions_are_a_chain(self) -> None:
        transitions = self.manifest.transitions
        assert len(transitions) == min(len(self.history), TRANSITIONS_KEPT)
        if self.history:
            assert transitions[0].from_ is None
            kept = [self.history[0], *self.history[1:][-(TRANSITIONS_KEPT - 1) :]]
            assert [transition.to for transition in transitions] == kept
            newest = transitions[1:] if len(self.history) > TRANSITIONS_KEPT else transitions
            assert all(later.from_ == earlier.to for earlier, later in pairwise(newest))

    @invariant()
    def times_fit_the_state(self) -> None:
        assert (self.manifest.started_at is not None) == (JobState.RUNNING in self.history)
        assert (self.manifest.finished_at is not None) == (self.state in ENDED_STATES)

    @invariant()
    def last_errors_are_kept_and_all_are_counted(self) -> None:
        assert self.manifest.errors_total == self.errors
        numbers = [int(error.message) for error in self.manifest.errors]
        assert numbers == list(range(max(0, self.errors - ERRORS_KEPT) + 1, self.errors + 1))

    @invariant()
    def json_gives_it_back(self) -> None:
        written = self.manifest.model_dump_json(by_alias=True)
        assert Manifest.model_validate_json(written) == self.manifest


# Worst cases: what takes most bytes when it is written (four-byte and control characters), and what cannot be.
DEAREST = "\x00" * 5000
dear_texts = st.builds(
    lambda character, number: character * number,
    st.sampled_from(["\U0001f4a3", "\x00", "\x1b", "\udcff", '"', "a", "\n", "é"]),
    st.sampled_from([0, 1, 64, 159, 160, 161, 199, 200, 201, 5000]),
) | st.text(max_size=300)
dear_errors = st.builds(
    JobError,
    code=dear_texts,
    message=dear_texts,
    hint=dear_texts,
    uri=st.none() | dear_texts,
    phase=st.none() | dear_texts,
    at=st.just("2026-11-21T13:08:15.014Z"),
    retryable=st.booleans(),
)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    errors=st.lists(dear_errors, max_size=5),
    reasons=st.lists(dear_texts, min_size=1, max_size=5),
    warnings=st.lists(dear_texts, max_size=5),
    by=dear_texts,
    many=st.sampled_from([1, 60]),
    durable=st.booleans(),
)
@example(
    errors=[JobError(code=DEAREST, message=DEAREST, hint=DEAREST, uri=DEAREST, phase=DEAREST, at="0")],
    reasons=[DEAREST],
    warnings=[DEAREST],
    by=DEAREST,
    many=5000,
    durable=True,
)
def test_manifest_stays_small_and_explains_itself(
    errors: list[JobError], reasons: list[str], warnings: list[str], by: str, many: int, durable: bool
) -> None:
    """However many errors, transitions and warnings of the dearest texts stay below 32 KB; first and last ones stay."""
    manifest = _manifest()
    manifest.requested_by = manifest.cancel_requested_by = by
    manifest.worker = WorkerMark(host="h" * 64, pid=2**22, heartbeat_at="2026-11-21T13:08:15.014Z")
    manifest.options = {"force": True, "approves": "x" * 64, "retry_of": "x" * 64}
    manifest.held = HeldDeletions(documents=10**9, known=10**9, reason="mass_deletion", answered_by_job="x" * 64)
    manifest.move_to(JobState.QUEUED, at="0", by=by, reason=reasons[0])
    manifest.move_to(JobState.RUNNING, at="1", by=by)
    parsing = [ParsingItem(key=key, pid=2**22, since="2026-11-21T13:08:15.014Z") for key in [*warnings, by] * 40]
    for _ in range(many):
        for error in errors:
            manifest.add_error(error)
        for reason in reasons:
            manifest.move_to(JobState.PAUSED, at="2026-11-21T13:08:15.014Z", by=by, reason=reason)
            manifest.move_to(JobState.RUNNING, at="2026-11-21T13:08:15.014Z", by=by, reason=reason)
        manifest.warnings.extend(warnings)
    with tempfile.TemporaryDirectory() as folder:
        jobs = _job_store(Path(folder))
        jobs.create(manifest)
        manifest.parsing = parsing
        jobs.save(manifest, durable=durable)
        assert jobs.paths(manifest.job_id).manifest.stat().st_size < 32_000
        loaded = jobs.load(manifest.job_id)
    assert loaded.errors_total == len(errors) * many
    assert loaded.transitions[0] == manifest.transitions[0]
    assert loaded.transitions[-1] == manifest.transitions[-1]
    assert loaded.errors[-1:] == manifest.errors[-1:]
    assert len(loaded.warnings[-1:]) == len(warnings[-1:])
    assert [one.pid for one in loaded.parsing[:1]] == [2**22]
    if many == 1:
        assert len(loaded.errors) >= min(len(errors), 3)
        assert len(loaded.transitions) >= 3


def test_short_errors_are_all_kept(tmp_path: Path) -> None:
    """Fifty ordinary errors and forty ordinary changes of state are within their shares."""
    manifest = _manifest()
    manifest.move_to(JobState.QUEUED, at="2026-11-21T13:08:15.014Z", by="ann@host")
    manifest.move_to(JobState.RUNNING, at="2026-11-21T13:08:15.014Z", by="worker 123@host")
    for number in range(200):
        error = JobError(code="malformed", message=f"page {number} is torn", uri=f"file:///docs/{number}.pdf", at="1")
        manifest.add_error(error)
        manifest.move_to([JobState.PAUSED, JobState.RUNNING][number % 2], at="2026-11-21T13:08:15.014Z", by="ann")
    jobs = _job_store(tmp_path)
    jobs.create(manifest)
    loaded = jobs.load(manifest.job_id)
    assert (len(loaded.errors), loaded.errors_total) == (ERRORS_KEPT, 200)
    assert len(loaded.transitions) == TRANSITIONS_KEPT


@pytest.mark.slow
def test_an_error_costs_the_same_however_many_there_were() -> None:
    """Of a hundred thousand errors the last ones cost what the first did: nothing is measured or written for each."""
    manifest = _manifest()
    error = JobError(code="malformed", message="\x00" * 199, hint="a" * 99, uri="file:///" + "a" * 99, at="0")
    took = []
    for _ in range(20):
        started = time.process_time()
        for _ in range(5_000):
            manifest.add_error(error)
        took.append(time.process_time() - started)
    assert min(took[-5:]) < 3 * min(took[:5])
    assert min(took) / 5_000 < 60e-6
    assert manifest.errors_total == 100_000


@pytest.mark.parametrize(
    ("text", "kept"),
    [("", ""), ("abcdefg", "abcdefg"), ("abcdefgh", "abc…fgh"), ("ü\udcffx", "ü\\udcff"), ("\udcff" * 9, "\\udcff\\")],
)
def test_clipped_texts_keep_both_ends_and_can_be_written(text: str, kept: str) -> None:
    """The middle of a long text goes, since addresses end with a name; what is not UTF-8 is shown as what it is."""
    assert clipped(text, 7) == kept
    clipped(text, 7).encode()


JobLife.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJobLife = JobLife.TestCase


def test_ended_states_are_final_and_all_others_can_end() -> None:
    """From an ended state nothing leads on; from every other one a job can still come to an end."""
    for state in JobState:
        reachable: set[JobState] = set()
        frontier = [state]
        while frontier:
            for following in ALLOWED_TRANSITIONS[frontier.pop()] - reachable:
                reachable.add(following)
                frontier.append(following)
        assert bool(ALLOWED_TRANSITIONS[state]) == (state not in ENDED_STATES)
        assert state in ENDED_STATES or reachable & ENDED_STATES


@given(outcomes=st.lists(st.sampled_from(OUTCOME_NAMES), max_size=40))
def test_counters_add_up(outcomes: list[OutcomeName]) -> None:
    """Every outcome adds to one counter, and all but the retired ones account for listed items."""
    counters = Counters()
    for outcome in outcomes:
        counters.count(outcome)
    for name in OUTCOME_NAMES:
        assert getattr(counters, COUNTER_OF[name]) == outcomes.count(name)
    assert counters.listed_accounted_for == len(outcomes) - outcomes.count("retired")


@given(failed=st.integers(0, 2), held=st.none() | st.integers(0, 2), complete=st.booleans())
def test_job_succeeds_only_when_nothing_is_left_open(failed: int, held: int | None, complete: bool) -> None:
    """Failed items, held deletions and gaps in the listing each make a job partial; nothing else does."""
    manifest = _manifest()
    manifest.counters.items_failed = failed
    manifest.held = None if held is None else HeldDeletions(documents=held, known=9, reason="mass_deletion")
    whole = not failed and not held and complete
    assert end_state(manifest, listing_complete=complete) == (JobState.SUCCEEDED if whole else JobState.PARTIAL)
