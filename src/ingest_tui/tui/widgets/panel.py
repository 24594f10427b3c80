"""Panels: a border with a title and counts in it. What reads the same is not painted again, and the rest never is."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from ingest_tui.model.safe_text import safe_display


def title_panel(widget: Widget, title: str, subtitle: str = "") -> None:
    """Put a title into the upper border of a widget, and a subtitle into the lower one.

    Textual's own attributes have the whole widget painted again, a screenful for a number that has changed; here the
    line of the border is.
    """
    for name, text, row in (("_border_title", title, -1), ("_border_subtitle", subtitle, widget.size.height)):
        shown: Content | None = getattr(widget, name)
        if ("" if shown is None else shown.plain) != text:
            setattr(widget, name, Content(safe_display(text)) if text else None)
            widget.refresh(Region(-1, row, widget.outer_size.width, 1))
