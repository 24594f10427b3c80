"""Sites, drives and items: the state that the endpoints show, and its changes in the order they happened."""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
import operator
from typing import Any

GENERATED = "generated"
_EPOCH_OF_ITEMS = 1_700_000_000


def quick_xor_hash(content: bytes) -> str:
    """Return the checksum from the definition, column by column: slow, and independent of the code under test."""
    block = 0
    for column in range(min(160, len(content))):
        block ^= functools.reduce(operator.xor, content[column::160]) << (column * 11 % 160)
    block = (block & ((1 << 160) - 1)) ^ (block >> 160)
    digest = bytearray(block.to_bytes(20, "little"))
    for position, byte in enumerate(len(content).to_bytes(8, "little")):
        digest[12 + position] ^= byte
    return base64.b64encode(bytes(digest)).decode()


class Item:
    """A file or folder. ``extra`` is laid over its JSON; ``status`` is what Graph answers instead of it."""

    def __init__(self, drive: Drive, name: str, parent_id: str | None, *, folder: bool, content: bytes = b"") -> None:
        number = drive.next_number()
        digest = hashlib.sha256(f"{drive.name}/{number}".encode())
        self.item_id = "01" + base64.b32encode(digest.digest()).decode()[:32]
        self.guid = str(digest.hexdigest())[:32].upper()
        self.name = name
        self.parent_id = parent_id
        self.folder = folder
        self.content: bytes | None = content
        self.revision = 1
        self.modified = _EPOCH_OF_ITEMS + number
        self.sequence = 0
        self.extra: dict[str, Any] = {}
        self.status: tuple[int, str] | None = None
        self._hash: tuple[int, str] | None = None

    def read(self) -> bytes:
        """Return the bytes; those of a generated item are made, not kept."""
        if self.content is None:
            return f"generated {self.item_id} {self.revision}".encode()
        return self.content

    @property
    def hash(self) -> str:
        """The checksum of the bytes."""
        if self._hash is None or self._hash[0] != self.revision:
            self._hash = (self.revision, quick_xor_hash(self.read()))
        return self._hash[1]

    @property
    def etag(self) -> str:
        """Changes with every change of the item."""
        return f'"{{{self.guid}}},{self.revision}"'


class Drive:
    """A document library."""

    def __init__(self, site: Site, name: str, url_name: str, *, drive_id: str | None = None) -> None:
        self.site = site
        self.name = name
        self.url_name = url_name
        self.drive_id = drive_id or "b!" + base64.urlsafe_b64encode(
            hashlib.sha256(f"{site.path}/{name}".encode()).digest()
        ).decode().rstrip("=")
        self.status: tuple[int, str] | None = None
        self.hidden = False
        self._numbers = itertools.count(1)
        self._sequence = 0
        self.items: dict[str, Item] = {}
        self.deleted: dict[str, tuple[int, bool]] = {}
        self.names: dict[str, dict[str, str]] = {}
        self.delta_sequences: dict[tuple[int, int, bool], list[tuple[str, str]]] = {}
        self.root = Item(self, "root", None, folder=True)
        self._add(self.root)

    def next_number(self) -> int:
        """Return the number of the next item."""
        return next(self._numbers)

    @property
    def sequence(self) -> int:
        """The number of the last change."""
        return self._sequence

    def _touch(self, item: Item) -> None:
        self._sequence += 1
        item.sequence = self._sequence
        item.modified += 1

    def _add(self, item: Item) -> Item:
        self.items[item.item_id] = item
        self.names.setdefault(item.parent_id or "", {})[item.name] = item.item_id
        if item.folder:
            self.names.setdefault(item.item_id, {})
        self._touch(item)
        return item

    # Finding

    def find(self, path: str) -> Item | None:
        """Return the item at a path; names ignore case."""
        current = self.root
        for segment in filter(None, path.split("/")):
            names = self.names.get(current.item_id, {})
            found = names.get(segment) or next(
                (i for n, i in names.items() if n.casefold() == segment.casefold()), None
            )
            if found is None:
                return None
            current = self.items[found]
        return current

    def at(self, path: str) -> Item:
        """Return the item at a path, which must be there."""
        item = self.find(path)
        assert item is not None, f"no {path} in {self.name}"
        return item

    def path_of(self, item: Item) -> str:
        """Return the path of an item."""
        parts: list[str] = []
        while item.parent_id is not None:
            parts.append(item.name)
            item = self.items[item.parent_id]
        return "/".join(reversed(parts))

    def children(self, folder_id: str) -> list[Item]:
        """Return what is directly in a folder, by name."""
        return [self.items[item_id] for _, item_id in sorted(self.names.get(folder_id, {}).items())]

    # Changing

    def make_folder(self, path: str) -> Item:
        """Make a folder and those above it; returns it."""
        current = self.root
        for segment in filter(None, path.split("/")):
            found = self.names[current.item_id].get(segment)
            current = self.items[found] if found else self._add(Item(self, segment, current.item_id, folder=True))
        return current

    def put(self, path: str, content: bytes) -> Item:
        """Make a file, or change it in place."""
        folder, _, name = path.rpartition("/")
        parent = self.make_folder(folder)
        found = self.names[parent.item_id].get(name)
        if found is None:
            return self._add(Item(self, name, parent.item_id, folder=False, content=content))
        item = self.items[found]
        item.content = content
        self.change(item)
        return item

    def put_apart(self, parent: Item, name: str, content: bytes) -> Item:
        """Make a second item of the same name, which the real one never has: a tree oddity."""
        item = Item(self, name, parent.item_id, folder=False, content=content)
        self.items[item.item_id] = item
        self._touch(item)
        return item

    def change(self, item: Item) -> None:
        """Note that an item has changed."""
        item.revision += 1
        self._touch(item)

    def rename(self, path: str, new_path: str) -> Item:
        """Rename or move an item; what is in a folder moves with it and is not told of."""
        item = self.at(path)
        folder, _, name = new_path.rpartition("/")
        parent = self.make_folder(folder)
        del self.names[item.parent_id or ""][item.name]
        item.name, item.parent_id = name, parent.item_id
        self.names[parent.item_id][name] = item.item_id
        self.change(item)
        return item

    def remove(self, path: str, *, tell_all: bool = False) -> None:
        """Delete an item; of what is in a folder the delta tells only with ``tell_all``."""
        item = self.at(path)
        below = self._below(item)
        del self.names[item.parent_id or ""][item.name]
        for gone in (item, *below):
            self.items.pop(gone.item_id, None)
            self.names.pop(gone.item_id, None)
            if gone is item or tell_all:
                self._sequence += 1
                self.deleted[gone.item_id] = (self._sequence, gone.folder)

    def _below(self, item: Item) -> list[Item]:
        return [found for child in self.children(item.item_id) for found in (child, *self._below(child))]

    def generate(self, files: int, folders: int) -> None:
        """Make many small files in folders, without keeping their content."""
        parents = [self.make_folder(f"folder {number:05}") for number in range(max(folders, 1))]
        for number in range(files):
            parent = parents[number % len(parents)]
            item = Item(self, f"document {number:06}.txt", parent.item_id, folder=False)
            item.content = None
            self._add(item)


class Site:
    """A site with its libraries. ``granted``: whether Sites.Selected reaches it."""

    def __init__(self, host: str, path: str, name: str) -> None:
        self.host = host
        self.path = path
        self.name = name
        self.granted = True
        self.status: tuple[int, str] | None = None
        self.drives: list[Drive] = []
        digest = hashlib.sha256(f"{host}/{path}".encode()).hexdigest()
        guids = [
            f"{digest[n : n + 8]}-{digest[n : n + 4]}-4{digest[n : n + 3]}-8{digest[n : n + 3]}-{digest[n : n + 12]}"
            for n in (0, 20)
        ]
        self.site_id = f"{host},{guids[0]},{guids[1]}"

    @property
    def web_url(self) -> str:
        """The address of the site."""
        return f"https://{self.host}/{self.path}".rstrip("/")

    def library(self, name: str, url_name: str | None = None) -> Drive:
        """Return the library of that name, made when it is not there."""
        for drive in self.drives:
            if drive.name == name:
                return drive
        drive = Drive(self, name, url_name or name)
        self.drives.append(drive)
        return drive
