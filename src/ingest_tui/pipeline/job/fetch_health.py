"""Is it the source that fails, or only some documents? Decided from the fetches alone, without I/O."""

from __future__ import annotations

from collections import Counter, deque

from ingest_tui.model.errors import IngestError, SourceAccessError

FIRST_FETCHES = 10
LAST_FETCHES = 100
FAILING_SHARE = 0.15
SOURCE_REASONS = frozenset(
    {"authentication", "forbidden", "network", "throttled", "timeout_source", "source_access", "source_transient"}
)
"""Reasons that are about the source (who may enter, whether it answers), not of a document."""


class SourceHealth:
    """Counts the fetches of a job. Documents that are simply bad never trip it, however many there are."""

    def __init__(self) -> None:
        self._fetches = 0
        self._last: deque[IngestError | None] = deque(maxlen=LAST_FETCHES)
        self._failing = 0
        self.failure: SourceAccessError | None = None
        """The first such error, from then on."""

    def note(self, error: IngestError | None) -> SourceAccessError | None:
        """Count one fetch and how it ended; returns the error to stop the job with, if this one shows it.

        The source is failing when the first 10 fetches all failed, or more than 15 % of the last 100.
        """
        self._count(error)
        verdict = self._judge()
        self.failure = self.failure or verdict
        return verdict

    def _count(self, error: IngestError | None) -> None:
        failing = error if error is not None and error.reason in SOURCE_REASONS else None
        if len(self._last) == LAST_FETCHES:
            self._failing -= self._last[0] is not None
        self._last.append(failing)
        self._failing += failing is not None
        self._fetches += 1

    def _judge(self) -> SourceAccessError | None:
        if self._fetches == FIRST_FETCHES and self._failing == FIRST_FETCHES:
            return self._verdict(f"the first {FIRST_FETCHES} fetches all failed")
        if len(self._last) == LAST_FETCHES and self._failing > LAST_FETCHES * FAILING_SHARE:
            return self._verdict(f"{self._failing} of the last {LAST_FETCHES} fetches failed")
        return None

    def _verdict(self, what: str) -> SourceAccessError:
        failures = [error for error in self._last if error is not None]
        (reason, number), *_ = Counter(error.reason for error in failures).most_common(1)
        example = next(error for error in reversed(failures) if error.reason == reason)
        common = f"{number} x {reason}: {example.message}" if number < len(failures) else f"{reason}: {example.message}"
        return SourceAccessError(
            f"stopped early because the source is failing: {what} ({common})",
            hint=example.hint or "'ingest-tui source test SOURCE' shows more; then sync again: what is done stays done",
            code="source_failing",
        )
