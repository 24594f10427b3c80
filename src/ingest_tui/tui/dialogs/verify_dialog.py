"""`verify` over a view: what is looked at, what is not as it must be, and the repair of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from ingest_tui.model.counted import counted
from ingest_tui.model.inconsistency import Inconsistency, Remedy
from ingest_tui.services.client import Client
from ingest_tui.services.verify.repair import Repaired
from ingest_tui.services.verify.verify import VerifyProgress, VerifyScope
from ingest_tui.tui.background.messages import Answered
from ingest_tui.tui.dialogs.table_dialog import TableDialog
from ingest_tui.tui.widgets.columns import Cell, Column

_SHOWN_EVERY_SECONDS = 0.25
_CONSEQUENCE = (
    "What can be made again is made again; damaged files go to quarantine/. No only copy is deleted. "
    "It is written to the audit."
)
VerifyRow = Inconsistency | Repaired


class VerifyDialog(TableDialog):
    """Looks at everything at once when it opens; ``R`` repairs what was found, ``h`` hashes every file, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "deep", "hash all", id="verify.deep"),
        Binding("R", "repair", "repair", id="verify.repair"),
    ]

    def __init__(self, client: Client) -> None:
        super().__init__("Verify: everything of the workspace against everything")
        self._client = client
        self._findings: list[VerifyRow] = []
        self._scope = VerifyScope()
        """What was looked at last; a repair looks at the same."""
        self._runs = False
        self._ended = ""
        """What is said of the run that has ended."""

    def columns(self) -> Sequence[Column[VerifyRow]]:
        """Where, what it is about, what is wrong, and what a repair does or has done."""
        return [
            Column("part", "PART", 12, lambda one: Cell(_part(one), "good" if isinstance(one, Repaired) else "bad")),
            Column("subject", "ABOUT", 0, lambda one: Cell(one.subject or "workspace"), is_path=True),
            Column("what", "WHAT", 0, lambda one: Cell(_what(one)), share=2),
            Column("repair", "A REPAIR", 22, _remedy, from_width=76),
        ]

    def key_of(self, row: VerifyRow) -> str:
        """What was found, or done."""
        if isinstance(row, Repaired):
            return f"{row.subject} {row.done}"
        return "\0".join(map(str, (*row.identity, row.message)))

    def begin(self) -> None:
        """Look at everything but the contents of files."""
        self._verify(deep=False)

    def action_deep(self) -> None:
        """Look again, and hash every file and text."""
        if self._runs:
            self._say_that_it_runs("h hashes every file")
        else:
            self._verify(deep=True)

    def _say_that_it_runs(self, then: str) -> None:
        self.show_notice(f"not yet: this still runs; {then} once it has ended")

    def _verify(self, *, deep: bool) -> None:
        self._scope = VerifyScope(deep=deep)
        self._run(partial(self._client.maintenance.verify, self._scope), "hashing" if deep else "looking at")

    def action_repair(self) -> None:
        """Ask, then repair what can be repaired and show what was done, and what is left."""
        from ingest_tui.tui.dialogs.dialogs import Confirm

        left = [one for one in self._findings if isinstance(one, Inconsistency)]
        if self._client.read_only:
            self.show_notice("not done: repair", "this screen was opened with --read-only")
            return
        if self._runs:
            self._say_that_it_runs("R repairs what is found")
            return
        if not left:
            self.show_notice("nothing to repair")
            return
        repair = partial(self._client.maintenance.repair, self._scope)

        def answered(agreed: bool | None) -> None:
            if agreed:
                self._run(repair, "repairing:", group=None)

        names = [f"{one.subject or 'workspace'}: {one.message}" for one in left[:9]]
        question = f"Repair {counted(len(left), 'finding')}?"
        self.app.push_screen(Confirm(question, names, "Repair", consequence=_CONSEQUENCE), answered)

    def _run(
        self, work: Callable[[VerifyProgress], Iterable[VerifyRow]], doing: str, *, group: str | None = "rows"
    ) -> None:
        self._findings, self._runs, self._ended = [], True, ""
        self.say_keys("/ filter  esc back")
        self.say(f"{doing} everything …")
        self.show_rows()
        self.ask_slices(lambda: work(self._progress(doing)), self._take, group=group)

    def _progress(self, doing: str) -> VerifyProgress:
        """Return what the thread calls: it says a few times a second what is looked at."""
        shown, shown_at = "", 0.0

        def report(what: str, done: int, total: int) -> None:
            nonlocal shown, shown_at
            if what != shown or time.monotonic() - shown_at >= _SHOWN_EVERY_SECONDS:
                shown, shown_at = what, time.monotonic()
                number = f"  {done:,}{f' of {total:,}' if total else ''}" if done else ""
                self.post_message(Answered(self._say_progress, f"{doing} {what}{number}"))

        return report

    def _say_progress(self, text: str) -> None:
        if self._runs:
            self.say(text)

    def _take(self, found: list[Any] | None) -> None:
        if found is not None:
            self._findings += found
        else:
            self._end(self._summary())
        self.show_rows()

    def _end(self, said: str, *, bad: bool = False) -> None:
        self._runs, self._ended = False, said
        left = any(isinstance(one, Inconsistency) for one in self._findings)
        repair = "R repair  " if left and not self._client.read_only else ""
        self.say(said, bad=bad)
        self.say_keys(f"{repair}h hash every file  / filter  esc back")

    def _summary(self) -> str:
        left = sum(isinstance(one, Inconsistency) for one in self._findings)
        done = len(self._findings) - left
        repaired = f"{counted(done, 'repair')} done; " if done else ""
        return f"{repaired}{counted(left, 'finding')}" if left else f"{repaired}all is as it must be"

    def say_failure(self, message: str, hint: str) -> None:
        """Say what went wrong, and leave it there."""
        self._end(f"! {message}{f'; {hint}' if hint else ''}", bad=True)
        self.show_rows()

    def show_rows(self) -> None:
        """Show the findings that pass the filter."""
        self.show_passing(self._findings, _searchable, ["looking … esc goes back" if self._runs else self._ended])


def _part(one: VerifyRow) -> str:
    return "repaired" if isinstance(one, Repaired) else one.kind.part.value


def _what(one: VerifyRow) -> str:
    return one.done if isinstance(one, Repaired) else one.message


def _remedy(one: VerifyRow) -> Cell:
    if isinstance(one, Repaired):
        return Cell("")
    return Cell(one.remedy.value, "warn" if one.remedy in {Remedy.PERSON, Remedy.SOURCE} else "quiet")


def _searchable(one: VerifyRow) -> str:
    return f"{_part(one)} {one.subject} {_what(one)}"
