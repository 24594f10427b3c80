"""What a sync of a source would do, and why: grouped by action and reason, down to the single items."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from ingest_tui.model.counted import counted
from ingest_tui.model.volumes import gap_name
from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.dialogs.table_dialog import TableDialog
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.model.plan_line import PlanLine

MOST_ITEMS = 20_000
_ORDER = ("gap", "ingest", "move", "retire", "hold", "reject", "quarantine", "keep", "forget", "skip")
_GLYPHS = {
    "ingest": "+",
    "move": ">",
    "retire": "-",
    "hold": "?",
    "reject": "x",
    "quarantine": "!",
    "gap": "!",
    "skip": "=",
}
_TONES = {
    "ingest": "good",
    "move": "running",
    "retire": "warn",
    "hold": "bad",
    "reject": "warn",
    "quarantine": "bad",
    "gap": "bad",
}
_WORDS = {
    "new": "not here yet",
    "changed": "changed since the last sync",
    "retry": "failed last time, is tried again",
    "failed_before": "failed last time, and nothing has changed since",
    "rules_changed": "was left out under other settings",
    "restored": "was in an archive, can be read now",
    "same_fingerprint": "unchanged",
    "unsettled": "changed a moment ago, taken once it is quiet",
    "renamed": "is here already, under another name",
    "not_listed": "the source has it no more",
    "mass_deletion": "gone, but too many at once: waits for approval",
    "empty_listing": "the source is empty all at once: waits for approval",
    "choice_changed": "gone, but what the source takes was changed: waits for approval",
    "choice_unknown": "gone, but no earlier look is known: waits for approval",
    "excluded": "the settings leave it out now: waits for approval",
    "too_large": "larger than the source takes",
    "too_old": "older than the source takes",
    "type_not_allowed": "of a type that the source does not take",
    "unsupported_type": "of a type that nothing here can read",
    "not_looked_into": "cannot be looked into: nothing is retired",
    "forced": "read again on request",
}


@dataclass(slots=True)
class Group:
    """Items with the same action for the same reason; ``items`` are the first of them."""

    action: str
    reason: str
    number: int = 0
    size: int = 0
    items: list[PlanLine] = field(default_factory=list)


class Plan(TableDialog):
    """The groups, and after each its items. Returns ``sync`` when a person wants that."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "sync", "sync now", id="plan.sync")]
    keys: ClassVar[str] = "enter its items  s sync now  / filter  esc back"

    def __init__(self, client: Client, source_id: str, *, guide: str = "") -> None:
        super().__init__(f"{guide}What a sync of {source_id} would do; nothing is fetched")
        self._client = client
        self._source_id = source_id
        self._groups: dict[tuple[str, str], Group] = {}
        self._open: Group | None = None
        self._done = False
        self._failure = False
        self._since = time.monotonic()

    def columns(self) -> Sequence[Column[Any]]:
        """Of the groups: how many, what, why."""
        return [
            Column("number", "ITEMS", 9, lambda group: Cell(f"{group.number:,}"), right=True),
            Column("action", "WHAT", 12, lambda group: Cell(_action(group.action), _TONES.get(group.action, "quiet"))),
            Column("reason", "WHY", 0, lambda group: Cell(_reason(group.reason))),
            Column(
                "size", "SIZE", 10, lambda group: Cell(wording.size(group.size), "quiet"), right=True, from_width=70
            ),
        ]

    def _item_columns(self) -> Sequence[Column[Any]]:
        return [
            Column("item", "ITEM", 0, lambda action: Cell(action.key or gap_name("")), is_path=True),
            Column("size", "SIZE", 10, lambda action: Cell(wording.size(action.size), "quiet"), right=True),
            Column("detail", "WHY", 0, lambda action: Cell(action.detail or _reason(action.reason), "quiet")),
        ]

    def key_of(self, row: Any) -> str:
        """A group by what it is, an item by its key."""
        return f"{row.action}/{row.reason}" if isinstance(row, Group) else str(row.key)

    def begin(self) -> None:
        """Ask for the plan; the source is listed first, which may take its time."""
        client, source_id = self._client, self._source_id
        self._tick()
        self.set_interval(1.0, self._tick)
        self.table.show([], empty=["listing the source … esc goes back"])
        self.ask_slices(lambda: client.sources.plan(source_id), self._take)

    def _tick(self) -> None:
        if not self._done and not self._groups:
            self.say(f"listing the source … {wording.duration(time.monotonic() - self._since)}")

    def _take(self, actions: list[PlanLine] | None) -> None:
        if actions is None:
            self._done = True
        for action in actions or ():
            group = self._groups.setdefault((action.action, action.reason), Group(action.action, action.reason))
            group.number += 1
            group.size += action.size or 0
            if len(group.items) < MOST_ITEMS:
                group.items.append(action)
        self.show_rows()

    def show_rows(self) -> None:
        """Show the groups, or the items of the open one."""
        if self._open is None:
            empty = "nothing to do: the source is empty" if self._done else "listing the source … esc goes back"
            groups = sorted(self._groups.values(), key=lambda group: (_rank(group.action), -group.number))
            self.show_passing(groups, lambda group: f"{group.action} {group.reason} {_reason(group.reason)}", [empty])
        else:
            self.show_passing(self._open.items, lambda item: f"{item.key} {item.detail}", [])
        if not self._failure and (self._done or self._groups):
            self.say(self._summary())

    def _summary(self) -> str:
        if self._open is not None:
            kept, number = len(self._open.items), self._open.number
            return counted(number, "item") + (f", the first {kept:,} are shown" if kept < number else "")
        total = sum(group.number for group in self._groups.values())
        work = sum(group.number for group in self._groups.values() if group.action not in {"skip", "reject"})
        summary = f"{wording.plural(total, 'item')}, {work:,} to work on" if total else "the source is empty"
        return summary if self._done else f"{summary} …"

    def say_failure(self, message: str, hint: str) -> None:
        """Say what went wrong, and leave it there."""
        self._failure = self._done = True
        super().say_failure(message, hint)
        self.table.show([], empty=["the source cannot be listed", "", f"! {message}", f"  {hint}"])

    # Keys

    def action_open(self) -> None:
        """Show the items of the group under the cursor."""
        group = self.table.current
        if isinstance(group, Group):
            self._open = group
            self.drop_filter()
            self.say_title(f"{self._source_id}: {_action(group.action)[2:]}, {_reason(group.reason)}")
            self.table.set_columns(self._item_columns())
            self.show_rows()
            self.table.move_to_end(first=True)

    def go_back(self) -> None:
        """From the items to the groups, from the groups to the view."""
        if self._open is None:
            self.dismiss(None)
            return
        self._open = None
        self.say_title(self._title)
        self.table.set_columns(self.columns())
        self.show_rows()

    def action_sync(self) -> None:
        """Close, and sync."""
        self.dismiss("sync")


def _rank(action: str) -> int:
    return _ORDER.index(action) if action in _ORDER else len(_ORDER)


def _action(action: str) -> str:
    return f"{_GLYPHS.get(action, '-')} {action}"


def _reason(reason: str) -> str:
    return _WORDS.get(reason) or reason.replace("_", " ")
