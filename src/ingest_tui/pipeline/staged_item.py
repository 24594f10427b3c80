"""What is on its way through a job: an item, and the container that it is a member of or that it is."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.members import parent_of
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.plan import KILL_REASONS, KILLS_BEFORE_QUARANTINE, PERMANENT_FAILURES
from ingest_tui.model.plan_line import PlanLine

KEY_TAKEN = "key_taken"
"""The reason of an item whose key another in its source has: a file named like a member of an archive next to it."""


@dataclass(slots=True, eq=False)
class StagedItem:
    """An item on its way: its line of the plan, what was fetched of it, and what the parser made of it.

    ``weight`` are the bytes that progress counts: what the listing said, so that totals add up. ``error`` is set when
    it could not be fetched; ``result`` is None until it is parsed or when parsing was not needed because the bytes are
    already known. ``parent`` is the container that it is a member of, ``members`` is set once it is one itself.
    ``kills``: how often it killed its parser. ``outcome`` is set when it is committed, and ``is_news`` says whether
    that is not what was known of it before.
    """

    line: PlanLine
    item_id: str
    weight: int = 0
    raw_path: str = ""
    size: int = 0
    raw_sha256: str = ""
    error: ItemError | None = None
    result: ParseResult | None = None
    parent: OpenContainer | None = None
    members: OpenContainer | None = None
    kills: int = 0
    outcome: Outcome | None = None
    is_news: bool = False

    @property
    def key(self) -> str:
        """The key of the item in its source."""
        return self.line.key

    @property
    def file_name(self) -> str:
        """The name of the item as people know it."""
        return file_name_of(self.key, is_member=self.parent is not None)

    @property
    def parent_uri(self) -> str | None:
        """The address of the container that it is in."""
        return parent_of(self.line.uri) if self.parent is not None else None

    @property
    def has_members_to_take(self) -> bool:
        """Whether a parser has found a container, whose members were not taken yet."""
        is_container = self.result is not None and (self.result.status == "container" or self.result.members > 0)
        return is_container and self.members is None

    def now_is(self, descriptor: Descriptor) -> None:
        """Take note that the item has changed since it was listed: what is known of it is of the new one."""
        self.line = self.line._replace(
            fingerprint=descriptor.fingerprint,
            size=descriptor.size,
            modified_ns=descriptor.modified_ns,
            metadata=descriptor.metadata,
        )


@dataclass(slots=True)
class ListedTotals:
    """How many members a listed item has, those of containers within it too, and their bytes."""

    members: int = 0
    bytes: int = 0


@dataclass(slots=True, eq=False)
class OpenContainer:
    """A container whose members are being taken in; it is committed itself when the last of them is.

    ``depth`` counts the containers that it is in, itself too. ``paths`` are those of the members so far,
    ``last_numbers`` what makes them distinct. ``damage`` says why there may be members that nobody knows of.
    Two threads use it: one adds members, one commits them.
    """

    item: StagedItem
    depth: int
    totals: ListedTotals
    paths: set[str] = field(default_factory=set)
    last_numbers: dict[str, int] = field(default_factory=dict)
    damage: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    has_news: bool = False
    may_pass: bool = False
    """Whether a member failed in a way that another try may not, or waits for its key."""
    _left: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def listed_key(self) -> str:
        """The key of the listed item that it is in, or is."""
        return self.item.line.container or self.item.key

    def begin_member(self) -> None:
        """Count a member that is on its way."""
        with self._lock:
            self._left += 1

    def end_member(self, item: StagedItem) -> bool:
        """Take note of what became of a member; returns whether that was the last thing to wait for."""
        outcome = item.outcome
        if outcome is not None:
            self.note_outcome(outcome.outcome, is_news=item.is_news)
            is_lasting = outcome.reason in PERMANENT_FAILURES or (
                outcome.reason in KILL_REASONS and item.kills >= KILLS_BEFORE_QUARANTINE
            )
            self.may_pass |= outcome.reason == KEY_TAKEN or (outcome.outcome == "failed" and not is_lasting)
        return self.end()

    def note_outcome(self, outcome: str, *, is_news: bool) -> None:
        """Count an outcome of a member."""
        with self._lock:
            self.counts[outcome] += 1
            self.has_news |= is_news

    def end(self) -> bool:
        """Take note that one thing less is to be waited for; returns whether it was the last."""
        with self._lock:
            self._left -= 1
            return self._left == 0
