"""The model that was asked last, kept open: a person who searches does so again, and to read it may take seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class _Closes(Protocol):
    def close(self) -> None: ...


Model = TypeVar("Model", bound=_Closes)
Answer = TypeVar("Answer")


class LastModel(Generic[Model]):
    """Keeps one model of a process. One question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = b""
        self._model: Model | None = None

    def ask(self, key: bytes, opened: Callable[[], Model], question: Callable[[Model], Answer]) -> Answer:
        """Ask the model that has this key, which is opened where it is not the one that was asked last."""
        with self._lock:
            if self._model is None or key != self._key:
                self._close()
                self._model = opened()
                self._key = key
            return question(self._model)

    def _close(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()
