"""The ``:`` line: a field that shows how a command may go on; Tab takes that."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
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

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "cursor_right", "complete", id="command_line.complete"),
        Binding("escape", "close", "close", id="command_line.close"),
    ]
    DEFAULT_CSS = """
    CommandLine, CommandLine:focus { height: 1; border: none; padding: 0 1; background: $boost; }
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

    def action_close(self) -> None:
        """Say that nothing is wanted."""
        self.post_message(self.Closed())
