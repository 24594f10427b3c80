"""Documents within a document: the members of an archive, each with a key and an address made from its container's.

Key and address of a member are those of its container, ``!``, and its path in it. Within the path an exclamation mark
is written as ``%21``, so what comes after the last ``!`` of a member's key is its path in its own container.
"""

from __future__ import annotations

from urllib.parse import quote

from ingest_tui.model.hashing import short_digest
from ingest_tui.model.unicode import as_unicode

MARK = "!"
MAX_MEMBERS = 10_000
"""Members of one listed item, those of containers within it too."""
MAX_MEMBER_BYTES = 480 * 1024**2
"""Bytes of all members of one listed item: a parser writes no larger file than 512 MiB."""
MAX_DEPTH = 3
"""Containers within each other, the listed one counted."""
_LONGEST_PATH = 1000


def member_path(name: str) -> str:
    """Return the path of a member from its name in a container, with nothing that leads out of it."""
    segments = [part for part in as_unicode(name).replace("\0", "").split("/") if part not in {"", ".", ".."}]
    path = "/".join(segments).replace(MARK, "%21") or "unnamed"
    if len(path) > _LONGEST_PATH:
        path = f"{path[: _LONGEST_PATH // 2]}~{short_digest(path, length=12)}~{path[-_LONGEST_PATH // 4 :]}"
    return path


def distinct_path(path: str, taken: set[str], last_numbers: dict[str, int]) -> str:
    """Return a path that is not among those taken: a container may have two members of one name, or ten thousand.

    ``last_numbers``: for each path the number that it got last, kept between the calls for one container.
    """
    number, distinct = last_numbers.get(path, 1), path
    while distinct in taken:
        number += 1
        stem, dot, extension = path.rpartition(".")
        distinct = f"{stem}~{number}.{extension}" if dot and "/" not in extension else f"{path}~{number}"
    last_numbers[path] = number
    return distinct


def member_key(container_key: str, path: str) -> str:
    """Return the key of a member."""
    return f"{container_key}{MARK}{path}"


def member_uri(container_uri: str, path: str) -> str:
    """Return the address of a member."""
    return f"{container_uri}{MARK}{quote(path.replace('%21', MARK), safe='/~')}"


def place_within(key: str, container_key: str, moved_to: tuple[str, str]) -> tuple[str, str]:
    """Return key and address of a member whose container, which had that key, has others now."""
    now_key, now_uri = moved_to
    for path in key[len(container_key) + 1 :].split(MARK):
        now_key, now_uri = member_key(now_key, path), member_uri(now_uri, path)
    return now_key, now_uri


def parent_of(key_or_uri: str) -> str:
    """Return the key or address of the container that a member is in, from that of the member."""
    return key_or_uri.rpartition(MARK)[0]


def containers_of(key: str, listed_key: str) -> list[str]:
    """Return the keys of the containers that a member is in, from its own to the listed one."""
    found = []
    while len(key := parent_of(key)) >= len(listed_key) > 0:
        found.append(key)
    return found


def keys_below(container_key: str) -> tuple[str, str]:
    """Return the bounds of the keys of all members below a container: from the first on, before the second."""
    return f"{container_key}{MARK}", f"{container_key}{chr(ord(MARK) + 1)}"
