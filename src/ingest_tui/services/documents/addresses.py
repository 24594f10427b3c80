"""What a person who names a document may mean by it."""

from __future__ import annotations

import os
from urllib.parse import quote

from ingest_tui.model.keys import file_uri, key_from_bytes
from ingest_tui.model.members import MARK
from ingest_tui.model.unicode import as_unicode

_MOST_CONTAINERS = 8


def addresses_of(target: str) -> list[str]:
    """Return what a person may have meant: an address or key as it is shown, a name on disk, or a path here."""
    members = (
        MARK.join([file_uri(absolute_path_bytes(container)), *_quoted(target[len(container) + 1 :])])
        for container in containers_of(target)
    )
    here = [as_unicode(target), key_from_bytes(os.fsencode(target)), file_uri(absolute_path_bytes(target))]
    return list(dict.fromkeys([*here, *members]))


def containers_of(target: str) -> list[str]:
    """Return the containers that an address or path may be within, the innermost first; few, as few can be meant."""
    parts = target.split(MARK)
    return [MARK.join(parts[:count]) for count in range(len(parts) - 1, 0, -1)][:_MOST_CONTAINERS]


def _quoted(within: str) -> list[str]:
    return [quote(part, safe="/~", errors="surrogateescape") for part in within.split(MARK)]


def absolute_path_bytes(target: str) -> bytes:
    """Return a path that a person typed, from the root on; links are not followed."""
    return os.fsencode(os.path.abspath(os.path.expanduser(target)))  # noqa: PTH100, PTH111 - bytes, links not followed
