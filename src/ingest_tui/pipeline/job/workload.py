"""How much work a job is: from the types and bytes of its files, not from their number."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.extraction.pool.task import estimate_milliseconds

_FETCH_MILLISECONDS = 5.0
_FETCH_BYTES_A_MILLISECOND = 40_000


@dataclass(slots=True)
class _Kind:
    """The work of one type of file, in milliseconds: as guessed from sizes, and as it really was."""

    guessed: float = 0.0
    guessed_done: float = 0.0
    spent: float = 0.0


@dataclass(slots=True)
class Workload:
    """What a job has to do, by type of file: a page of PDF is not a page of text.

    The guess for a type is corrected by what its files have really taken so far.
    """

    backend: str | None = None
    is_remote: bool = False
    _kinds: dict[str, _Kind] = field(default_factory=dict)

    def add(self, file_name: str, size: int) -> None:
        """Count a file that is to be done."""
        self._of(file_name).guessed += self._guess(file_name, size)

    def done(self, file_name: str, size: int, parse_milliseconds: float) -> None:
        """Count a file that is done, and what parsing it has taken (0 when it had not to be parsed)."""
        work = self._of(file_name)
        work.guessed_done += self._guess(file_name, size)
        work.spent += parse_milliseconds + self._fetch_guess(size)

    def _of(self, file_name: str) -> _Kind:
        kind = BY_EXTENSION.get(extension_of(file_name))
        return self._kinds.setdefault(kind.name if kind else "", _Kind())

    def _guess(self, file_name: str, size: int) -> float:
        return estimate_milliseconds(file_name, size, self.backend) + self._fetch_guess(size)

    def _fetch_guess(self, size: int) -> float:
        if self.is_remote:
            return _FETCH_MILLISECONDS + size / _FETCH_BYTES_A_MILLISECOND
        return 0.0

    @property
    def spent(self) -> float:
        """Milliseconds that what is done has taken."""
        return sum(work.spent for work in self._kinds.values())

    @property
    def remaining(self) -> float:
        """Milliseconds that what is left will take, on one processor."""
        return sum(
            max(0.0, work.guessed - work.guessed_done)
            * (work.spent / work.guessed_done if work.guessed_done > 0 and work.spent > 0 else 1.0)
            for work in self._kinds.values()
        )
