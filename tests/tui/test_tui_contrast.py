"""Every text on every screen can be read: its contrast, computed from what is painted, in each theme of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from ingest_tui.model.theme_names import TEXTUAL_THEMES
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.terminal.themes import readable_theme
from tests.tui.stories import NOW, until
from tests.tui.test_tui_overview import busy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("overview_first")]

LEAST = {"dark": 4.5, "light": 4.5, "high-contrast": 7.0}
"""WCAG 2.2: 1.4.3 asks for 4.5, 1.4.6 for 7."""
PLACES = [
    ["0"], ["0", "tab"], ["0", "m"], ["1"], ["1", "j", "space", "j"], ["1", "enter"], ["1", "slash", "a"], ["2"],
    ["2", "j", "enter"], ["3"], ["4"], ["5"], ["6"], ["7"], ["2", "a"], ["2", "a", "enter"], ["question_mark"],
    ["1", "x"], ["1", "y"], ["1", "colon", "j", "o"], ["1", "D"], ["f2"], ["ctrl+p"], ["1", "m", "slash", "a"],
    ["5", "slash", "o"], ["8"], ["8", "enter"], ["8", "x"], ["8", "P"],
]  # fmt: skip


def luminance(colour: Color) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in colour.get_truecolor())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(style: Style) -> float:
    """Return the contrast between the text and the background of a style, 1 to 21."""
    assert style.color is not None
    assert style.bgcolor is not None
    assert not style.dim, "the terminal decides what dim is"
    lower, higher = sorted((luminance(style.color), luminance(style.bgcolor)))
    return (higher + 0.05) / (lower + 0.05)


def segments_on_top(app: Any) -> list[Segment]:
    """Return what is painted of the screen on top; what lies behind a dialog is not what a person reads then."""
    screen = app.screen
    dialogs = list(screen.query(".dialog, .entry-form, .table-dialog, .held, #--container"))
    if not dialogs:
        return [segment for strip in screen._compositor.render_strips() for segment in strip]
    region = dialogs[0].region
    strips = screen._compositor.render_strips()[region.y : region.bottom]
    return [segment for strip in strips for segment in strip.crop(region.x, region.right)]


def unreadable(app: Any, least: float) -> set[str]:
    """Return the texts with less contrast, each with its colours."""
    found = set()
    for segment in segments_on_top(app):
        if segment.style is not None and any(letter.isalnum() for letter in segment.text):
            measured = contrast(segment.style)
            if measured < least:
                found.add(f"{segment.text.strip()[:30]!r} {measured:.1f} {segment.style}")
    return found


@pytest.mark.parametrize("theme", LEAST)
@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["small", "large"])
def test_every_text_can_be_read(root: Path, theme: str, size: tuple[int, int]) -> None:
    """All views, the row under the cursor and marked rows, fields, menus and dialogs."""
    busy(root)
    assert look_at(root, theme, size, PLACES) == {}


def look_at(root: Path, theme: str, size: tuple[int, int], places: list[list[str]]) -> dict[str, set[str]]:
    """Return what cannot be read, by the keys that lead there."""
    found: dict[str, set[str]] = {}
    least = LEAST.get(theme, 4.5)

    async def look() -> None:
        app: Any = IngestApp(root, now=lambda: NOW, theme=theme)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.model.complete and app.knows_workers)
            for keys in places:
                for key in keys:
                    await pilot.press(key)
                    await until(pilot, lambda: not any(worker.is_running for worker in app.workers))
                texts = unreadable(app, least)
                if texts:
                    found[" ".join(keys)] = texts
                await pilot.press("escape", "escape", "escape")
            assert app.is_running

    asyncio.run(look())
    return found


@pytest.mark.parametrize("name", [name for name in TEXTUAL_THEMES if not name.startswith("ansi-")])
def test_the_themes_of_textual_can_be_read(name: str) -> None:
    """Each text colour of each, on everything that it may be on: 4.5:1, and none is lost in another."""
    theme = readable_theme(name)
    assert theme is not None
    variables = theme.variables
    grounds = [theme.background, theme.surface, theme.panel, variables["primary-muted"]]
    texts = {one: variables[f"text-{one}"] for one in ("muted", "accent", "success", "warning", "error")}
    for text in [theme.foreground, *texts.values()]:
        for ground in grounds:
            assert text is not None
            assert ground is not None
            assert contrast(Style.parse(f"{text} on {ground}")) >= 4.5, f"{text} on {ground}"
    assert len({texts["success"], texts["warning"], texts["error"]}) == 3


@pytest.mark.parametrize("theme", ["solarized-light", "nord"])
def test_screens_in_a_theme_of_textual_can_be_read(root: Path, theme: str) -> None:
    """What is painted has these colours: a list with its cursor, a form, a menu and a dialog."""
    busy(root)
    found = look_at(root, theme, (80, 24), [["0"], ["1", "j"], ["1", "x"], ["1", "D"], ["2", "a", "enter"], ["f2"]])
    assert found == {}


def test_what_cannot_be_read_is_found() -> None:
    """The measure itself: grey on grey has little, black on white all there is."""
    assert contrast(Style.parse("#777777 on #888888")) < 1.5
    assert contrast(Style.parse("#000000 on #ffffff")) == pytest.approx(21)
    assert contrast(Style.parse("#767676 on #ffffff")) == pytest.approx(4.54, abs=0.01)
