"""Links of documents: what a record keeps of them, and where they lead, decided when it is asked for. Pure.

Nothing that is resolved is kept, so that an answer is true after moves, deletions and additions alike. A document is
found at its places, and at the addresses that its versions were read from: a link to where it was leads to it still,
unless another document is there now.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

LinkState = Literal["document", "item", "folder", "broken", "external"]
"""Where a link leads: to a document that is here; to an item of a source that is none, since it was refused, failed or
holds no text; to a folder with documents; into a source, where nothing is known at that address; or elsewhere."""
MAX_LINK_TEXT = 300

_WEB = frozenset(("http", "https"))
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SHAREPOINT = re.compile(r"[^/]*\.sharepoint(?:-mil)?\.(?:com|us|cn|de)\Z")
_SHARED_PATH = re.compile(r"/:[a-z]:/[rt]/")
"""How SharePoint writes the path of a file in the addresses that it gives to copy."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is written: its target, the text that it is under, and the offset in normalized.md, as far as known.

    A target that occurs several times is one link, the first.
    """

    target: str
    text: str = ""
    start: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form that ingestion.json keeps under ``links``."""
        return {"target": self.target, "text": self.text, "start": self.start}


def links_of(record: dict[str, Any]) -> list[Link]:
    """Return the links that an ingestion record keeps. Records of earlier versions of the program have targets alone.

    What has another form is left out.
    """
    kept = record.get("links")
    return [link for one in kept if (link := _kept_link(one)) is not None] if isinstance(kept, list) else []


def _kept_link(kept: Any) -> Link | None:
    if isinstance(kept, str):
        return Link(kept)
    if not isinstance(kept, dict) or not isinstance(kept.get("target"), str):
        return None
    text, start = kept.get("text"), kept.get("start")
    return Link(kept["target"], text if isinstance(text, str) else "", start if type(start) is int else None)


class ItemAddress(NamedTuple):
    """Where an item is: its address, and its key within its source, which tells where the source begins."""

    uri: str
    key: str


class ResolvedLink(NamedTuple):
    """A link and where it leads.

    ``address`` is empty where a target is no address; ``detail`` is why it leads to no document.
    """

    link: Link
    state: LinkState
    address: str = ""
    document_id: str | None = None
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        rest = {"state": self.state, "address": self.address, "document_id": self.document_id, "detail": self.detail}
        return self.link.as_dict() | rest


class _Known(NamedTuple):
    uri: str
    document_id: str | None
    detail: str


@dataclass(slots=True)
class AddressBook:
    """The addresses that a workspace knows. Places are added before it is asked, former addresses in any order."""

    _places: dict[str, _Known] = field(default_factory=dict)
    _former: dict[str, _Known] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)
    _roots: set[str] = field(default_factory=set)

    def add_place(self, place: ItemAddress, document_id: str | None, detail: str = "") -> None:
        """Add an item; ``document_id`` is None for one that is no document, and ``detail`` why."""
        path = comparable(place.uri)
        if document_id is not None or path not in self._places:
            self._places[path] = _Known(place.uri, document_id, detail)
        if document_id is not None:
            self._add_folders(path)
        root = _root_of(place)
        if root:
            self._roots.add(root)

    def add_former(self, uri: str, document_id: str) -> None:
        """Add an address that a version of a document was read from."""
        self._former.setdefault(comparable(uri), _Known(uri, document_id, ""))

    def _add_folders(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        while folder and folder not in self._folders and not folder.endswith(":/"):
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]

    def resolve(self, link: Link, *bases: ItemAddress) -> ResolvedLink:
        """Return where a link leads from a document, whose places now and formerly are ``bases``, the best first."""
        found = [self._lead(link, target) for base in bases for target in _targets(link.target, base)]
        for state in ("document", "item", "folder", "broken"):
            for one in found:
                if one.state == state:
                    return one
        return found[0] if found else ResolvedLink(link, "external")

    def _lead(self, link: Link, target: _Target) -> ResolvedLink:
        path = comparable(target.address)
        known = self._at(path) or self._at(path.partition("?")[0])
        if known is not None:
            state: LinkState = "document" if known.document_id is not None else "item"
            return ResolvedLink(link, state, known.uri, known.document_id, known.detail)
        if path.rstrip("/") in self._folders:
            return ResolvedLink(link, "folder", target.address)
        is_inside = self._is_in_a_source(path) or (target.is_relative and not target.has_root)
        if not is_inside:
            return ResolvedLink(link, "external", target.address)
        return ResolvedLink(link, "broken", target.address, None, "nothing is known at this address")

    def _at(self, path: str) -> _Known | None:
        return self._places.get(path) or self._former.get(path)

    def _is_in_a_source(self, path: str) -> bool:
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if f"{folder}/" in self._roots:
                return True
        return False


class _Target(NamedTuple):
    address: str
    is_relative: bool
    has_root: bool
    """Whether it is known where the source of the document begins."""


def _targets(target: str, base: ItemAddress) -> Iterator[_Target]:
    """Yield the addresses that a target may mean, seen from a document, the likeliest first."""
    root = _root_of(base)
    if _DRIVE.match(target):
        return
    if _SCHEME.match(target):
        if "://" in target:
            yield _Target(target, is_relative=False, has_root=bool(root))
        return
    scheme, mark, rest = base.uri.partition("://")
    authority, slash, path = rest.partition("/")
    if target.startswith("//"):
        yield _Target(f"{scheme}:{target}", is_relative=False, has_root=bool(root))
        return
    if not mark or not slash:
        return  # the document has no address that others could be relative to
    within = target.replace("\\", "/").partition("#")[0].partition("?")[0]
    if not within:
        yield _Target(base.uri, is_relative=True, has_root=bool(root))
        return
    start = f"{scheme}://{authority}/"
    if within.startswith("/"):
        if root:  # from where the source begins, as on the site that its documents may be made for
            yield _Target(root + within.lstrip("/"), is_relative=True, has_root=True)
        yield _Target(start + within.lstrip("/"), is_relative=True, has_root=bool(root))
        return
    joined = posixpath.normpath("/" + posixpath.join(posixpath.dirname(path), within)).lstrip("/")
    yield _Target(start + joined, is_relative=True, has_root=bool(root))


@lru_cache(maxsize=1024)
def _root_of(place: ItemAddress) -> str:
    """Return the comparable address of where a source begins, with a slash at its end; empty where it is not known."""
    path, key = comparable(place.uri), place.key
    for ending in (key, key.partition("/")[2]):  # the key of a SharePoint file begins with the name of its library
        folded = ending.casefold() if path != _spelled(place.uri) else ending
        if ending and folded != path and path.endswith(f"/{folded}"):
            return path[: -len(folded)]
    return ""


@lru_cache(maxsize=16_384)
def comparable(address: str) -> str:
    """Return an address in the form in which two that name one thing are equal: without escapes and fragment.

    The query of a web address stays: it may be all that tells two pages apart. In other addresses it means nothing.
    """
    path = _spelled(address)
    _scheme, mark, rest = path.partition("://")
    return path.casefold() if mark and _SHAREPOINT.match(rest.partition("/")[0]) else path


def _spelled(address: str) -> str:
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    authority, slash, path = rest.partition("/")
    path, _, query = (slash + path).partition("#")[0].partition("?")
    path = unquote(path)
    authority = authority.lower()
    if _SHAREPOINT.match(authority):
        path = _SHARED_PATH.sub("/", path, count=1)
    asked = f"?{query}" if query and scheme.lower() in _WEB else ""
    return f"{scheme.lower()}://{authority}{path}{asked}"
