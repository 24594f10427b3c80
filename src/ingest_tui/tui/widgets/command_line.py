"""The ``:`` line: a field that shows how a command may go on; Tab takes that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

Continuations = Callable[[str], Iterable[str]]


class _Continue(Suggester):
    def __init__(self, continuations: Continuations) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._continuations = continuations

    async def get_suggestion(self, value: str) -> str | None:
        return next(iter(self._continuations(value)), None)


class CommandLine(Input):
    """Asks for a command. ``continuations`` returns the lines that begin with what was typed; Tab shows one by one.

    ``history`` has the lines that were run, the last one at the end; all views share it.
    """

    own_keys: ClassVar[frozenset[str]] = frozenset({"tab", "shift+tab", "enter", "escape", "up", "down"})
    DEFAULT_CSS = """
    CommandLine, CommandLine:focus { height: 1; border: none; padding: 0 1; background: $panel; }
    CommandLine:ansi { text-style: underline; }
    """

    class Closed(Message):
        """A person has changed their mind."""

    def __init__(self, continuations: Continuations, history: list[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            id=id,
            compact=True,
            placeholder="command: tab completes, up recalls, enter runs it, esc closes",
            suggester=_Continue(continuations),
        )
        self.cursor_blink = False
        self._continuations = continuations
        self._offered: list[str] = []
        self._position = 0
        self._history = history
        self._back = 0

    def _recall(self, steps: int) -> None:
        """Show an older line, or a newer one; after the newest comes an empty line."""
        self._back = max(0, min(self._back + steps, len(self._history)))
        self.value = self._history[-self._back] if self._back else ""
        self.cursor_position = len(self.value)

    def _complete(self, steps: int) -> None:
        """Show how what was typed may go on; the next way, or the one before, where one is shown already."""
        if self.value in self._offered[self._position : self._position + 1]:
            self._position += steps
        else:
            self._offered, self._position = list(self._continuations(self.value)), 0 if steps > 0 else -1
        if self._offered:
            self._position %= len(self._offered)
            self.value = self._offered[self._position]
            self.cursor_position = len(self.value)

    def on_focus(self) -> None:
        """Begin after the newest line."""
        self._back = 0

    def on_key(self, event: events.Key) -> None:
        """Take the keys of its own at once: bindings come after letters that were typed after them."""
        if event.key in self.own_keys:
            event.stop()
            event.prevent_default()
            self.press(event.key)

    def press(self, key: str) -> None:
        """Do what one of its own keys does: complete, recall, run, or close."""
        if key == "tab":
            self._complete(1)
        elif key == "shift+tab":
            self._complete(-1)
        elif key in {"up", "down"}:
            self._recall(1 if key == "up" else -1)
        elif key == "enter":
            self.post_message(self.Submitted(self, self.value))
        else:
            self.post_message(self.Closed())
