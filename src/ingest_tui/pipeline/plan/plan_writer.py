"""The lines of a plan and the outcomes that follow from the plan alone, written in blocks."""

from __future__ import annotations

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.outcome import Outcome, OutcomeName
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import HELD
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.store.change import StoreChange
from ingest_tui.store.records.journal import Journal, encode_line

_LINES_AT_ONCE = 1000
_SETTLED_WHILE_PLANNING: dict[str, OutcomeName] = {"skip": "unchanged", "reject": "rejected", "quarantine": "failed"}
_QUARANTINE_HINT = (
    "'ingest-tui job retry last --failed-only' tries it again, as does a sync once it, a backend or a limit has changed"
)


class PlanWriter:
    """Gathers plan lines and the outcomes that follow from the plan alone, and writes them in blocks."""

    def __init__(self, job: JobContext, ruleset: str) -> None:
        self._job = job
        self._ruleset = ruleset
        self._lines: list[bytes] = []
        self._settled: list[bytes] = []
        self._rejected: list[KnownPlace] = []
        self._at = rfc3339_now()
        self._counts: dict[OutcomeName, int] = {}
        self._skipped = 0
        self._unchanged = Outcome("", "", "unchanged", "same_fingerprint", self._at, phase="list").as_dict()
        self.numbers: dict[str, int] = {}

    def add(self, action: PlanLine, journal: Journal) -> None:
        """Take a line; ``journal`` gets it with the next block."""
        if action.action == "skip" and not action.detail:
            self._add_unchanged(action)
        else:
            self._add_other(action)
        if len(self._lines) >= _LINES_AT_ONCE:
            self.flush(journal)

    def _add_unchanged(self, action: PlanLine) -> None:
        """The same two lines as `_add_other` writes, spelled out: nearly all items of most syncs come this way."""
        outcome = self._unchanged | {
            "uri": action.uri,
            "key": action.key,
            "document_id": action.document_id,
            "bytes": action.size,
        }
        self._lines.append(encode_line(action.as_short_dict()))
        self._settled.append(encode_line(outcome))
        self._skipped += 1

    def _add_other(self, action: PlanLine) -> None:
        self._lines.append(encode_line(action.as_dict()))
        self.numbers[action.action] = self.numbers.get(action.action, 0) + 1
        outcome = settled_outcome(action, self._at)
        if outcome is None:
            return
        self._settled.append(encode_line(outcome.as_dict()))
        if outcome.outcome == "failed":
            self._job.outcomes.count([outcome])
        else:
            self._counts[outcome.outcome] = self._counts.get(outcome.outcome, 0) + 1
        if outcome.outcome == "rejected":
            ruleset = HELD if action.action == "hold" else self._ruleset
            self._rejected.append(_rejection(self._job, action, ruleset, self._at))

    @property
    def work(self) -> int:
        """How many lines say that there is something to do after planning."""
        return sum(number for name, number in self.numbers.items() if name not in _SETTLED_WHILE_PLANNING)

    def flush(self, journal: Journal) -> None:
        """Write what was gathered; a power cut may lose it until the plan is whole."""
        self._job.controls.checkpoint()
        journal.append_lines(b"".join(self._lines), durable=False)
        self._job.outcomes.append_lines(b"".join(self._settled), durable=False)
        self._lines.clear()
        self._settled.clear()
        self._job.manifest.counters.count("unchanged", self._skipped)
        self.numbers["skip"] = self.numbers.get("skip", 0) + self._skipped
        self._skipped = 0
        for name, number in self._counts.items():
            self._job.manifest.counters.count(name, number)
        self._counts.clear()

    def remember_rejections(self) -> None:
        """Let the catalogue know what the listing alone ruled out, so that `doc explain` can show it."""
        self._job.outcomes.sync()
        if not self._rejected:
            return
        catalogue = self._job.workspace.open_catalogue()
        try:
            with self._job.committing(catalogue) as writer:
                known = catalogue.locations(self._job.source.source_id, (row.key for row in self._rejected))
                change = StoreChange(at=rfc3339_now(), by=self._job.manifest.job_id)
                for row in self._rejected:
                    change.put_location(_as_known(row, known.get(row.key)))
                writer.carry_out(change)
        finally:
            catalogue.close()


def settled_outcome(line: PlanLine, at: str) -> Outcome | None:
    """Return the outcome that follows from the plan alone; None for an item that is still to be worked on.

    What is held though it is listed was refused.
    """
    is_refused = line.action == "hold" and line.refusal
    name = "rejected" if is_refused else _SETTLED_WHILE_PLANNING.get(line.action)
    if name is None:
        return None
    return Outcome(
        line.uri,
        line.key,
        name,
        line.refusal or line.reason,
        at,
        line.detail,
        _QUARANTINE_HINT if line.action == "quarantine" else "",
        document_id=line.document_id,
        bytes=line.size,
        phase="list",
    )


def _as_known(row: KnownPlace, known: KnownPlace | None) -> KnownPlace:
    """Return a rejection of an item that is known: its document stays with it, and under what it was refused first."""
    if known is None:
        return row
    was_refused_so = (known.outcome, known.reason) == (row.outcome, row.reason)
    return row._replace(
        document_id=known.document_id,
        version=known.version,
        removed_sha256=known.removed_sha256,
        removed_content_hash=known.removed_content_hash,
        ruleset=known.ruleset if was_refused_so and row.ruleset != HELD else row.ruleset,
    )


def _rejection(job: JobContext, action: PlanLine, ruleset: str, at: str) -> KnownPlace:
    return KnownPlace(
        job.source.source_id,
        action.key,
        action.uri,
        job.source.collection_id,
        None,
        action.fingerprint,
        action.size,
        action.modified_ns,
        "rejected",
        action.refusal or action.reason,
        action.detail,
        ruleset,
        job.manifest.job_id,
        at,
        None,
    )
