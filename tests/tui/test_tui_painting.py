"""What is sent to the terminal: only what looks different, and by it the terminal looks as if all had been sent."""

from __future__ import annotations

from typing import Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from ingest_tui.tui.terminal.painting import Painting

WIDTH, HEIGHT = 40, 3
CONSOLE = Console(color_system="truecolor", force_terminal=True)
LETTERS = st.sampled_from(["a", "b", " ", "─", "│", "…", "日", "e\u0301"])
TEXTS = st.one_of(
    st.lists(LETTERS, max_size=WIDTH).map("".join), st.integers(0, WIDTH).map(lambda number: " " * number)
)
STYLES = st.sampled_from(
    ["", "bold", "on #101418", "#68b8ff on #101418", "underline", "reverse on red", "on default", "red"]
).map(Style.parse)
LINES = st.lists(st.tuples(TEXTS, STYLES), max_size=5)
SCREENS = st.lists(LINES, min_size=HEIGHT, max_size=HEIGHT)


def strip_of(line: list[tuple[str, Style]], width: int = WIDTH) -> Strip:
    """Return a line of a screen, as wide as that is."""
    return Strip([Segment(text, style) for text, style in line]).adjust_cell_length(width, Style())


def layout(screen: list[list[tuple[str, Style]]]) -> LayoutUpdate:
    """Return the update of a whole screen."""
    return LayoutUpdate([[strip_of(line)] for line in screen], Region(0, 0, WIDTH, HEIGHT))


class Terminal:
    """A terminal that shows what was sent to it."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT + 1)  # pyte scrolls for an accent on the last cell of the last line
        self._stream = pyte.Stream(self.screen)

    def send(self, text: str) -> None:
        """Show more."""
        self._stream.feed(text)

    @property
    def cells(self) -> list[Any]:
        """What is seen: the characters with their colours; of a plain blank only the background."""
        return [_seen(self.screen.buffer[y][x]) for y in range(HEIGHT) for x in range(WIDTH)]


def _seen(cell: Any) -> Any:
    if cell.data == " " and not (cell.underscore or cell.reverse):
        return cell.bg
    return cell


@pytest.mark.slow
@pytest.mark.parametrize("erases_in_colour", [False, True])
@given(screens=st.lists(SCREENS, min_size=1, max_size=4))
def test_the_terminal_looks_as_if_all_had_been_sent(screens: list[Any], erases_in_colour: bool) -> None:
    """After each update, whatever its texts and colours: blank ends, lines through them, wide and combining ones."""
    painting, whole, sparing = Painting(), Terminal(), Terminal()
    painting._erases_in_colour = erases_in_colour
    for screen in screens:
        whole.send(layout(screen).render_segments(CONSOLE).replace("\n", ""))
        sparing.send(painting.changes(layout(screen), CONSOLE))
        assert sparing.cells == whole.cells


@pytest.mark.slow
@given(
    screen=SCREENS,
    pieces=st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 10), LINES), max_size=4),
)
def test_parts_of_lines_are_sent_likewise(screen: Any, pieces: list[Any]) -> None:
    """Textual paints widgets as spans of lines: these too are compared with what is there."""
    painting, whole, sparing = Painting(), Terminal(), Terminal()
    updates: list[LayoutUpdate | ChopsUpdate] = [layout(screen), *(_part(*piece) for piece in pieces)]
    for update in updates:
        whole.send(update.render_segments(CONSOLE).replace("\n", ""))
        sparing.send(painting.changes(update, CONSOLE))
        assert sparing.cells == whole.cells


def _part(y: int, x: int, line: list[tuple[str, Style]]) -> ChopsUpdate:
    chops: list[dict[int, Strip | None]] = [{} for _ in range(HEIGHT)]
    ends: list[list[int]] = [[] for _ in range(HEIGHT)]
    chops[y], ends[y] = {0: None, x: strip_of(line, 10)}, [x, x + 10]
    return ChopsUpdate(chops, [(y, x, x + 10)], ends)


@pytest.mark.slow
@given(screens=st.lists(st.tuples(SCREENS, st.integers(1, WIDTH), st.integers(1, HEIGHT)), min_size=2, max_size=4))
def test_a_layout_of_another_size_is_cropped(screens: list[Any]) -> None:
    """Whatever a smaller terminal is sent of a larger layout, the next one is shown as if that had not been."""
    painting, sparing = Painting(), Terminal()
    for screen, width, height in screens:
        painting.resized(width, height)
        sparing.screen.resize(height + 1, width)
        sparing.screen.reset()
        sparing.send(painting.changes(layout(screen), CONSOLE))
        fitting = LayoutUpdate([[strip_of(line, width)] for line in screen[:height]], Region(0, 0, width, height))
        whole = Terminal()
        whole.screen.resize(height + 1, width)
        whole.send(fitting.render_segments(CONSOLE).replace("\n", ""))
        sparing.send(painting.changes(fitting, CONSOLE))
        shown = [[_seen(one.screen.buffer[y][x]) for y in range(height) for x in range(width)]
                 for one in (sparing, whole)]  # fmt: skip
        assert shown[0] == shown[1]
        assert all(cell.data == " " for cell in sparing.screen.buffer[height].values())


def test_only_what_has_changed_is_sent() -> None:
    """The same again is nothing, a digit is a few bytes, and after `forget` everything is sent."""
    painting = Painting()
    screen = [[(f"{'word ' * 7}{number}", Style.parse("#e6e8ea on #101418"))] for number in range(HEIGHT)]
    first = painting.changes(layout(screen), CONSOLE)
    assert painting.changes(layout(screen), CONSOLE) == ""
    screen[1] = [(f"{'word ' * 7}7", Style.parse("#e6e8ea on #101418"))]
    assert painting.changes(layout(screen), CONSOLE) == "\x1b[2;36H\x1b[0;38;2;230;232;234;48;2;16;20;24m7\x1b[0m"
    painting.forget()
    assert len(painting.changes(layout(screen), CONSOLE)) == len(first)


def test_blanks_are_erased_where_that_leaves_their_background() -> None:
    """At the end of a line and within it; in colour only by terminals that erase in colour."""
    for style, erases_in_colour, erased in (("", False, True), ("on blue", True, True), ("on blue", False, False)):
        painting = Painting()
        painting._erases_in_colour = erases_in_colour
        line = [("a" + " " * 20 + "b" + " " * 18, Style.parse(style))]
        sent = painting.changes(layout([line] * HEIGHT), CONSOLE)
        assert ("\x1b[20X\x1b[20C" in sent, "\x1b[K" in sent) == (erased, erased)
