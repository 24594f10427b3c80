"""How far a rebuild of the catalogue is, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ingest_tui.model.counted import counted


class RebuildProgress(NamedTuple):
    """How far the catalogue is made again: why, how many documents so far, and whether that is all.

    ``problems``: how many folders are not what was committed, known at the end.
    """

    reason: str
    documents: int
    ended: bool = False
    problems: int = 0

    def in_words(self) -> str:
        """Return what happens, for a log or a person: that it begins, or how it ended."""
        if not self.ended:
            begins = "rebuilding the catalogue from the documents on disk"
            return f"{self.reason}; {begins}" if self.reason else begins
        damaged = (
            (f"; {counted(self.problems, 'folder is', 'folders are')} damaged, 'ingest-tui rebuild' lists them")
            if self.problems
            else ""
        )
        return f"the catalogue is rebuilt: {counted(self.documents, 'document')}{damaged}"


ProgressListener = Callable[[RebuildProgress], None]


def no_listener(_progress: RebuildProgress) -> None:
    """Listen to no progress."""
