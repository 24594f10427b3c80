"""One line of text that repaints only when it says something new."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Line(Static):
    """A line of `Content`: never markup, and never a new layout, which would repaint the whole screen."""

    DEFAULT_CSS = """
    Line { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(Content(text), id=id, classes=classes, markup=False)
        self._said: Content = Content(text)

    def say(self, content: Content | str) -> None:
        """Show ``content`` unless it is there already."""
        content = Content(content) if isinstance(content, str) else content
        if content.plain != self._said.plain or content.spans != self._said.spans:
            self._said = content
            self.update(content, layout=False)

    @property
    def said(self) -> str:
        """The text that is shown."""
        return self._said.plain
