"""Addresses of repositories: which there may be, and what they say of where a secret goes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PLAIN = re.compile(r"[!-~]+")
_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_USER = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9.])?"
_URL = re.compile(
    rf"(?P<scheme>https?|ssh)://(?:(?P<user>{_USER})@)?(?P<host>{_HOST}|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>/[^?#\\]+)",
    re.IGNORECASE,
)
_OF_SCP = re.compile(rf"(?P<user>{_USER})@(?P<host>{_HOST}):(?P<path>[^:?#\\-][^?#\\]*)")


@dataclass(frozen=True, slots=True)
class RepositoryAddress:
    """Where a repository is: ``text`` is what git is given, ``scheme`` one of https, http, ssh; no password in it.

    ``origin`` is scheme, host and port; ``uri`` the whole as documents are named by it.
    """

    text: str
    scheme: str
    origin: str
    uri: str
    user: str | None


def address_of(value: str) -> RepositoryAddress | None:
    """Return the address that a setting is, or None when it is the path of a folder.

    Raises ValueError, in words that do not quote it, for an address that is not taken: `ext::`, `file://`, a password.
    """
    if _HELPER.match(value):
        raise ValueError("no helper of git is used: an address begins with https:// or ssh://")
    scheme = _SCHEME.match(value)
    if scheme:
        return _of_url(value, scheme[1].lower())
    found = _OF_SCP.fullmatch(value)
    if found is None or _is_not_plain(value):
        return None
    origin = f"ssh://{found['host'].lower()}"
    path = found["path"].lstrip("/")
    return RepositoryAddress(
        value, "ssh", origin, f"git+ssh://{found['user']}@{found['host'].lower()}/{path}", found["user"]
    )


def _of_url(value: str, scheme: str) -> RepositoryAddress:
    if scheme == "file":
        raise ValueError("a repository of this machine is named by the path of its folder, without file://")
    if scheme not in {"http", "https", "ssh"}:
        raise ValueError("an address begins with https://, http:// or ssh://")
    authority = value.partition("://")[2].partition("/")[0]
    if ":" in authority.rpartition("@")[0]:
        raise ValueError("no password in the address, where it would be stored and shown; use --credential")
    found = _URL.fullmatch(value)
    if found is None or _is_not_plain(value):
        raise ValueError("not the address of a repository, e.g. https://git.example.org/team/handbook.git")
    host = found["host"].lower() + (f":{found['port']}" if found["port"] else "")
    user = f"{found['user']}@" if found["user"] and scheme == "ssh" else ""
    return RepositoryAddress(
        value, scheme, f"{scheme}://{host}", f"git+{scheme}://{user}{host}{found['path']}", found["user"]
    )


def _is_not_plain(value: str) -> bool:
    return not _PLAIN.fullmatch(value) or _CONTROL.search(value) is not None
