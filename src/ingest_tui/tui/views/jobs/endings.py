"""Which jobs ended while a person looked elsewhere, and how to say that in one notice. Without Textual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ingest_tui.tui import wording
from ingest_tui.tui.views.jobs.jobs_model import JobRow

_NAMED = 2


def ended_now(known: Mapping[str, JobRow], changed: Iterable[JobRow], *, complete: bool) -> list[JobRow]:
    """Return the jobs that have ended since they were last seen; ``complete``: a job that was never seen is new."""
    return [row for row in changed if row.ended and (not known[row.job_id].ended if row.job_id in known else complete)]


def notice(rows: list[JobRow]) -> tuple[str, bool]:
    """Return what to say of jobs that have ended, and whether it is bad news. One or two by name, more as numbers."""
    bad = any(row.state in {"failed", "partial"} for row in rows)
    if len(rows) <= _NAMED:
        return "\n".join(_line(row) for row in rows), bad
    states = Counter(row.state for row in rows)
    states_text = ", ".join(f"{number} {wording.state_word(state)}" for state, number in states.most_common())
    return f"{wording.plural(len(rows), 'job')} ended: {states_text}", bad


def _line(row: JobRow) -> str:
    errors = f", {wording.plural(row.errors_total, 'error')}" if row.errors_total else ""
    return f"{wording.state_word(row.state)}: {row.source_id or row.kind} {row.job_id[-4:]}{errors}"
