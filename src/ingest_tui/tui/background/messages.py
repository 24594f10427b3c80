"""What threads report to the screens. Threads only post these; handlers own the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.message import Message

from ingest_tui.tui.client.feed import FeedUpdate

if TYPE_CHECKING:
    from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress


class WorkspaceChanged(Message):
    """The feed has seen something new."""

    def __init__(self, update: FeedUpdate) -> None:
        super().__init__()
        self.update = update


class CatalogueRebuilt(Message):
    """The catalogue was lost, and a question to the services has it made again, as far as ``progress`` says."""

    def __init__(self, progress: RebuildProgress) -> None:
        super().__init__()
        self.progress = progress


class Question(NamedTuple):
    """Which question of a group: a newer one of the same group makes it void."""

    group: str
    number: int


class Answered(Message):
    """A question to the services has its answer; ``then`` takes it, on the loop of the screen."""

    def __init__(self, then: Callable[[Any], None], answer: Any, question: Question | None = None) -> None:
        super().__init__()
        self.then = then
        self.answer = answer
        self.question = question


class Refused(Message):
    """A question to the services failed; ``message`` says what happened, ``hint`` what to do."""

    def __init__(
        self,
        message: str,
        hint: str,
        otherwise: Callable[[str, str], None] | None = None,
        question: Question | None = None,
    ) -> None:
        super().__init__()
        self.message = message
        self.hint = hint
        self.otherwise = otherwise
        self.question = question
