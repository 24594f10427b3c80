"""outcomes.jsonl of an ended job against the counters of its manifest: a line that is lost whole breaks no CRC."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ingest_tui.model.job import Manifest
from ingest_tui.model.job_counters import MemberCounters
from ingest_tui.model.outcome import COUNTER_OF
from ingest_tui.store.records.journal import decode_line


class OutcomeLines(NamedTuple):
    """The lines of a journal: how many cannot be read, and how many name each outcome, of items and of members."""

    damaged: int
    items: Counter[str]
    members: Counter[str]


def read_outcome_lines(path: Path) -> OutcomeLines:
    """Read a journal of outcomes once; one that is missing has no lines, and a line without its end is none."""
    damaged, items, members = 0, Counter[str](), Counter[str]()
    if not path.exists():
        return OutcomeLines(damaged, items, members)
    with path.open("rb") as lines:
        for line in lines:
            if not line.strip() or not line.endswith(b"\n"):
                continue
            record = decode_line(line)
            if record is None:
                damaged += 1
            else:
                (items if record.get("parent") is None else members)[str(record.get("outcome"))] += 1
    return OutcomeLines(damaged, items, members)


def outcomes_without_line(manifest: Manifest, lines: OutcomeLines) -> int:
    """Return how many outcomes a manifest counts beyond the lines, those that cannot be read among them.

    Jobs that work on a collection write none for what they leave as it is. More lines than are counted are no loss: an
    attempt that was interrupted may have written one twice.
    """
    counters, members = manifest.counters, manifest.counters.members
    expected = {outcome: int(getattr(counters, name)) for outcome, name in COUNTER_OF.items()}
    if manifest.works_on_collection:
        del expected["unchanged"]
    of_items = sum(max(number - lines.items[outcome], 0) for outcome, number in expected.items())
    counted = {outcome: int(getattr(members, outcome)) for outcome in MemberCounters.model_fields}
    of_members = sum(max(number - lines.members[outcome], 0) for outcome, number in counted.items())
    return of_items + of_members
