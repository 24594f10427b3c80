"""What the server shows: spaces with pages and posts, what is attached to them, and what people write below."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass, field

from tests.graph_server.state import State

TOKEN = "planted-confluence-token"


@dataclass
class Entry:
    """A page, blog post, comment or attachment; ``versions`` are its contents, the newest last."""

    entry_id: str
    kind: str
    title: str
    container: str
    """The space of a page, else the page."""
    versions: list[bytes]
    parent: str = ""
    is_inline: bool = False
    readers: list[str] = field(default_factory=list)
    status: int = 200
    """What asking for it, or for what belongs to it, is answered with."""

    @property
    def version(self) -> int:
        return len(self.versions)

    @property
    def content(self) -> bytes:
        return self.versions[-1]


@dataclass
class SpaceEntry:
    """A space."""

    space_id: str
    key: str
    name: str


class ConfluenceState(State):
    """The other side, whole."""

    def __init__(self, *, is_cloud: bool) -> None:
        super().__init__()
        self.is_cloud = is_cloud
        self.spaces: dict[str, SpaceEntry] = {}
        self.entries: dict[str, Entry] = {}
        self._by_place: dict[tuple[str, str], list[Entry]] = {}
        self.people = {"abc": "Ann Example"}
        self.token = TOKEN
        self.media_url = ""
        self.largest_part = 100
        self._numbers = itertools.count(1001)

    def space(self, key: str, name: str = "") -> SpaceEntry:
        """Return a space, made when it is not there."""
        if key not in self.spaces:
            self.spaces[key] = SpaceEntry(str(next(self._numbers)), key, name or key)
        return self.spaces[key]

    def page(self, space: str, title: str, text: str = "", *, kind: str = "pages", parent: str = "") -> Entry:
        """Make a page or post."""
        self.space(space)
        return self._add(kind, title, space, text.encode(), parent)

    def comment(self, page: Entry, text: str, *, parent: str = "", is_inline: bool = False) -> Entry:
        """Write below a page, or an answer to what is written there."""
        made = self._add("comments", "", page.entry_id, text.encode(), parent)
        made.is_inline = is_inline
        return made

    def attach(self, page: Entry, title: str, content: bytes) -> Entry:
        """Attach a file, or a new version of one."""
        found = self.attachment(page, title)
        if found is not None:
            found.versions.append(content)
            return found
        return self._add("attachments", title, page.entry_id, content, "")

    def attachment(self, page: Entry, title: str) -> Entry | None:
        """Return a file of a page."""
        return next((one for one in self.of(page.entry_id, "attachments") if one.title == title), None)

    def of(self, container: str, kind: str) -> list[Entry]:
        """Return what is in a space or belongs to a page, by id; not to be changed."""
        return self._by_place.get((container, kind), [])

    def remove(self, entry: Entry) -> None:
        """Delete something with all that belongs to it."""
        for one in [one for one in self.entries.values() if one.container == entry.entry_id]:
            self.remove(one)
        if self.entries.pop(entry.entry_id, None) is not None:
            self._by_place[entry.container, entry.kind].remove(entry)

    def move(self, entry: Entry, container: str) -> None:
        """Let something belong to another page."""
        self._by_place[entry.container, entry.kind].remove(entry)
        entry.container = container
        self._place(entry)

    def _place(self, entry: Entry) -> None:
        place = self._by_place.setdefault((entry.container, entry.kind), [])
        bisect.insort(place, entry, key=lambda one: int(one.entry_id.removeprefix("att")))

    def _add(self, kind: str, title: str, container: str, content: bytes, parent: str) -> Entry:
        number = str(next(self._numbers))
        entry = Entry(f"att{number}" if kind == "attachments" else number, kind, title, container, [content], parent)
        self.entries[entry.entry_id] = entry
        self._place(entry)
        return entry
