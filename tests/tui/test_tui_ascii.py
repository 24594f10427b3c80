"""In a terminal that has only ASCII, nothing else is drawn on any screen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.terminal.characters import _IN_ASCII, OnlyAscii
from tests.cli.running import SOURCE_TREE
from tests.tui.pty_app import PtyApp
from tests.tui.stories import NOW, until
from tests.tui.test_tui_contrast import PLACES
from tests.tui.test_tui_overview import busy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("overview_first")]


def painted(app: Any) -> str:
    """Return all that is painted, the dialog on top and what is left of the screen behind it."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["small", "large"])
def test_every_screen_is_drawn_in_ascii(root: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    """All views, menus, dialogs, forms and their fields: borders, bars, scrollbars, ellipses and bullets too."""
    monkeypatch.setenv("LC_ALL", "de_DE.ISO-8859-1")
    busy(root)
    found: dict[str, str] = {}

    async def look() -> None:
        app: Any = IngestApp(root, now=lambda: NOW)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.model.complete and app.knows_workers)
            for keys in PLACES:
                for key in keys:
                    await pilot.press(key)
                    await until(pilot, lambda: not any(worker.is_running for worker in app.workers))
                    others = "".join(sorted({letter for letter in painted(app) if ord(letter) > 127}))
                    if others:
                        found[" ".join(keys)] = others
                await pilot.press("escape", "escape", "escape")
            assert "+-" in painted(app)

    asyncio.run(look())
    assert found == {}


def test_what_python_cannot_write_is_not_drawn(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the standard streams are not UTF-8, lines are ASCII, and no escape such as \\u2500 stands for anything."""
    busy(root)
    monkeypatch.setenv("PYTHONPATH", str(SOURCE_TREE))
    app = PtyApp(
        root, environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, view="", size=(120, 30)
    )
    try:
        app.read_until(b"no worker - w starts one")
        assert b"\\u" not in app.output
        assert app.output.isascii()
    finally:
        app.close()


def test_text_that_cannot_be_written_keeps_its_width() -> None:
    """A letter that the encoding has stays, any other is a question mark in each of its cells."""
    [shown] = OnlyAscii("iso-8859-1").apply([Segment("Größe │ 資料")], Color(0, 0, 0))
    assert shown.text == "Größe | ????"
    [shown] = OnlyAscii().apply([Segment("Größe │ 資料")], Color(0, 0, 0))
    assert shown.text == "Größe | 資料"


def test_what_stands_for_a_character_is_as_wide() -> None:
    """Nothing on the line moves."""
    assert all(cell_len(chr(code)) == cell_len(text) for code, text in _IN_ASCII.items())
    assert all(text.isascii() for text in _IN_ASCII.values())
