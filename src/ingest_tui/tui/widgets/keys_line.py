"""The line of keys at the foot of a view: a click on one is as good as the key."""

from __future__ import annotations

import re

from textual import events
from textual.geometry import Offset
from textual.message import Message

from ingest_tui.tui.widgets.line import Line

_KEY_AND_WORD = re.compile(r"\S+(?: \S+)*")
"""What belongs to one key: two blanks are between it and the next."""


class KeysLine(Line):
    """Keys, each with a word for what it does."""

    class Chosen(Message):
        """A key, as it is shown, was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def on_click(self, event: events.Click) -> None:
        """Ask for what the key under the pointer does."""
        key = self.what_is_at(event.offset)
        if key:
            self.post_message(self.Chosen(key))

    def what_is_at(self, place: Offset) -> str:
        """Return the key that is shown at a place; nothing between two."""
        shown = (one for one in _KEY_AND_WORD.finditer(self.said) if one.start() <= place.x < one.end())
        return next((one.group().partition(" ")[0] for one in shown), "")
