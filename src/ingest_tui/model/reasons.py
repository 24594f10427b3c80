"""What went wrong in a job, gathered by reason: how often, and what to do about it. Pure, one outcome at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ingest_tui.model.job import JobError
from ingest_tui.model.outcome import Outcome, OutcomeName

PROBLEM_OUTCOMES: tuple[OutcomeName, ...] = ("failed", "rejected", "empty")
OF_THE_JOB = "job"


@dataclass(slots=True)
class ReasonGroup:
    """Items of one outcome and reason; ``outcome`` is ``job`` for errors of the job as a whole.

    ``detail`` and ``hint`` are those of the last one that had any; ``is_example``: others had another detail.
    """

    outcome: str
    reason: str
    number: int = 0
    detail: str = ""
    hint: str = ""
    is_example: bool = False

    @property
    def shown_detail(self) -> str:
        """The detail, marked as an example where it does not hold for all of them."""
        return f"e.g. {self.detail}" if self.is_example else self.detail

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


class Reasons:
    """The groups of a job. ``job_errors`` are those of its manifest; only the ones that name no item count here."""

    def __init__(self, job_errors: Iterable[JobError] = ()) -> None:
        self._groups: dict[tuple[str, str], ReasonGroup] = {}
        self.take_job_errors(job_errors)

    def take_job_errors(self, job_errors: Iterable[JobError]) -> None:
        """Take the errors of the manifest instead of those it had before."""
        self._groups = {key: group for key, group in self._groups.items() if group.outcome != OF_THE_JOB}
        for error in job_errors:
            if error.uri is None:
                self._count(OF_THE_JOB, error.code, error.message, error.hint)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome; one that went well is passed over."""
        if outcome.outcome in PROBLEM_OUTCOMES:
            self._count(outcome.outcome, outcome.reason, outcome.detail, outcome.hint)

    def _count(self, outcome: str, reason: str, detail: str, hint: str) -> None:
        group = self._groups.setdefault((outcome, reason), ReasonGroup(outcome, reason))
        group.number += 1
        group.is_example = group.is_example or (group.number > 1 and detail != group.detail)
        group.detail = detail or group.detail
        group.hint = hint or group.hint

    def groups(self) -> list[ReasonGroup]:
        """Return the groups: those of the job first, then failed, rejected and empty, each the largest first."""
        order = (OF_THE_JOB, *PROBLEM_OUTCOMES)
        return sorted(self._groups.values(), key=lambda one: (order.index(one.outcome), -one.number, one.reason))
