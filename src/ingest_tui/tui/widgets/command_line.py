"""The ``:`` line: a field that shows how a command may go on; Tab takes that."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

Continuation = Callable[[str], str | None]
MOST_REMEMBERED = 50


class _Continue(Suggester):
    def __init__(self, continuation: Continuation) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._continuation = continuation

    async def get_suggestion(self, value: str) -> str | None:
        return self._continuation(value)


class CommandLine(Input):
    """Asks for a command. ``continuation`` returns the line that begins with what was typed, or None.

    ``history`` has the lines that were run, the last one at the end; all views share it.
    """

    own_keys: ClassVar[frozenset[str]] = frozenset({"tab", "enter", "escape", "up", "down"})
    DEFAULT_CSS = """
    CommandLine, CommandLine:focus { height: 1; border: none; padding: 0 1; background: $panel; }
    CommandLine:ansi { text-style: underline; }
    """

    class Closed(Message):
        """A person has changed their mind."""

    def __init__(self, continuation: Continuation, history: list[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            id=id,
            compact=True,
            placeholder="command: tab completes, up recalls, enter runs it, esc closes",
            suggester=_Continue(continuation),
        )
        self.cursor_blink = False
        self._continuation = continuation
        self._history = history
        self._back = 0

    def remember(self, line: str) -> None:
        """Let Up offer a line that was run; the same one once."""
        self._history[:] = [*(known for known in self._history if known != line), line][-MOST_REMEMBERED:]

    def _recall(self, steps: int) -> None:
        """Show an older line, or a newer one; after the newest comes an empty line."""
        self._back = max(0, min(self._back + steps, len(self._history)))
        self.value = self._history[-self._back] if self._back else ""
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
            self.value = self._continuation(self.value) or self.value
            self.cursor_position = len(self.value)
        elif key in {"up", "down"}:
            self._recall(1 if key == "up" else -1)
        elif key == "enter":
            self.post_message(self.Submitted(self, self.value))
        else:
            self.post_message(self.Closed())
