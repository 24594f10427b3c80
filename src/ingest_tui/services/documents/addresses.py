"""What a person who names a document may mean by it."""

from __future__ import annotations

import os

from ingest_tui.model.keys import file_uri, key_from_bytes
from ingest_tui.model.unicode import as_unicode


def addresses_of(target: str) -> list[str]:
    """Return what a person may have meant: an address or key as it is shown, a name on disk, or a path here."""
    return list(
        dict.fromkeys([as_unicode(target), key_from_bytes(os.fsencode(target)), file_uri(absolute_path(target))])
    )


def absolute_path(target: str) -> bytes:
    """Return a path that a person typed, from the root on; links are not followed."""
    return os.fsencode(os.path.abspath(os.path.expanduser(target)))  # noqa: PTH100, PTH111 - bytes, links not followed
