"""Job states: any sequence of wishes keeps a manifest within its table of transitions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ingest_tui.model.job import (
    ALLOWED_TRANSITIONS,
    ENDED_STATES,
    ERRORS_KEPT,
    TRANSITIONS_KEPT,
    Counters,
    HeldDeletions,
    JobError,
    JobState,
    Manifest,
    TransitionError,
    end_state,
)
from ingest_tui.model.outcome import COUNTER_OF, OUTCOME_NAMES, OutcomeName

states = st.sampled_from(list(JobState))


def _manifest() -> Manifest:
    return Manifest(
        job_id="20260101-000000-docs-2222", source_id="docs", collection_id="default", created_at="0", updated_at="0"
    )


class JobLife(RuleBasedStateMachine):
    """A manifest beside a model that knows nothing but the table."""

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


JobLife.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJobLife = JobLife.TestCase


def test_ended_states_are_final_and_all_others_can_end() -> None:
    """From an ended state nothing leads on; from every other one a job can still come to an end."""
    for state in JobState:
        reachable, frontier = set(), [state]
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
