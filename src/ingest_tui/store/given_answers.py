"""Answers of the HTTP server to requests that clients may send again, kept over its restarts for a day.

An entry is ``server-answers/DIGEST.json``, named after who asked for what under which key. Where one is lost, the
request is done again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import orjson

from ingest_tui.model.errors import RefusedError
from ingest_tui.model.hashing import short_digest
from ingest_tui.store.fs.atomic import make_inner_folder, write_durably
from ingest_tui.store.layout import Layout

MOST_KEPT = 1000
KEPT_SECONDS = 24 * 3600.0
_LARGEST = 2**20
_DIGEST_LENGTH = 40


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer. ``asked``: a digest of the request; ``at``: POSIX seconds; ``body``: its text."""

    asked: str
    at: float
    status: int
    headers: Mapping[str, str]
    body: str


class GivenAnswerStore:
    """Keeps answers by name: at most `MOST_KEPT`, each at most a megabyte and for `KEPT_SECONDS`."""

    def __init__(self, layout: Layout) -> None:
        self._folder = layout.server_answers

    def get(self, name: tuple[str, ...], now: float) -> GivenAnswer | None:
        """Return the answer of that name; None where there is none, or it is too old or damaged."""
        try:
            record = orjson.loads((self._folder / self._file_of(name)).read_bytes())
            found = GivenAnswer(**{field: record[field] for field in GivenAnswer.__slots__})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if found.at > now - KEPT_SECONDS else None

    def put(self, name: tuple[str, ...], answer: GivenAnswer) -> None:
        """Keep an answer, and let older ones go; nothing where that cannot be written, or the workspace has gone."""
        if len(answer.body) > _LARGEST or not self._folder.parent.is_dir():
            return
        with contextlib.suppress(OSError, RefusedError):
            make_inner_folder(self._folder)
            self._make_room(answer.at)
            record = {"schema_version": 1, **asdict(answer)}
            write_durably(self._folder / self._file_of(name), orjson.dumps(record))

    def _make_room(self, now: float) -> None:
        """Remove what is too old, and the older half of a full folder."""
        with os.scandir(self._folder) as entries:
            found = sorted((entry.stat(follow_symlinks=False).st_mtime, entry.name) for entry in entries)
        too_many = MOST_KEPT // 2 if len(found) >= MOST_KEPT else 0
        for number, (written_at, name) in enumerate(found):
            if number < too_many or written_at < now - KEPT_SECONDS:
                (self._folder / name).unlink(missing_ok=True)

    @staticmethod
    def _file_of(name: tuple[str, ...]) -> str:
        return f"{short_digest(*name, length=_DIGEST_LENGTH)}.json"
