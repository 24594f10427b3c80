"""What is at a place of a source now, as far as that can be seen without fetching anything."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ingest_tui.model.descriptor import Descriptor

SightingKind = Literal["item", "folder", "gone", "link", "unreadable", "source_gone", "unknown"]


class Sighting(NamedTuple):
    """What `BaseConnector.sight` sees of one key.

    ``item``: a listing would name it, as ``descriptor`` says. ``gone``: nothing is there. ``link``: it is, or is
    behind, a symbolic link that a listing ignores; ``follows``: although the source follows those within it.
    ``unreadable``: it, or a folder above, may not be read. ``source_gone``: the source as a whole cannot be reached.
    ``unknown``: only a listing can say. ``detail`` says what was seen: "it is a …", "its folder …".
    """

    kind: SightingKind
    detail: str = ""
    descriptor: Descriptor | None = None
    follows: bool = False


UNKNOWN = Sighting("unknown")
