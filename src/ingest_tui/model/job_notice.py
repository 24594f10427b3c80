"""Which hooks are still to be told that a job has ended, and when: what is kept until they were."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from ingest_tui.model.clock import moment_of, rfc3339

SCHEMA_VERSION = 1
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_LONGEST_AGE = timedelta(days=3)
_ENOUGH_ATTEMPTS = 10
MOST_NOTICES = 1_000
"""The oldest beyond so many are given up."""


class WaitingHook(BaseModel):
    """A hook by its name in ``on_job_end``: how often it could not be told, and when it is tried again (RFC 3339)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    attempts: int = 0
    not_before: str = ""

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be told now; a moment that only a clock that was wrong can have named is now."""
        moment = moment_of(self.not_before)
        return moment is None or moment <= now or moment > now + _LONGEST_WAIT

    def tried(self, now: datetime) -> WaitingHook:
        """Return it after an attempt that failed: the waits double, from a minute to an hour."""
        wait = min(_FIRST_WAIT * 2 ** min(self.attempts, 10), _LONGEST_WAIT)
        return WaitingHook(name=self.name, attempts=self.attempts + 1, not_before=rfc3339(now + wait))


class JobNotice(BaseModel):
    """What is to be told of an ended job (`event_of`), and to whom it still is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    job_id: str
    noted_at: str
    event: dict[str, Any]
    waiting: tuple[WaitingHook, ...]

    def without(self, names: Iterable[str]) -> JobNotice:
        """Return it for those who wait still when some do not."""
        gone = set(names)
        return self.model_copy(update={"waiting": tuple(one for one in self.waiting if one.name not in gone)})

    def with_attempt(self, name: str, now: datetime) -> JobNotice:
        """Return it after one hook could not be told."""
        waiting = tuple(one.tried(now) if one.name == name else one for one in self.waiting)
        return self.model_copy(update={"waiting": waiting})

    def given_up(self, now: datetime) -> list[str]:
        """Return the hooks that were tried often enough, for days: whoever listened there does no more."""
        noted = moment_of(self.noted_at)
        if noted is not None and now - noted < _LONGEST_AGE:
            return []
        return [one.name for one in self.waiting if one.attempts >= _ENOUGH_ATTEMPTS]
