"""What a command is for when no names are given: documents or error items of a source, type, path or age. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from ingest_tui.model.clock import moment_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """All that is given must hold; nothing given selects nothing.

    ``media_type``: an ending or media type, or the beginning of one. ``path``: a pattern of the whole key or address,
    of which ``*`` stands for anything, ``?`` for one character. ``older_than``: changed, retired or seen so long ago.
    """

    collection_id: str | None = None
    source_id: str | None = None
    media_type: str | None = None
    path: str | None = None
    older_than: timedelta | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given."""
        return not any((self.collection_id, self.source_id, self.media_type, self.path, self.older_than is not None))

    def takes(self, *, key: str, uri: str, at: str, now: datetime) -> bool:
        """Tell whether path and age are as wanted; ``at`` is an RFC 3339 time, and one that is none is never old."""
        if self.path is not None and not any(fnmatchcase(place, self.path) for place in (key, uri)):
            return False
        if self.older_than is None:
            return True
        moment = moment_of(at)
        return moment is not None and now - moment >= self.older_than
