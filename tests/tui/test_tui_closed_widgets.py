"""What is closed in the TUI is not kept in memory by caches of the library."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from textual._styles_cache import StylesCache
from textual.color import Color

from ingest_tui.tui.app import IngestApp

BASE, BACKGROUND = Color(1, 2, 3), Color(4, 5, 6, 0.5)


def test_the_lines_of_a_closed_widget_are_let_go_of(tmp_path: Path) -> None:
    """Once a widget was drawn with colours and is gone, nothing holds its lines; the colours are the library's."""
    IngestApp(tmp_path)
    lines = StylesCache()
    inner, outer = lines.get_inner_outer(BASE, BACKGROUND)
    assert (inner.background, outer.background) == (BASE + BACKGROUND, BASE)
    gone = weakref.ref(lines)
    del lines
    gc.collect()
    assert gone() is None
