"""Addresses of pages: one form for each, which of them belong to a source, and the keys that stand for them.

A key is the part of a canonical address below the folder of the source, with spaces and letters beyond ASCII as people
write them. It never begins with a slash, so that ``/`` can stand for the folder itself.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

ROOT_KEY = "/"
LONGEST = 2000
"""Characters; what is longer is no page that somebody wrote."""
_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_READABLE = re.compile(r"(?:%20|%[89A-F][0-9A-F])+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT_IN_PATHS = "%!$&'()*+,;=:@/-._~"
_KEPT_IN_QUERIES = _KEPT_IN_PATHS + "?[]|"
_SLASHES = re.compile("//+")


class SiteScope:
    """What belongs to a source that begins at an address: the same host, below the same folder."""

    def __init__(self, url: str) -> None:
        self._start = canonical(url) or url
        parts = urlsplit(self._start)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.host = parts.hostname or ""
        folder, _, name = parts.path.rpartition("/")
        # Without a slash at its end an address is a folder, too, unless its name is one of a file.
        self.folder = f"{folder}/" if "." in name or not name else f"{parts.path}/"
        self._first = self._start
        self.start_key = self.key_of(self._start) or ROOT_KEY

    @property
    def start_address(self) -> str:
        """Where the source begins."""
        return self.address_of(self.start_key)

    @property
    def begins_in_its_folder(self) -> bool:
        """Whether the start is below the folder or has its name with a slash: a site may add that one."""
        return self._start.startswith(f"{self.origin}{self.folder}")

    def follow_start(self, leads_to: str) -> bool:
        """Begin where the start leads; returns False, and changes nothing, unless that is its own folder."""
        is_there = self.is_of_the_site(leads_to) and self.resolve(leads_to, leads_to) == f"{self.origin}{self.folder}"
        if self.begins_in_its_folder or not is_there:
            return False
        self._start = f"{self.origin}{self.folder}"
        return True

    def is_of_the_site(self, address: str) -> bool:
        """Whether an address is one of this host, port and scheme."""
        try:
            return (canonical(address) or "").startswith(f"{self.origin}/")
        except ValueError:
            return False

    def resolve(self, link: str, base: str) -> str | None:
        """Return the canonical address of a link on a page; one with the other scheme of this host as of this one.

        None where it leads to no page of any host.
        """
        try:
            address = canonical(urljoin(base, link.strip()))
        except ValueError:
            return None
        if address is None:
            return None
        parts = urlsplit(address)
        if parts.netloc == self.host and f"{parts.scheme}://{parts.netloc}" != self.origin:
            mine = urlsplit(self.origin)
            if mine.netloc == self.host:
                address = f"{self.origin}{address[len(parts.scheme) + 3 + len(parts.netloc) :]}"
        return address

    def key_of(self, address: str) -> str | None:
        """Return the key of a canonical address; None where it is not one of the source."""
        if address == self._first and not address.startswith(f"{self.origin}{self.folder}"):
            return ROOT_KEY
        if not address.startswith(f"{self.origin}{self.folder}"):
            return None
        rest = address[len(self.origin) + len(self.folder) :]
        return _readable(rest) or ROOT_KEY

    def address_of(self, key: str) -> str:
        """Return the address that a key stands for."""
        if key == ROOT_KEY:
            return self._start if self.start_key == ROOT_KEY else f"{self.origin}{self.folder}"
        path, mark, query = key.partition("?")
        kept = quote(path, safe=_KEPT_IN_PATHS) + mark + quote(query, safe=_KEPT_IN_QUERIES)
        return f"{self.origin}{self.folder}{kept}"


def path_of(key: str) -> bytes:
    """Return what patterns are compared with."""
    return (key.rstrip("/") or key).encode()


def canonical(address: str) -> str | None:
    """Return the one form of an absolute http or https address; None for others, and for one with a password.

    Raises ValueError for what cannot be an address.
    """
    parts = urlsplit(address)
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or len(address) > LONGEST:
        return None
    host = host.rstrip(".").encode("idna").decode() if not host.isascii() else host.rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    netloc = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    path = _without_dots(_SLASHES.sub("/", _one_form(parts.path or "/", _KEPT_IN_PATHS)))
    query = _one_form(parts.query, _KEPT_IN_QUERIES)
    return f"{parts.scheme}://{netloc}{path}{'?' if query else ''}{query}"


def _one_form(text: str, kept: str) -> str:
    """Return a text in which letters are escaped only where they must be, in capitals."""
    return _ESCAPE.sub(_escape, quote(text, safe=kept))


def _escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return "%25"
    letter = chr(int(found[1], 16))
    return letter if letter in _UNRESERVED else found[0].upper()


def _without_dots(path: str) -> str:
    kept: list[str] = []
    *folders, last = path.split("/")[1:]
    for part in folders:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if last in {".", ".."}:
        kept, last = kept[: len(kept) - (last == "..")], ""
    return "/" + "/".join([*kept, last])


def _readable(text: str) -> str:
    """Return a text with spaces and what is UTF-8 beyond ASCII as it reads."""

    def read(found: re.Match[str]) -> str:
        try:
            letters = bytes.fromhex(found[0].replace("%", "")).decode()
        except UnicodeDecodeError:
            return found[0]
        return letters if letters.isprintable() else found[0]

    return _READABLE.sub(read, text)
