"""Documents by source and folder: going in and out, counts, the cursor, marks, and what is acted on."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.unicode import as_unicode
from ingest_tui.services.client import Client
from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.views.documents.documents_model import FolderLine
from ingest_tui.tui.views.documents.documents_screen import DocumentsScreen
from ingest_tui.tui.widgets.text import TextLines
from tests.tui.stories import HOSTILE_NAMES, let_answer, run_story, said, screen_text, send_together, until
from tests.unit.store.catalogue_rows import document

pytestmark = pytest.mark.slow

KEYS = {
    "docs": ["a.md", "b.md", "2019/one.md", "2019/two.md", "2019/deep/three.md"],
    "wiki": ["home.md"],
}


def put_documents(root: Path, keys: dict[str, list[str]]) -> None:
    """Put documents into the catalogue, as jobs would have; they have no text."""
    with closing(open_workspace_at(root)) as workspace, workspace.catalogue.transaction():
        workspace.catalogue.put_documents(
            document(f"{source}-{key}", source_id=source, key=key, uri=f"file:///{source}/{key}")
            for source, names in keys.items()
            for key in names
        )


@pytest.fixture
def filled(root: Path, tmp_path: Path) -> Path:
    """A workspace with documents of two sources, some of them in folders."""
    with closing(open_workspace_at(root)) as workspace:
        for name in KEYS:
            (tmp_path / name).mkdir()
            add_source(workspace, source_type="local", name=name, config={"path": str(tmp_path / name)})
    put_documents(root, KEYS)
    return root


@pytest.fixture
def client(filled: Path) -> Client:
    """A client to documents that have a text."""
    client = Client(filled)
    let_answer(client.documents, text=lambda name, _version=None: f"text of {name}", record=lambda _name: {})
    return client


def names(app: Any) -> list[str]:
    """Return what is listed: folders with their numbers, documents by their keys."""
    return [f"{one.name} {one.documents}" if isinstance(one, FolderLine) else one.name for one in app.screen.table.rows]


async def shows(app: Any, pilot: Any, *expected: str) -> None:
    """Wait until this is listed, and keys act on it."""
    await until(pilot, lambda: names(app) == list(expected) and app.input_queue.is_quiet)


TOP = ("docs 5", "wiki 1")
IN_DOCS = ("2019/ 3", "a.md", "b.md")
IN_2019 = ("deep/ 1", "2019/one.md", "2019/two.md")


async def open_folders(app: Any, pilot: Any) -> None:
    """Show the sources, with the cursor on the first."""
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, DocumentsScreen) and len(app.screen.table.rows) >= 6)
    await pilot.press("b")
    await until(pilot, lambda: app.screen.narrowed.folder is not None and app.input_queue.is_quiet)
    while app.screen.narrowed.folder.above is not None:
        await pilot.press("escape")
        await until(pilot, lambda: app.input_queue.is_quiet)
    await until(pilot, lambda: names(app)[0] == "docs 5" and app.input_queue.is_quiet)


def test_enter_goes_into_folders_and_esc_back(filled: Path, client: Client) -> None:
    """Each level has its folders with the number of all below, its documents; Esc puts the cursor on it."""

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        assert "docs/" in said(app, "header")
        assert "2019/" in screen_text(app)
        await pilot.press("enter")
        await shows(app, pilot, *IN_2019)
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.screen.view == "document")
        await pilot.press("escape")
        await shows(app, pilot, *IN_2019)
        assert app.screen.row_key == "docs-2019/one.md"
        await pilot.press("escape")
        await shows(app, pilot, *IN_DOCS)
        await until(pilot, lambda: app.screen.row_key == "docs/2019/")
        await pilot.press("escape")
        await shows(app, pilot, *TOP)
        await until(pilot, lambda: app.screen.row_key == "docs/")
        await pilot.press("escape", "b")
        await until(pilot, lambda: len(names(app)) == 6 and app.screen.narrowed.folder is None)

    run_story(filled, story, client=client)


def test_the_document_stays_under_the_cursor_from_list_to_folder_and_back(filled: Path, client: Client) -> None:
    """The key opens the folder of the document, and shows the list again at the document."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(app.screen.table.rows) == 6)
        app.screen.select_row("docs-2019/two.md")
        await pilot.press("b")
        await shows(app, pilot, *IN_2019)
        await until(pilot, lambda: app.screen.row_key == "docs-2019/two.md")
        await pilot.press("b")
        await until(pilot, lambda: len(names(app)) == 6 and app.screen.row_key == "docs-2019/two.md")

    run_story(filled, story, client=client)


def test_the_cursor_follows_its_folder_and_its_document_over_a_refresh(filled: Path, client: Client) -> None:
    """What comes in before them moves the rows, and the numbers grow."""

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        put_documents(filled, {"docs": ["1999/old.md", "2019/new.md"]})
        app.feed.look_now()
        await shows(app, pilot, "1999/ 1", "2019/ 4", "a.md", "b.md")
        assert app.screen.row_key == "docs/2019/"
        await pilot.press("G")
        await until(pilot, lambda: app.screen.row_key == "docs-b.md")
        put_documents(filled, {"docs": ["a-new.md"]})
        app.feed.look_now()
        await shows(app, pilot, "1999/ 1", "2019/ 4", "a-new.md", "a.md", "b.md")
        assert app.screen.row_key == "docs-b.md"

    run_story(filled, story, client=client)


def test_folders_are_neither_marked_nor_acted_on(filled: Path, client: Client) -> None:
    """Marks are for documents; on a folder an action for documents does nothing, and an export takes what is in it."""

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        await pilot.press("D")
        await until(pilot, lambda: app.input_queue.is_quiet)
        assert not isinstance(app.screen, Confirm)
        await pilot.press("space")
        await until(pilot, lambda: app.screen.table.cursor == 1)
        assert app.screen.table.marks == set()
        await pilot.press("asterisk")
        await until(pilot, lambda: app.screen.table.marks == {"docs-a.md", "docs-b.md"})
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen.view == "documents" and not app.screen.table.marks)
        found = client.documents.list(**app.screen.export_query().as_choice())
        assert [one.source_id for one in found] == ["docs"] * 5

    run_story(filled, story, client=client)


def test_words_and_search_stay_in_the_folder_and_lead_back_to_it(filled: Path, client: Client) -> None:
    """The filter leaves folders that have a match; a search is of what is in the folder, Esc shows the folder again."""
    asked: list[Any] = []

    def search(_words: str, **choice: Any) -> list[Any]:
        asked.append(str(choice["folder"]))
        return []

    let_answer(client.documents, search=search)

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        await pilot.press("slash", *"three")
        await shows(app, pilot, "2019/ 1")
        await pilot.press("escape")
        await shows(app, pilot, *IN_DOCS)
        await pilot.press("s", *"rain", "enter")
        await until(pilot, lambda: "Nothing is found" in screen_text(app) and asked[-1] == "docs/")
        await pilot.press("escape")
        await shows(app, pilot, *IN_DOCS)

    run_story(filled, story, client=client)


def test_the_open_folder_is_remembered(filled: Path, client: Client) -> None:
    """Another start begins in it; a folder that is empty by then says so, and Esc leads out."""

    async def first(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        app.exit()

    async def second(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await shows(app, pilot, *IN_DOCS)

    async def third(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: "No document is in this folder" in screen_text(app))
        await pilot.press("escape")
        await shows(app, pilot, "wiki 1")

    run_story(filled, first, client=client)
    run_story(filled, second, client=client)
    with closing(open_workspace_at(filled)) as workspace, workspace.catalogue.transaction():
        workspace.catalogue.execute("DELETE FROM documents WHERE source_id = 'docs'")
    run_story(filled, third, client=client)


def test_rows_keep_their_columns_while_others_are_on_their_way(filled: Path, client: Client) -> None:
    """What is known of documents comes while a list of all of them is asked for: folders are still drawn as folders."""
    may_know, may_list = threading.Event(), threading.Event()
    details, page = client.documents.details, client.documents.page

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        let_answer(client.documents, details=lambda ids: may_know.wait(30) and details(ids),
                   page=lambda **choice: may_list.wait(30) and page(**choice))  # fmt: skip
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        set_columns, known = app.screen.table.set_columns, threading.Event()

        def set_and_note(columns: Any) -> None:
            set_columns(columns)
            known.set()

        let_answer(app.screen.table, set_columns=set_and_note)
        send_together(app, "b")
        await until(pilot, lambda: app.screen.narrowed.folder is None)
        may_know.set()
        await until(pilot, known.is_set)
        assert "2019/" in screen_text(app)
        may_list.set()
        await until(pilot, lambda: len(names(app)) == 6)

    run_story(filled, story, client=client)


def test_a_wide_screen_shows_what_is_in_the_folder_under_the_cursor(filled: Path, client: Client) -> None:
    """Its folders and documents, and how much it is."""

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        preview, facts = (app.screen.query_one(name, TextLines) for name in ("#preview", "#facts"))
        await until(pilot, lambda: "2019/  3\na.md\nb.md" in preview.plain and "documents      5" in facts.plain)
        await pilot.press("enter")
        await shows(app, pilot, *IN_DOCS)
        await pilot.press("G")
        await until(pilot, lambda: "text of docs-b.md" in preview.plain)

    run_story(filled, story, size=(200, 50), client=client)


def test_folders_with_hostile_names_are_gone_into(filled: Path, client: Client) -> None:
    """Names that act on terminals or markup, also as folders: each leads to its document, and back."""
    hostile = [as_unicode(name).replace("/", "%") for name in HOSTILE_NAMES if "\x00" not in name]
    put_documents(filled, {"wiki": [f"{name}/in.md" for name in hostile]})

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("G", "enter")
        await until(pilot, lambda: len(names(app)) == len(hostile) + 1 and app.input_queue.is_quiet)
        for _ in hostile:
            folder = app.screen.row_key
            assert "\x1b" not in screen_text(app)
            await pilot.press("enter")
            await until(pilot, lambda: len(names(app)) == 1 and app.input_queue.is_quiet)
            assert names(app)[0].endswith("/in.md")
            await pilot.press("escape")
            await until(pilot, lambda at=folder: app.screen.row_key == at and len(names(app)) > 1)  # type: ignore[misc]
            await pilot.press("j")

    run_story(filled, story, client=client)


def test_a_folder_offers_nothing_that_is_done_with_documents(filled: Path, client: Client) -> None:
    """Neither footer nor menu; the keys say why, and work on a document."""

    async def story(app: Any, pilot: Any) -> None:
        await open_folders(app, pilot)
        await pilot.press("g", "enter")
        await shows(app, pilot, *IN_DOCS)
        await until(
            pilot,
            lambda: isinstance(app.screen.table.current, FolderLine) and "i why" not in said(app, "keys"),
        )
        for key in ("i", "D", "E"):
            app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: "this is a folder, not a document" in said(app, "notice"))
            assert isinstance(app.screen, DocumentsScreen)
        await pilot.press("x")
        await until(pilot, lambda: "Actions for docs/2019/" in screen_text(app))
        assert "Why is it" not in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DocumentsScreen))
        await pilot.press("G")
        await until(pilot, lambda: "i why" in said(app, "keys"))

    run_story(filled, story, client=client)
