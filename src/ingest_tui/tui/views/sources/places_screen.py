"""A tree of the places that a source can be: folders, buckets, libraries. What is in one is asked for when it opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.dialogs.table_dialog import SLICE, TableDialog
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.services.sources.sources import Place

_GLYPHS = {"closed": "▸ ", "open": "▾ ", "reading": "… ", "failed": "! "}


@dataclass(slots=True)
class Branch:
    """A place in the tree. ``state``: ``closed``, ``reading``, ``open`` or ``failed``; an item has none."""

    place: Place
    depth: int
    state: str = ""
    inner: list[Branch] = field(default_factory=list)

    @property
    def is_folder(self) -> bool:
        """Whether there may be something in it."""
        return self.place.kind == "folder"

    def flat(self) -> Iterator[Branch]:
        """Yield it and what is shown below it."""
        yield self
        if self.state in {"open", "reading"}:
            for branch in self.inner:
                yield from branch.flat()


class Places(TableDialog):
    """Lets a person choose a place; returns its path, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # The arrows belong to the list otherwise, which would scroll.
        Binding("right", "unfold", "look into it", id="places.right", priority=True),
        Binding("left", "fold", "close it", id="places.left", priority=True),
        Binding("l,space", "unfold", "look into it", id="places.unfold"),
        Binding("h", "fold", "close it", id="places.fold"),
        Binding("t", "take", "take it", id="places.take"),
    ]
    keys: ClassVar[str] = "t take this folder  enter look into  ← close  / filter  esc back"

    def __init__(self, client: Client, source_type: str, config: dict[str, Any]) -> None:
        super().__init__(f"Choose a place for the {source_type} source")
        self._client = client
        self._type = source_type
        self._config = config
        self._top: list[Branch] = []
        self._paths_being_read: set[str] = set()

    @property
    def is_loading(self) -> bool:
        """Whether a folder that was opened is being read: what is typed then is meant for what is in it."""
        return bool(self._paths_being_read) or super().is_loading

    def stop_loading(self) -> None:
        """Wait no longer; where there is nothing to be seen yet, close."""
        super().stop_loading()
        self._paths_being_read.clear()
        if not self._top:
            self.dismiss(None)

    def columns(self) -> Sequence[Column[Branch]]:
        """Name, size and age."""

        def name(branch: Branch) -> Cell:
            glyph = _GLYPHS.get(branch.state, "  ")
            ending = "/" if branch.is_folder else ""
            return Cell(f"{'  ' * branch.depth}{glyph}{branch.place.name}{ending}", "" if branch.is_folder else "quiet")

        return [
            Column("name", "NAME", 0, name),
            Column("size", "SIZE", 10, lambda branch: Cell(_size(branch), "quiet"), right=True),
        ]

    def key_of(self, row: Branch) -> str:
        """The path, and the name: the place above has the path of another."""
        return f"{row.place.path}\0{row.place.name}\0{row.depth}"

    def begin(self) -> None:
        """Ask for what is at the top."""
        self._read(None, "")

    def _read(self, branch: Branch | None, path: str) -> None:
        client, source_type, config = self._client, self._type, self._config
        inner: list[Branch] = []
        depth = 0 if branch is None else branch.depth + 1
        if branch is None:
            self._top = inner
        else:
            branch.inner, branch.state = inner, "reading"
        self.say("looking …")
        self._paths_being_read.add(path)

        def take(places: list[Place] | None) -> None:
            if places is None:
                self._paths_being_read.discard(path)
                if branch is not None:
                    branch.state = "open"
                self.show_rows()
                self.say(self._count(inner))
                return
            for place in places:
                if _is_above(place) and depth:
                    continue
                inner.append(Branch(place, depth, "closed" if place.kind == "folder" else ""))
            if len(inner) >= SLICE:  # enough to go on with
                self._paths_being_read.discard(path)
            self.show_rows()

        def failed(message: str, hint: str) -> None:
            self._paths_being_read.discard(path)
            if branch is not None:
                branch.state = "failed"
            self.show_rows()
            self.say_failure(message, hint)

        work = partial(client.sources.places, source_type, config, path)
        self.ask_slices(work, take, group=f"place {path}", otherwise=failed)

    @staticmethod
    def _count(branches: list[Branch]) -> str:
        folders = sum(branch.is_folder for branch in branches)
        items = len(branches) - folders
        return f"{wording.plural(folders, 'folder')}, {wording.plural(items, 'item')}" if branches else "nothing here"

    def show_rows(self) -> None:
        """Show what is unfolded, as far as it passes the filter."""
        rows = [row for branch in self._top for row in branch.flat()]
        self.show_passing(rows, lambda row: row.place.name, ["nothing here"])

    # Keys

    def _leave_it_to_the_filter(self) -> None:
        if isinstance(self.focused, Input):
            raise SkipAction

    def action_unfold(self) -> None:
        """Look into a folder, at all that is in it: the filter was for what is around it. The one above is the top."""
        self._leave_it_to_the_filter()
        branch: Branch | None = self.table.current
        if branch is None or not branch.is_folder:
            return
        if _is_above(branch.place):
            self.drop_filter()
            self._read(None, branch.place.path)
            self.table.move_to_end(first=True)
        elif branch.state in {"closed", "failed"}:
            self.drop_filter()
            self._read(branch, branch.place.path)

    def action_fold(self) -> None:
        """Close a folder, else go to the one that this is in."""
        self._leave_it_to_the_filter()
        branch: Branch | None = self.table.current
        if branch is None:
            return
        if branch.state in {"open", "reading"}:
            branch.state, branch.inner = "closed", []
            self.show_rows()
            return
        for position in range(self.table.cursor - 1, -1, -1):
            if self.table.rows[position].depth < branch.depth:
                self.table.move(position - self.table.cursor)
                return

    def action_open(self) -> None:
        """Go into the folder under the cursor, or close it again."""
        branch: Branch | None = self.table.current
        if branch is not None and branch.state in {"open", "reading"}:
            self.action_fold()
        elif branch is not None and branch.is_folder:
            self.action_unfold()
        else:
            self.action_take()

    def action_take(self) -> None:
        """Take the folder under the cursor."""
        branch: Branch | None = self.table.current
        if branch is None:
            return
        if branch.is_folder:
            self.dismiss(branch.place.path)
        else:
            self.say("this is an item: a folder can be taken; include patterns choose items", bad=True)


def _size(branch: Branch) -> str:
    return "" if branch.place.size is None or branch.is_folder else wording.size(branch.place.size)


def _is_above(place: Place) -> bool:
    from ingest_tui.services.sources.sources import ABOVE

    return place.name == ABOVE
