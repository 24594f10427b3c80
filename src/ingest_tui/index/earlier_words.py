"""Words that an earlier analyser made of chunks: each is made again, and answers as it is until then.

What most texts have is the same in both. As with `OldFullText`, every writer brings some over after what it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from ingest_tui.index.base import NUMBERED_CHUNKS, Database
from ingest_tui.model.document import Chunk

_POSITION: Final = "words_made_again_to"
UPGRADE: Final = f"REPLACE INTO meta VALUES ('{_POSITION}', '0');"
"""For a catalogue whose words are those of an earlier analyser."""


class EarlierWords:
    """How far the words of a catalogue are made again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def are_there(self) -> bool:
        """Whether words are left that an earlier analyser may have made; asked for once, as of `OldFullText`."""
        return self._position is not None

    @property
    def _position(self) -> str | None:
        found: str | None = self._database.value("SELECT value FROM meta WHERE name = ?", (_POSITION,))
        return found

    def next_chunks(self, limit: int) -> list[tuple[int, Chunk]]:
        """Return the next chunks whose words are to be made again."""
        sql = f"{NUMBERED_CHUNKS} WHERE c.id > ? ORDER BY c.id LIMIT ?"
        rows = self._database.execute(sql, (int(self._position or 0), limit))
        return [(number, Chunk(*columns)) for number, *columns in rows]

    def note_progress(self, numbered: Sequence[tuple[int, Chunk]]) -> None:
        """Note up to where the words are made again: to the end where there are no more chunks."""
        if numbered:
            self._database.execute("REPLACE INTO meta VALUES (?, ?)", (_POSITION, str(numbered[-1][0])))
        else:
            self._database.execute("DELETE FROM meta WHERE name = ?", (_POSITION,))
