"""Switching collections in the Documents view: each is shown as it was left, in this start and the next."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.services.collections.collections import (
    add_collection,
    collection_in_use,
    collection_names,
    use_collection,
)
from ingest_tui.services.documents.documents import list_documents, remove_documents
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.dialogs import Choose, ChooseSeveral, Confirm
from ingest_tui.tui.dialogs.report import LinesReport
from ingest_tui.tui.views.collections.preferences_form import PreferencesForm
from ingest_tui.tui.views.documents.collection_views import CollectionView, CollectionViews
from ingest_tui.tui.views.documents.document_columns import CHOICES, columns_of_list
from ingest_tui.tui.widgets.columns import lay_out
from ingest_tui.tui.widgets.text import TextLines
from tests.tui.stories import run_story, said, screen_text, until
from tests.tui.test_tui_documents import choose

pytestmark = pytest.mark.slow


@pytest.fixture
def filled(root: Path) -> Path:
    """Sixty documents in ``default``, two in ``reports``, none in ``empty``."""
    with open_workspace(root) as handle:
        for name in ("reports", "empty"):
            add_collection(handle.workspace, name)
        for number in range(60):
            text = f"document {number}"
            handle.register("default", IngestedDocument(content=text, unique_id=f"d{number:02}.md", source_type="api"))
        for name in ("a.md", "b.md"):
            handle.register("reports", IngestedDocument(content=name, unique_id=name, source_type="api"))
    return root


def names(app: Any) -> list[str]:
    return [line.title for line in app.screen.table.rows]


async def open_preferences(app: Any, pilot: Any, collection: str, field: str, *, documents: int = 62) -> str:
    """Open the preferences of a collection from its documents; returns the name of the one under the cursor."""
    await pilot.press("3")
    await until(pilot, lambda: len(names(app)) == documents)
    await switch(app, pilot, collection)
    await until(pilot, lambda: len(names(app)) < documents)
    shown = app.screen.table.current
    await pilot.press("P")
    await until(pilot, lambda: app.screen.form is not None and app.screen.query(f"#field-{field}"))
    return shown.name.rpartition("/")[2] if shown else ""


async def switch(app: Any, pilot: Any, name: str) -> None:
    await pilot.press("c")
    await choose(app, pilot, name)


def collections_shown(app: Any) -> list[str]:
    """Return the names in the list of collections."""
    return [page.summary.collection.collection_id for page in app.screen.table.rows]


async def choose_row(app: Any, pilot: Any, key: str) -> None:
    """Put the cursor on a row."""
    app.screen.select_row(key)
    await until(pilot, lambda: app.screen.row_key == key)


def shown_columns(app: Any) -> list[str]:
    """Return the names at the top of the list that are in sight."""
    table = app.screen.table
    return [column.name for column in table.columns if column.from_width <= table.line_width]


def test_columns_are_chosen_for_each_collection(filled: Path) -> None:
    """What is chosen is shown even where it is not usual, only there, in the next start too; nothing is as usual."""

    async def first(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 62)
        await switch(app, pilot, "reports")
        await until(pilot, lambda: names(app) == ["a.md", "b.md"])
        usual = shown_columns(app)
        assert "title" in usual
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, ChooseSeveral))
        marked = [name for name, _text in app.screen._options if name in app.screen._marked]
        assert marked == usual[1:]
        await pilot.press("space", "j", "j", "j", "space", "enter")  # the title, the type
        await until(pilot, lambda: "TYPE" in screen_text(app))
        assert "TITLE" not in screen_text(app)
        assert shown_columns(app)[:2] == ["name", "type"]
        await switch(app, pilot, "default")
        await until(pilot, lambda: len(names(app)) == 60)
        assert shown_columns(app) == usual
        app.exit()

    async def second(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 60)
        await switch(app, pilot, "reports")
        await until(pilot, lambda: names(app) == ["a.md", "b.md"])
        assert shown_columns(app)[:2] == ["name", "type"]
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, ChooseSeveral))
        for number in range(len(CHOICES)):
            if list(CHOICES)[number] in app.screen._marked:
                await pilot.press("space")
            await pilot.press("j")
        await pilot.press("enter")
        await until(pilot, lambda: "TITLE" in screen_text(app))

    run_story(filled, first, size=(100, 24))
    run_story(filled, second, size=(100, 24))


def test_chosen_columns_leave_room_for_the_document() -> None:
    """In a narrow list those at the end give way."""
    columns = columns_of_list(lambda: 0.0, {}, set(), list(CHOICES))
    for width in (20, 40, 80, 200):
        laid_out = lay_out(columns, width, gutter=2)
        assert laid_out[0][0].name == "name"
        assert laid_out[0][1] >= 10
        assert sum(cells + 1 for _column, cells in laid_out) <= width
    assert [column.name for column, _cells in lay_out(columns, 200, gutter=2)] == ["name", *CHOICES]


def test_each_collection_is_shown_as_it_was_left(filled: Path) -> None:
    """Cursor, scroll position, order and filter come back with the collection; an empty one says what to do next."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 62)
        await switch(app, pilot, "default")
        await until(pilot, lambda: len(names(app)) == 60)
        table = app.screen.table
        table.select(table.rows[45].key)
        await until(pilot, lambda: table.scroll_offset.y > 0)
        left = table.current_key, table.scroll_offset.y

        await switch(app, pilot, "reports")
        await until(pilot, lambda: names(app) == ["a.md", "b.md"])
        assert table.cursor == 0
        await pilot.press("O")
        await until(pilot, lambda: names(app) == ["b.md", "a.md"])
        await switch(app, pilot, "empty")
        await until(pilot, lambda: "Collection empty has no documents yet" in screen_text(app))

        await switch(app, pilot, "default")
        await until(pilot, lambda: len(names(app)) == 60 and table.current_key == left[0])
        assert table.scroll_offset.y == left[1]
        assert names(app)[0] == "d00.md"
        await switch(app, pilot, "reports")
        await until(pilot, lambda: names(app) == ["b.md", "a.md"])
        await until(pilot, lambda: collection_in_use(open_workspace_at(filled)) == "reports")

    run_story(filled, story)


def test_the_next_start_shows_the_collection_in_use(filled: Path) -> None:
    """`collection use` decides what the list begins with, as it was last looked at."""
    use_collection(open_workspace_at(filled), "reports")

    async def leave(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: names(app) == ["a.md", "b.md"])
        assert "collection: reports" in said(app, "info")
        await pilot.press("down")
        await until(pilot, lambda: app.screen.table.cursor == 1)
        app.exit()

    async def come_back(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: names(app) == ["a.md", "b.md"] and app.screen.table.cursor == 1)

    run_story(filled, leave)
    run_story(filled, come_back)


def test_preferences_are_changed_in_a_form(filled: Path) -> None:
    """What a change touches is said and confirmed by Enter; a wrong value is said next to the form and not saved."""

    async def story(app: Any, pilot: Any) -> None:
        await open_preferences(app, pilot, "reports", "chunk_size")
        entry = app.screen.query_one("#field-chunk_size", Input)
        entry.focus()
        await pilot.press(*"20")
        await pilot.press("enter")
        await until(pilot, lambda: "must be from 200" in said(app, "help-chunk_size"))
        await pilot.press("0", "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "re-chunks 2 documents, nothing is fetched" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: preferences(filled).chunk_size == 200)
        await until(pilot, lambda: any("cuts its documents again" in one.message for one in app._notifications))

    run_story(filled, story)


def test_what_ocr_lacks_for_chosen_languages_is_said(filled: Path) -> None:
    """Saved they are, and a notice has what this machine lacks to read them."""

    async def story(app: Any, pilot: Any) -> None:
        await open_preferences(app, pilot, "reports", "ocr_languages")
        app.screen.query_one("#field-ocr_languages", Input).focus()
        await pilot.press(*"tlh", "enter")
        await until(pilot, lambda: preferences(filled).ocr_languages == "tlh")
        await until(pilot, lambda: any("of Tesseract for tlh" in one.message for one in app._notifications))

    run_story(filled, story)


def test_preferences_are_previewed_before_they_are_saved(filled: Path) -> None:
    """^r shows the chunks that the document under the cursor would have; nothing is saved, and the form stays."""

    async def story(app: Any, pilot: Any) -> None:
        shown = await open_preferences(app, pilot, "reports", "chunk_size")
        app.screen.query_one("#field-chunk_size", Input).focus()
        await pilot.press(*"20", "ctrl+r")
        await until(pilot, lambda: "must be from 200" in said(app, "help-chunk_size"))
        await pilot.press("0", "ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, LinesReport) and "#0  " in screen_text(app))
        assert f"1 chunk of {shown} by these preferences" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PreferencesForm))
        assert app.screen.query_one("#field-chunk_size", Input).value == "200"

    run_story(filled, story)
    assert preferences(filled).chunk_size is None


def test_chunks_are_shown_only_by_what_can_be(filled: Path) -> None:
    """Next to the form are the chunks as entered; while that cannot be there are none, and its field says why."""

    async def story(app: Any, pilot: Any) -> None:
        await open_preferences(app, pilot, "reports", "chunk_size")
        chunks = app.screen.query_one("#chunks-now", TextLines)
        await until(pilot, lambda: "#0  " in chunks.plain and str(chunks.border_subtitle) == "as entered")
        app.screen.query_one("#field-chunk_size", Input).focus()
        await pilot.press(*"20")
        await until(pilot, lambda: "must be from 200" in said(app, "help-chunk_size"))
        await until(pilot, lambda: "#0  " not in chunks.plain and "no chunks to show" in chunks.plain)
        assert not chunks.border_subtitle
        await pilot.press("0")
        await until(pilot, lambda: "#0  " in chunks.plain and str(chunks.border_subtitle) == "as entered")
        assert "must be" not in said(app, "help-chunk_size")

    run_story(filled, story, size=(160, 50))


def test_preferences_of_an_empty_collection_have_no_preview(filled: Path) -> None:
    """It says what is missing."""

    async def story(app: Any, pilot: Any) -> None:
        await open_preferences(app, pilot, "empty", "chunk_size")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "no document to preview" in said(app, "form-error"))

    run_story(filled, story)


def test_the_menu_of_a_document_names_it_and_offers_what_can_be_done(filled: Path) -> None:
    """Its name is the title, not its id; Restore is offered in the trash alone, Remove everywhere else."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 62)
        name = app.screen.table.current.name
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert app.screen._title == f"Actions for {name}"
        offered = [name for name, _text in app.screen._options]
        assert "document.remove" in offered
        assert not {"document.restore", "document.upload", "collection.preferences"} & set(offered)
        await pilot.press("escape", "D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: len(names(app)) == 61)
        await pilot.press("T")
        await until(pilot, lambda: [line.name for line in app.screen.table.rows] == [name])
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        offered = [name for name, _text in app.screen._options]
        assert "document.restore" in offered
        assert "document.remove" not in offered

    run_story(filled, story)


def preferences(root: Path) -> CollectionPreferences:
    return open_workspace_at(root).collections.get("reports").preferences


def test_views_from_a_file_are_taken_up_as_far_as_they_make_sense() -> None:
    """Values of other types, negative numbers, and more views than are kept are passed over."""
    views = CollectionViews()
    views.take_up(
        {"a": {"row": 7, "top": -1, "words": "rain", "backwards": True}, "b": [], 3: {}, "c": {"rows": 10**9}}
    )
    assert views.of("a") == CollectionView(words="rain", backwards=True)
    assert views.of("b") == CollectionView()
    views.take_up("nonsense")
    for number in range(60):
        views.keep(f"c{number}", CollectionView(rows=10**6))
    assert len(views.as_dict()) == 50
    assert views.of("c59").rows == 5_000


def test_a_collection_is_added_and_removed(filled: Path) -> None:
    """``C`` makes one and shows it; ``D`` in Collections says what goes, and what it had is not shown any more."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 62)
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"Annual figures", "enter")
        await until(pilot, lambda: "Collection annual-figures has no documents yet" in screen_text(app))
        await switch(app, pilot, "reports")
        await until(pilot, lambda: names(app) == ["a.md", "b.md"])
        await pilot.press("8")
        await until(pilot, lambda: collections_shown(app) == ["annual-figures", "default", "empty", "reports"])
        await choose_row(app, pilot, "reports")
        await pilot.press("D")
        await until(pilot, lambda: "Remove collection reports?" in screen_text(app))
        assert "2 documents" in screen_text(app)
        await pilot.press("right", "enter")
        await until(pilot, lambda: collections_shown(app) == ["annual-figures", "default", "empty"])
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 60)

    run_story(filled, story)
    with closing(open_workspace_at(filled)) as workspace:
        assert collection_names(workspace) == ["annual-figures", "default", "empty"]


def test_rows_that_the_wheel_brings_into_sight_are_read_like_those_of_the_cursor(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their status is there although the cursor rests on the first row, and so are the rows that follow them."""
    screens = "ingest_tui.tui.views.documents.documents_screen"
    for name, number in {"PAGE": 20, "_READ_AHEAD": 5, "_DETAILS_AHEAD": 0}.items():
        monkeypatch.setattr(f"{screens}.{name}", number)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) >= 20 and "searchable" in screen_text(app))
        table = app.screen.table
        for _ in range(3):
            known = len(names(app))
            table.scroll_end(animate=False)
            await until(pilot, lambda known=known: len(names(app)) > known or known == 62)  # type: ignore[misc]
        table.scroll_end(animate=False)
        rows = 62, "d59.md"
        await until(pilot, lambda: (len(names(app)), "d59.md" in screen_text(app)) == (rows[0], True))
        line = next(line for line in table.rows if line.title == rows[1])
        await until(pilot, lambda: line.key in app.screen._details)
        assert table.cursor == 0

    run_story(filled, story, size=(120, 24))


def test_a_removed_collection_is_restored(filled: Path) -> None:
    """It is chosen among those that the trash has, comes back with its documents, and the cursor is on it; where none
    was removed a notice says so."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("8")
        await until(pilot, lambda: collections_shown(app) == ["default", "empty", "reports"])
        await pilot.press("T")
        await until(pilot, lambda: any("no collection was removed" in one.message for one in app._notifications))
        for name in ("reports", "empty"):
            await choose_row(app, pilot, name)
            await pilot.press("D")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press("y")
            await until(pilot, lambda name=name: name not in collections_shown(app))  # type: ignore[misc]
        await pilot.press("T")
        await choose(app, pilot, "reports")
        await until(pilot, lambda: collections_shown(app) == ["default", "reports"])
        await until(pilot, lambda: app.screen.row_key == "reports")
        await until(pilot, lambda: any("restored collection reports" in one.message for one in app._notifications))
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert [name for name, _text in app.screen._options] == ["empty"]

    run_story(filled, story)


def test_a_shorter_grace_says_what_it_deletes(filled: Path) -> None:
    """A change that makes documents of the trash overdue is confirmed before it is saved."""
    with closing(open_workspace_at(filled)) as workspace:
        [document] = list_documents(workspace, collection_id="reports", contains="a.md")
        remove_documents(workspace, [document.document_id])

    async def story(app: Any, pilot: Any) -> None:
        await open_preferences(app, pilot, "reports", "trash_days", documents=61)
        app.screen.query_one("#field-trash_days", Input).focus()
        await pilot.press("0", "enter")
        await until(pilot, lambda: "This deletes 1 document of the trash for good." in screen_text(app))
        assert preferences(filled).trash_days is None
        await pilot.press("right", "enter")
        await until(pilot, lambda: preferences(filled).trash_days == 0)

    run_story(filled, story)
