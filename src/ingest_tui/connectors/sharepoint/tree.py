"""From the mirror of a drive to descriptors: paths come from the chain of parents, because Graph does not give them.

A renamed folder is reported alone, without what is in it. So the folders are held in memory and the files stream past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest_tui.connectors.filtering import PathFilter
from ingest_tui.connectors.sharepoint.items import DriveItem, describe, quoted_path
from ingest_tui.connectors.sharepoint.mirror import DriveMirror
from ingest_tui.connectors.sharepoint.site import Library, LibraryFolder
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.keys import bytes_from_key, key_from_bytes

_DEEPEST = 1000
"""Folders below each other; SharePoint allows paths of 400 characters. Ends a chain that runs in circles."""

FindFolder = Callable[[str], DriveItem | None]
"""Looks up a folder that the mirror does not know; None when it is gone, an exception when that is not known."""


class FolderPath(NamedTuple):
    """Where a folder is: its path within the drive (empty for the root), or why what is in it is not listed."""

    path: str
    status: str
    """``here``, ``gone`` (deleted, or part of a package), or ``unknown``: its id, or that of a parent, is not known."""

    missing: str = ""
    """The id that is not known."""


_ROOT = FolderPath("", "here")
_GONE = FolderPath("", "gone")


class FolderTree:
    """The folders of one drive."""

    def __init__(self) -> None:
        self._folders: dict[str, DriveItem] = {}
        self._places: dict[str, FolderPath] = {}

    def add(self, folder_id: str, item: DriveItem) -> None:
        """Add a folder, or what is known of it now. Places derived before it are forgotten."""
        self._folders[folder_id] = item
        self._places.clear()

    def place(self, folder_id: str) -> FolderPath:
        """Return where a folder is."""
        known = self._places.get(folder_id)
        if known is not None:
            return known
        chain: list[str] = []
        current = folder_id
        place: FolderPath | None = None
        while place is None:
            place = self._places.get(current) or self._end_of_chain(current, len(chain))
            if place is None:
                chain.append(current)
                current = self._folders[current].parent_id
        for descendant in reversed(chain):
            if place.status == "here":
                name = self._folders[descendant].name
                place = FolderPath(f"{place.path}/{name}" if place.path else name, "here")
            self._places[descendant] = place
        return place

    def _end_of_chain(self, folder_id: str, depth: int) -> FolderPath | None:
        folder = self._folders.get(folder_id)
        if folder is None:
            return FolderPath("", "unknown", folder_id)
        if folder.kind == "root":
            return _ROOT
        if folder.kind in {"gone", "package"} or depth > _DEEPEST:
            return _GONE
        return None


class DriveListing:
    """Yields the descriptors of one drive from its mirror.

    ``orphans`` counts the items whose folder could be neither found nor proven gone: with any, the listing is not
    complete.
    """

    def __init__(
        self,
        library: Library,
        mirror: DriveMirror,
        find_folder: FindFolder,
        *,
        folder: LibraryFolder | None,
        path_filter: PathFilter,
        max_size: int | None,
    ) -> None:
        self._library = library
        self._mirror = mirror
        self._find_folder = find_folder
        self._folder = folder
        self._filter = path_filter
        self._max_size = max_size
        self._tree = FolderTree()
        self._entered: dict[str, bool] = {}
        self._unfindable: set[str] = set()
        self._seen: set[int] = set()
        self._scope: str | None = None
        self.orphans = 0

    def items(self) -> Iterator[tuple[Descriptor, DriveItem]]:
        """Yield each item that is not a folder and is to be listed, ordered by id, packages first."""
        packages: list[tuple[str, DriveItem]] = []
        for item_id, item in self._mirror.folders():
            self._tree.add(item_id, item)
            if item.kind == "package":
                packages.append((item_id, item))
        if self._folder is not None:
            place = self._place_of(self._folder.item_id)
            if place is None or place.status != "here":
                self.orphans += 1
                return
            self._scope = place.path
        for item_id, item in packages:
            yield from self._listed(item_id, item)
        for item_id, item in self._mirror.files():
            yield from self._listed(item_id, item)

    def _listed(self, item_id: str, item: DriveItem) -> Iterator[tuple[Descriptor, DriveItem]]:
        place = self._place_of(item.parent_id)
        if place is None:
            self.orphans += 1
        elif place.status == "here" and self._is_in_scope(place.path):
            path = f"{place.path}/{item.name}" if place.path else item.name
            if self._enters(place.path) and self._filter.takes(bytes_from_key(self.key_of(path))):
                path = self._apart(path, item_id)
                uri = f"{self._library.web_url}/{quoted_path(path)}"
                key = self.key_of(path)
                yield describe(item, self._library.drive_id, item_id, key, uri, self._max_size), item

    def key_of(self, path: str) -> str:
        """Return the key of a path within the library."""
        return key_from_bytes(f"{self._library.name}/{path}".encode("utf-8", "surrogatepass"))

    def _place_of(self, folder_id: str) -> FolderPath | None:
        """Return where a folder is, looking up what the mirror does not know; None when that is not known."""
        for _ in range(_DEEPEST):
            place = self._tree.place(folder_id)
            if place.status != "unknown":
                return place
            if place.missing in self._unfindable:
                return None
            found = self._find_folder(place.missing)
            if found is None:
                self._unfindable.add(place.missing)
                return None
            self._mirror.note_folder(place.missing, found)
            self._tree.add(place.missing, found)
        return None

    def _is_in_scope(self, folder_path: str) -> bool:
        scope = self._scope
        return scope is None or folder_path == scope or folder_path.startswith(f"{scope}/")

    def _enters(self, folder_path: str) -> bool:
        """Whether no folder on the way is excluded: what is in an excluded one cannot be included again."""
        known = self._entered.get(folder_path)
        if known is None:
            parent = folder_path.rpartition("/")[0]
            above = self._enters(parent) if folder_path else True
            known = above and self._filter.enters(bytes_from_key(self.key_of(folder_path).rstrip("/")))
            self._entered[folder_path] = known
        return known

    def _apart(self, path: str, item_id: str) -> str:
        """Give a second item at the same path a name of its own. Only hashes of paths are kept: little memory."""
        while hash(path) in self._seen:
            head, dot, extension = path.rpartition(".")
            short = item_id[-8:]
            path = f"{head} ({short}){dot}{extension}" if dot and "/" not in extension else f"{path} ({short})"
        self._seen.add(hash(path))
        return path
