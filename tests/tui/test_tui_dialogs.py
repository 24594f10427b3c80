"""Dialogs stand over the view that they are about, in a border; a help text is read whole."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ingest_tui.tui
from ingest_tui.tui.dialogs import dialog
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.dialogs.dialogs import ChooseSeveral
from ingest_tui.tui.widgets.fields import Field
from ingest_tui.tui.widgets.form import Form
from tests.tui.stories import at_rest, run_story, screen_text, until

STYLES = Path(dialog.__file__).parent / "dialogs.tcss"


def _dialogs(kind: type[Any] = Dialog) -> Iterator[type[Any]]:
    for known in kind.__subclasses__():
        yield known
        yield from _dialogs(known)


def test_every_dialog_has_the_looks_of_a_dialog() -> None:
    """Textual gives a class the styles of its first base alone: one that begins with another is named there."""
    for module in pkgutil.walk_packages(ingest_tui.tui.__path__, "ingest_tui.tui."):
        importlib.import_module(module.name)
    styled = set(STYLES.read_text().partition("{")[0].replace(",", " ").split())
    assert [known.__name__ for known in _dialogs() if not styled & known._css_type_names] == []


def test_a_question_stands_over_its_view(root: Path) -> None:
    """What is behind stays readable: the question and a list to mark take the room that they need, and no more."""

    async def opens(app: Any, pilot: Any, shown: Dialog[Any]) -> None:
        app.push_screen(shown)
        await until(pilot, lambda: app.screen is shown)
        await at_rest(pilot)
        panel = shown.query_one(".dialog")
        assert panel.styles.border_top[0] == "round"
        assert panel.region.height < app.size.height // 2
        assert "1 Jobs" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not shown)

    async def story(app: Any, pilot: Any) -> None:
        await opens(app, pilot, Ask("Which name?"))
        await opens(app, pilot, ChooseSeveral("Columns", [("a", "A"), ("b", "B")], ["a"]))

    run_story(root, story)


def test_help_is_read_whole_in_a_small_terminal(root: Path) -> None:
    """It takes as many lines as it needs, and a long message of what is wrong does, too."""
    long = " ".join(f"word{number}" for number in range(24))
    wrong = " ".join(f"wrong{number}" for number in range(24))

    async def story(app: Any, pilot: Any) -> None:
        form = Form([Field("a", long), Field("b", "short")])
        await app.screen.mount(form, before=0)
        await until(pilot, lambda: all(word in screen_text(app) for word in long.split()))
        form.say_error("b", wrong)
        await until(pilot, lambda: all(word in screen_text(app) for word in wrong.split()))

    run_story(root, story)
