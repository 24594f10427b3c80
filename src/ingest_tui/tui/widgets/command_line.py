"""The ``:`` line: a field that shows how a command may go on; Tab takes that."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

Continuation = Callable[[str], str | None]


class _Continue(Suggester):
    def __init__(self, continuation: Continuation) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._continuation = continuation

    async def get_suggestion(self, value: str) -> str | None:
        return self._continuation(value)


class CommandLine(Input):
    """Asks for a command. ``continuation`` returns the line that begins with what was typed, or None."""

    own_keys: ClassVar[frozenset[str]] = frozenset({"tab", "enter", "escape"})
    DEFAULT_CSS = """
    CommandLine, CommandLine:focus { height: 1; border: none; padding: 0 1; background: $panel; }
    CommandLine:ansi { text-style: underline; }
    """

    class Closed(Message):
        """A person has changed their mind."""

    def __init__(self, continuation: Continuation, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            id=id,
            compact=True,
            placeholder="command: tab completes, enter runs it, esc closes",
            suggester=_Continue(continuation),
        )
        self.cursor_blink = False
        self._continuation = continuation

    def on_key(self, event: events.Key) -> None:
        """Take the keys of its own at once: bindings come after letters that were typed after them."""
        if event.key in self.own_keys:
            event.stop()
            event.prevent_default()
            self.press(event.key)

    def press(self, key: str) -> None:
        """Do what one of its own keys does: complete, run, or close."""
        if key == "tab":
            self.value = self._continuation(self.value) or self.value
            self.cursor_position = len(self.value)
        elif key == "enter":
            self.post_message(self.Submitted(self, self.value))
        else:
            self.post_message(self.Closed())
