"""What can be taken back: an action leaves how, ``U`` does it. Without Textual."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MOST_KEPT = 20
HINT = "U undoes it"


class Undoable(NamedTuple):
    """An action that was done; ``work`` takes it back, in a thread, and ``done`` says that it has."""

    done: str
    work: Callable[[], object]


class UndoStack:
    """The actions of this screen that can be taken back, the last one first."""

    def __init__(self) -> None:
        self._kept: list[Undoable] = []

    def add(self, done: str, work: Callable[[], object]) -> None:
        """Keep how an action is taken back."""
        self._kept = [*self._kept, Undoable(done, work)][-MOST_KEPT:]

    def keep(self, one: Undoable) -> None:
        """Keep one that could not be taken back: what was in the way may pass."""
        self._kept.append(one)

    def take(self) -> Undoable | None:
        """Return the last one, which is not kept any more; None where there is none."""
        return self._kept.pop() if self._kept else None
