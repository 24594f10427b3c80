"""The outcomes of a job as a list shows them: gathered as they are read, filtered and put in order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ingest_tui.model.outcome import OUTCOME_NAMES, Outcome
from ingest_tui.model.reasons import PROBLEM_OUTCOMES
from ingest_tui.tui import wording
from ingest_tui.tui.widgets.columns import Cell, Column

MOST_OUTCOMES = 100_000
SORTS = {"problems first": "Problems first", "newest": "Newest first", "name": "By name", "slowest": "Slowest first"}
_PROBLEMS = {name: number for number, name in enumerate(PROBLEM_OUTCOMES)}


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """An outcome and its number within the job, which is its key in the table."""

    number: int
    outcome: Outcome

    @property
    def key(self) -> str:
        """The key of the row."""
        return str(self.number)


class Only(NamedTuple):
    """Which outcomes are shown: of one kind, and of one reason; empty for all."""

    outcome: str = ""
    reason: str = ""

    def takes(self, outcome: Outcome) -> bool:
        """Tell whether an outcome is shown."""
        return self.outcome in {"", outcome.outcome} and self.reason in {"", outcome.reason}

    @property
    def words(self) -> str:
        """How it reads: ``only failed (timeout)``; nothing for all."""
        return f"only {self.outcome}{f' ({self.reason})' if self.reason else ''}" if self.outcome else ""


class JobItems:
    """The outcomes of a job as far as they are read. Of those that went well only so many are kept."""

    def __init__(self) -> None:
        self.rows: list[OutcomeRow] = []
        self.numbers: Counter[str] = Counter()
        self.left_out = 0

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take in what was read."""
        for outcome in outcomes:
            self.numbers[outcome.outcome] += 1
            if len(self.rows) < MOST_OUTCOMES or outcome.outcome in _PROBLEMS:
                self.rows.append(OutcomeRow(len(self.rows), outcome))
            else:
                self.left_out += 1

    def choices(self) -> list[tuple[str, str]]:
        """Return the outcomes there are with their numbers, for a chooser; the first one stands for all."""
        there = [(name, f"{wording.state_word(name)}  {self.numbers[name]:,}") for name in OUTCOME_NAMES]
        return [("", f"all  {sum(self.numbers.values()):,}"), *(one for one in there if self.numbers[one[0]])]


def arrange(
    rows: Sequence[OutcomeRow],
    only: Only,
    *,
    passes: Callable[[str], bool] | None,
    sort: str,
    backwards: bool,
) -> list[OutcomeRow]:
    """Return the rows to show, in their order. Called in a thread: a hundred thousand take a tenth of a second."""
    shown = [row for row in rows if only.takes(row.outcome) and (passes is None or passes(searchable(row.outcome)))]
    if sort == "problems first":
        problems = [row for row in shown if row.outcome.outcome in _PROBLEMS]
        problems.sort(key=lambda row: _PROBLEMS[row.outcome.outcome])
        shown = problems + [row for row in shown if row.outcome.outcome not in _PROBLEMS]
    elif sort == "newest":
        shown.reverse()
    elif sort == "name":
        shown.sort(key=lambda row: row.outcome.key)
    else:
        shown.sort(key=lambda row: -(row.outcome.milliseconds or 0))
    if backwards:
        shown.reverse()
    return shown


def searchable(outcome: Outcome) -> str:
    """Return what the filter looks into."""
    return f"{outcome.key} {outcome.outcome} {outcome.reason} {outcome.detail}".lower()


def _name(row: OutcomeRow) -> Cell:
    return Cell(row.outcome.key or row.outcome.uri)


def _outcome(row: OutcomeRow) -> Cell:
    return Cell(wording.state_word(row.outcome.outcome), wording.tone(row.outcome.outcome))


OUTCOME_COLUMNS: list[Column[OutcomeRow]] = [
    Column("name", "DOCUMENT", 0, _name, is_path=True),
    Column("outcome", "OUTCOME", 11, _outcome),
    Column("reason", "REASON", 16, lambda row: Cell(row.outcome.reason), from_width=50),
    Column("detail", "DETAIL", 0, lambda row: Cell(row.outcome.detail, "quiet"), from_width=100),
    Column("size", "SIZE", 9, lambda row: Cell(wording.size(row.outcome.bytes)), from_width=70, right=True),
    Column("ms", "MS", 6, lambda row: Cell(str(row.outcome.milliseconds or "-")), from_width=78, right=True),
]
