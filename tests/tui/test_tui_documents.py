"""The Documents view: narrowing, searching as one types, parts and versions, trash, export, the original."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from ingest_tui.model.document import Document, SearchHit
from ingest_tui.services.client import Client
from ingest_tui.services.collections.collections import add_collection, use_collection
from ingest_tui.services.documents import search, search_modes
from ingest_tui.services.documents.upload_check import unreadable_files
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import list_jobs
from ingest_tui.services.workers import follow_job
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.ask import Ask, is_whole_number
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.report import Report
from ingest_tui.tui.terminal import pager
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.document_screen import DocumentScreen
from ingest_tui.tui.views.documents.documents_model import empty_words, hit_words, line_of_hit, query_as_typed
from ingest_tui.tui.views.documents.file_picker import FilePicker
from tests.tui.stories import at_rest, let_answer, run_story, said, screen_text, sync_by_hand, until
from tests.tui.test_tui_screens import ACTING

pytestmark = pytest.mark.slow


def names(app: Any) -> list[str]:
    """Return the names of the documents that are listed."""
    return [line.name for line in app.screen.table.rows]


def told(app: Any, words: str) -> bool:
    """Tell whether a notice holds some words."""
    return any(words in notice.message for notice in app._notifications)


async def choose(app: Any, pilot: Any, word: str) -> None:
    """Take the option of a chooser that holds a word."""
    await until(pilot, lambda: isinstance(app.screen, Choose))
    options = [text for _name, text in app.screen._options]
    number = next(number for number, text in enumerate(options) if word in text)
    await pilot.press(*["down"] * number, "enter")


@pytest.mark.parametrize(
    ("typed", "query"),
    [("", ""), ("ket", "ket*"), ("rain gau", "rain gau*"), ("ket*", "ket*"), ('"rain gauge', '"rain gauge'),
     ("rain OR", "rain OR"), ('"rain gauge"', '"rain gauge"'), ("c++", "c++")],
)  # fmt: skip
def test_the_last_word_may_be_a_beginning(typed: str, query: str) -> None:
    """While a person types the last word matches beginnings; quotes and operators are left alone."""
    assert query_as_typed(typed) == query


def test_the_words_of_a_snippet_that_matched() -> None:
    """They are between the marks, each once."""
    assert hit_words("the \x02Kettle\x03 and a \x02kettle\x03 in \x02sight, « word »") == ["kettle"]


def test_a_hit_is_called_as_people_write_it() -> None:
    """What an address encodes is read again, and marks that the text has itself mark nothing."""
    hit = SearchHit(
        "d", "d:1:0", "", "file:///srv/my%20notes.txt", "default", 1, "", "« rain » is \x02here\x03", "text", 1.0
    )
    line = line_of_hit(hit)
    assert (line.name, line.passage.words if line.passage else ()) == ("my notes.txt", ("here",))


def test_search_finds_while_typing_and_marks_hits(filled: Path) -> None:
    """Hits come without Enter, for the beginning of a word; scores and marks are in the list; Esc goes back."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("s", *"kett")
        await until(pilot, lambda: names(app) == ["welcome.md"] and "«kettle»" in screen_text(app))
        assert "SCORE" in screen_text(app)
        assert app.focused.id == "search"
        await pilot.press(*"zzz")
        await until(pilot, lambda: "Nothing is found" in screen_text(app))
        await pilot.press("backspace", "backspace", "backspace", "enter")
        await until(pilot, lambda: app.screen.table.has_focus and names(app) == ["welcome.md"])
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) == 2)

    run_story(filled, story)


def test_what_was_shown_stays_as_it_was_until_a_search_answers(filled: Path) -> None:
    """The list keeps its own columns while the search runs: no row of it is shown as a hit with a score of 0."""
    may_answer = threading.Event()
    client = Client(filled)
    search = client.documents.search

    def slow_search(words: str, **choice: Any) -> list[SearchHit]:
        may_answer.wait(20)
        return search(words, **choice)

    let_answer(client.documents, search=slow_search)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("s", *"kett")
        await until(pilot, lambda: "searching" in said(app, "info"))
        assert "SIZE" in screen_text(app)
        assert "SCORE" not in screen_text(app)
        may_answer.set()
        await until(pilot, lambda: names(app) == ["welcome.md"] and "SCORE" in screen_text(app))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(names(app)) == 2 and "SIZE" in screen_text(app))

    run_story(filled, story, client=client)


def test_a_search_asks_what_was_meant(filled: Path) -> None:
    """Words and filters that match nothing are named; a word that may still be typed to its end is not."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("s", *"kettel")
        await until(pilot, lambda: "no document has 'kettel'; did you mean 'kettle'?" in screen_text(app))
        assert names(app) == []
        app.screen.query_one("#search", Input).value = "shoes kettel"
        await until(pilot, lambda: names(app) == ["rules.txt"] and "did you mean 'kettle'?" in said(app, "info"))
        app.screen.query_one("#search", Input).value = "source:nowhere kettle"
        await until(pilot, lambda: "there is no source 'nowhere'" in screen_text(app))
        app.screen.query_one("#search", Input).value = "kettl"
        await until(pilot, lambda: names(app) == ["welcome.md"])
        await at_rest(pilot)
        assert "did you mean" not in screen_text(app)

    run_story(filled, story)


def test_a_lost_catalogue_is_made_again_under_the_eyes_of_who_waits_for_it(filled: Path) -> None:
    """The view says why it has to wait and how it ended, then shows the documents as if nothing had been."""
    for path in filled.glob("catalogue.db*"):
        path.unlink()

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: told(app, "is missing; rebuilding the catalogue from the documents on disk"))
        await until(pilot, lambda: told(app, "the catalogue is rebuilt: 2 documents"))
        await until(pilot, lambda: len(names(app)) == 2)

    run_story(filled, story)


def test_a_search_without_a_word_says_so(filled: Path) -> None:
    """Signs alone are no query: the hint tells, and nothing is listed."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("s", "+", "+", "enter")
        await until(pilot, lambda: "no word to search for" in screen_text(app) and not names(app))

    run_story(filled, story)


def test_a_search_that_is_superseded_is_given_up(filled: Path) -> None:
    """A slow search learns that nobody waits for it any more, and its answer is not shown."""
    searching, given_up = threading.Event(), threading.Event()
    flag = given_up
    client = Client(filled)
    search = client.documents.search

    def slow_search(words: str, *, given_up: Callable[[], bool] | None = None, **choice: Any) -> list[SearchHit]:
        if words == "slow*" and given_up is not None:
            searching.set()
            for _ in range(500):
                if given_up():
                    flag.set()
                    raise RuntimeError("interrupted")
                threading.Event().wait(0.01)
        return search(words, given_up=given_up, **choice)

    let_answer(client.documents, search=slow_search)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("s", *"slow")
        await until(pilot, searching.is_set)
        app.screen.query_one("#search", Input).value = "kettle"
        await until(pilot, lambda: names(app) == ["welcome.md"])
        assert given_up.wait(5)
        assert not app._notifications

    run_story(filled, story, client=client)


def test_statements_are_given_up(filled: Path) -> None:
    """A statement of the catalogue ends soon after nobody waits for it, and the next one works."""
    from ingest_tui.model.errors import GivenUpError

    workspace = open_workspace_at(filled)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with workspace.catalogue.giving_up_when(lambda: True), pytest.raises(GivenUpError):
        workspace.catalogue.execute(endless)
    assert workspace.catalogue.value("SELECT 1") == 1
    workspace.close()


def test_documents_are_narrowed_down_and_widened(filled: Path) -> None:
    """By type, by collection and by date; the place says by what; Esc shows all."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("f")
        await choose(app, pilot, "Type")
        await choose(app, pilot, "text/markdown")
        await until(pilot, lambda: names(app) == ["welcome.md"])
        assert "type: text/markdown" in said(app, "info")
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("c")
        await choose(app, pilot, "default")
        await until(pilot, lambda: "collection: default" in said(app, "info") and len(names(app)) == 2)
        await pilot.press("f")
        await choose(app, pilot, "Outcome")
        await choose(app, pilot, "duplicate")
        await until(pilot, lambda: "No document matches." in screen_text(app))
        await pilot.press("f")
        await choose(app, pilot, "Show all")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("f")
        await choose(app, pilot, "Changed")
        await choose(app, pilot, "last 7 days")
        await until(pilot, lambda: "since: 2026-11-14" in said(app, "info"))

    run_story(filled, story)


def test_how_words_are_searched_is_chosen(filled: Path) -> None:
    """By words, by meaning or by both, as `search --mode`; it stays, and what it lacks is said in place of hits."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("f")
        await choose(app, pilot, "Search       as the collection prefers")
        await choose(app, pilot, "by words")
        await until(pilot, lambda: app.screen.narrowed.search_mode == "text")
        await pilot.press("s", *"welcome", "enter")
        await until(pilot, lambda: names(app) == ["welcome.md"] and "by words" in said(app, "info"))
        await pilot.press("f")
        await choose(app, pilot, "Search       by words")
        await choose(app, pilot, "by meaning")
        await until(pilot, lambda: "embedder" in screen_text(app))
        assert names(app) == []
        await pilot.press("f")
        await choose(app, pilot, "Search       by meaning")
        await choose(app, pilot, "as the collection prefers")
        await until(pilot, lambda: names(app) == ["welcome.md"] and "by words" not in said(app, "info"))

    run_story(filled, story)


def test_what_a_search_warns_of_is_shown_with_its_hits(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For instance that words alone were searched, since the model knows nothing of them; each warning once."""
    found = search_modes.search_in_mode

    def warning(*given: Any, **options: Any) -> Any:
        warnings.warn("searched by words alone\x1b[31m", stacklevel=1)
        return found(*given, **options)

    monkeypatch.setattr(search, "search_in_mode", warning)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("s", *"welcome", "enter")
        await until(pilot, lambda: names(app) == ["welcome.md"] and "searched by words alone" in said(app, "info"))
        assert said(app, "info").count("searched by words alone\\x1b[31m") == 1

    run_story(filled, story)


def test_the_order_is_chosen_and_turned_around(filled: Path) -> None:
    """``o`` asks the catalogue for another order, ``O`` for the reverse."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: names(app) == ["rules.txt", "welcome.md"])
        await pilot.press("O")
        await until(pilot, lambda: names(app) == ["welcome.md", "rules.txt"])
        await pilot.press("o")
        await choose(app, pilot, "Largest")
        await until(pilot, lambda: "sort: largest v" in said(app, "info") and names(app)[0] == "welcome.md")

    run_story(filled, story)


def test_a_removed_document_is_restored_from_the_trash(filled: Path) -> None:
    """``D`` asks, ``T`` shows the trash, ``u`` restores, and both lists follow."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        documents = app.screen
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "with all their versions" in screen_text(app)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.screen is documents and names(app) == ["welcome.md"])
        await pilot.press("T")
        await until(pilot, lambda: "Documents > trash" in said(app, "header") and names(app) == ["rules.txt"])
        await pilot.press("u")
        await until(pilot, lambda: "The trash is empty." in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) == 2)

    run_story(filled, story)


def test_marked_documents_are_exported_to_a_place_that_is_asked_for(filled: Path, tmp_path: Path) -> None:
    """Format, then place; the marked ones alone are in the file; a place that is taken is refused with a hint."""
    target = tmp_path / "out.jsonl"

    async def export(app: Any, pilot: Any) -> None:
        await pilot.press("X")
        await choose(app, pilot, "JSON lines")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        app.screen.query_one("#answer", Input).value = str(target)
        await pilot.press("enter")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("j", "space")
        await export(app, pilot)
        await until(pilot, lambda: told(app, "exported 1 document"))
        assert [json.loads(line)["document"]["key"] for line in target.read_text().splitlines()] == ["welcome.md"]
        await export(app, pilot)
        await until(pilot, lambda: told(app, "is there already"))
        target.unlink()
        await pilot.press("escape")
        await export(app, pilot)
        await until(pilot, lambda: told(app, "exported 2 documents"))

    run_story(filled, story)


async def open_welcome(app: Any, pilot: Any) -> None:
    """Open the second of two documents, whose kettle is in the cellar by now."""
    await pilot.press("3")
    await until(pilot, lambda: len(names(app)) == 2)
    await pilot.press("j", "enter")
    await until(pilot, lambda: isinstance(app.screen, DocumentScreen) and "in the cellar" in screen_text(app))


def test_a_document_shows_its_parts_and_what_changed(filled: Path, folder: Path) -> None:
    """Text, metadata, chunks, links, versions, and the diff of two of them; Esc goes back step by step."""
    (folder / "welcome.md").write_text("# Welcome\n\nThe kettle is in the cellar.\n\nNot in [the attic](attic.md).\n")
    sync_by_hand(filled, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await open_welcome(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: "media_type" in screen_text(app) and "text/markdown" in screen_text(app))
        await pilot.press("c")
        await until(pilot, lambda: "#0  Welcome" in screen_text(app))
        await pilot.press("l")
        await until(
            pilot, lambda: "broken     attic.md" in screen_text(app) and "no document links" in screen_text(app)
        )
        assert "media_type" not in screen_text(app)
        await pilot.press("m")
        await until(pilot, lambda: "version_label" in app.screen.text.plain)
        await pilot.press("h")
        await until(pilot, lambda: "v2" in screen_text(app) and "current" in screen_text(app))
        assert "welcome.md (version" not in screen_text(app), "lines of the part before are left"
        await pilot.press("d")
        await until(pilot, lambda: "+The kettle is in the cellar." in screen_text(app))
        assert "-The kettle is in the kitchen." in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "> text" in said(app, "header"))
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) == 2)

    run_story(filled, story)


def test_a_name_that_is_not_there_is_explained(filled: Path, folder: Path) -> None:
    """``I`` asks for a name and tells why it is not here."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3", "I")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("enter")
        await until(pilot, lambda: "this is needed" in screen_text(app))
        app.screen.query_one("#answer", Input).value = str(folder / "nowhere.txt")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Report) and "there is no such file" in screen_text(app))

    run_story(filled, story)


def test_a_local_text_opens_in_the_pager_and_others_tell_their_path(
    filled: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pager gets the text, safe to show; what is no text, or not here, goes to the clipboard as a path."""
    paged: list[str] = []
    sent: list[str] = []
    (folder / "rules.txt").write_text("No \x1b]52;c;x\x07 shoes.\n")

    @contextlib.contextmanager
    def suspended(_app: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr("ingest_tui.tui.app.IngestApp.suspend", suspended)
    monkeypatch.setattr("ingest_tui.tui.app.IngestApp.send_to_clipboard", lambda _app, text: sent.append(text))

    def show_in_pager(text: str) -> bool:
        paged.append(text)
        return True

    monkeypatch.setattr(pager, "show_in_pager", show_in_pager)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("E")
        await until(pilot, lambda: bool(paged))
        assert paged == ["No \\x1b]52;c;x\\x07 shoes.\n"]
        (folder / "rules.txt").write_bytes(b"\x00\x01\x02")
        await pilot.press("E")
        await until(pilot, lambda: sent == [str(folder / "rules.txt")])
        (folder / "rules.txt").unlink()
        await pilot.press("E")
        await until(pilot, lambda: len(sent) == 2 and sent[1].startswith("file://"))

    run_story(filled, story)


def test_three_panes_from_140_columns(filled: Path) -> None:
    """List, text and what is known are next to each other; narrower there is the list alone."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3", "j")
        await until(pilot, lambda: "The kettle is in the kitchen." in screen_text(app))
        await until(pilot, lambda: "text/markdown" in screen_text(app))
        await pilot.resize_terminal(100, 24)
        await until(pilot, lambda: "The kettle" not in screen_text(app))

    run_story(filled, story, size=(160, 48))


def test_ten_thousand_documents_are_read_in_stretches(root: Path) -> None:
    """The list begins at once, and goes on as the cursor does; G is its end; nothing of a name acts."""

    workspace = open_workspace_at(root)
    rows = [
        Document(f"{number:026x}", "default", "docs", "local", f"file:///{number:05}", f"\x1b[31m{number:05}[/].txt",
                    "t", "n", "text/plain", 1, "", "", 5, 1, "b", "active", "2026-11-21", "2026-11-21", "j")
        for number in range(10_000)
    ]  # fmt: skip
    with workspace.catalogue.transaction():
        workspace.catalogue.put_documents(rows)
    workspace.close()

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 500)
        assert "500 of 10,000 documents" in said(app, "info")
        app.screen.table.move(450)
        await until(pilot, lambda: len(names(app)) == 1000)
        await pilot.press("G")
        await until(pilot, lambda: len(names(app)) == 10_000 and app.screen.table.cursor == 9_999)
        assert not ACTING.search(screen_text(app).replace("\n", ""))

    run_story(root, story)


@pytest.mark.parametrize(("typed", "right"), [("7", True), ("0", True), ("1000", True), ("1001", False), ("-1", False),
                                              ("x", False), ("٣", False), ("9" * 5000, False)])  # fmt: skip
def test_numbers_are_checked_as_typed(typed: str, right: bool) -> None:
    """A priority is a whole number within its bounds, whatever is typed."""
    assert (is_whole_number(0, 1000)(typed) == "") is right


def test_the_pager_runs_nothing_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No preprocessor of less is in the pager's environment, and it reads what we cleaned from its input."""
    out = tmp_path / "out"
    monkeypatch.setenv("PAGER", f"sh -c 'cat > {out}; env > {out}.env'")
    monkeypatch.setenv("LESSOPEN", "|rm -rf /")
    monkeypatch.setenv("LESS", "-r")
    source = tmp_path / "café.txt"
    source.write_bytes(b"caf\xe9 \x1b[31mred\n")
    text = pager.text_to_page(source)
    assert text is not None
    assert pager.show_in_pager(text)
    assert out.read_text() == "café \\x1b[31mred\n"
    environment = Path(f"{out}.env").read_text()
    assert "LESSOPEN" not in environment
    assert "LESSSECURE=1" in environment


def test_filters_are_remembered_and_nonsense_is_passed_over(filled: Path) -> None:
    """The next start takes up what the list was narrowed down to; what was tampered with shows all."""

    async def narrow(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("f")
        await choose(app, pilot, "Type")
        await choose(app, pilot, "text/markdown")
        await until(pilot, lambda: names(app) == ["welcome.md"])
        state = app.screen.state_to_remember()
        app.screen.narrowed = DocumentQuery()
        app.screen.take_up({"narrowed": {"media_type": 7, "outcome": ["x"]}})
        assert app.screen.narrowed == DocumentQuery()
        app.screen.take_up(state)
        assert app.screen.narrowed == DocumentQuery(media_type="text/markdown")
        app.screen.narrowed = DocumentQuery(source_id="gone")
        app.screen.catch_up()
        await until(pilot, lambda: len(names(app)) == 2 and told(app, "no source"))

    run_story(filled, narrow)


def test_going_back_to_an_earlier_version(filled: Path, folder: Path) -> None:
    """B offers the versions before; the one that is taken is the newest then, and the document is read as it is."""
    (folder / "welcome.md").write_text("# Welcome\n\nThe kettle is in the cellar.\n")
    sync_by_hand(filled, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await open_welcome(app, pilot)
        await pilot.press("B")
        await choose(app, pilot, "v1")
        await until(pilot, lambda: told(app, "it is v3 now") and "in the cellar" not in screen_text(app))

    run_story(filled, story)


def test_uploading_files(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a opens the files of the folder that the program was started in; the marked ones become one job."""
    place = tmp_path / "to upload"
    place.mkdir()
    for name in ("one.csv", "two.csv", "three.csv"):
        (place / name).write_text(f"city\n{name}\n")
    monkeypatch.chdir(place)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and "two.csv" in screen_text(app))
        await pilot.press("j", "space", "space", "enter")
        await until(pilot, lambda: told(app, "upload to default queued"))

    run_story(filled, story)
    workspace = open_workspace_at(filled)
    [job] = [job for job in list_jobs(workspace) if job.kind == "upload"]
    [line] = [line for line in workspace.audit.entries() if line["action"] == "upload"]
    workspace.close()
    assert job.collection_id == "default"
    assert line["details"]["names"] == ["one.csv", "three.csv"]


def test_an_upload_while_all_collections_are_shown_asks_where_to(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collection in use is offered first; the picker and the notice name the one that was chosen."""
    (tmp_path / "one.csv").write_text("city\nBern\n")
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(open_workspace_at(filled)) as workspace:
        for name in ("letters", "reports"):
            add_collection(workspace, name)
        use_collection(workspace, "reports")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3", "c")
        await choose(app, pilot, "all")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert [name for name, _text in app.screen._options] == ["reports", "default", "letters"]
        await choose(app, pilot, "letters")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and "one.csv" in screen_text(app))
        assert "collection letters" in screen_text(app)
        await pilot.press("G", "enter")
        await until(pilot, lambda: told(app, "upload to letters queued"))

    run_story(filled, story)
    with contextlib.closing(open_workspace_at(filled)) as workspace:
        assert [job.collection_id for job in list_jobs(workspace) if job.kind == "upload"] == ["letters"]


def test_an_upload_says_how_far_its_check_is(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While files are read before anything is stored, the screen says how many are."""
    place = tmp_path / "to upload"
    place.mkdir()
    (place / "one.csv").write_text("city\nBern\n")
    monkeypatch.chdir(place)
    was_seen = threading.Event()

    def check_when_seen(*arguments: Any) -> list[Any]:
        arguments[-1]("checked", 0, len(arguments[2]))
        assert was_seen.wait(60)
        return unreadable_files(*arguments)

    monkeypatch.setattr("ingest_tui.services.documents.uploads.unreadable_files", check_when_seen)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and "one.csv" in screen_text(app))
        await pilot.press("G", "enter")
        await until(pilot, lambda: "checked: 0 of 1" in screen_text(app))
        was_seen.set()
        await until(pilot, lambda: told(app, "upload to default queued"))

    run_story(filled, story)


def test_the_text_at_the_side_follows_its_document(filled: Path, tmp_path: Path) -> None:
    """A new version of the document under the cursor is shown without the cursor being moved."""
    file = tmp_path / "a report.csv"

    def upload(people: int) -> None:
        file.write_text(f"city,people\nBern,{people}\n")
        with contextlib.closing(open_workspace_at(filled)) as workspace:
            job_id = upload_files(workspace, [file]).job_id
            follow_job(workspace, job_id, lambda _manifest: None, run_here=True)

    upload(134)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 3)
        await pilot.press("/", *"report", "enter")
        await until(pilot, lambda: len(names(app)) == 1)
        await until(pilot, lambda: "| Bern | 134 |" in screen_text(app))
        await asyncio.to_thread(upload, 9000)
        await until(pilot, lambda: "| Bern | 9000 |" in screen_text(app))

    run_story(filled, story, size=(160, 40))


def test_the_list_shows_status_label_and_columns(filled: Path, tmp_path: Path) -> None:
    """They come after the rows, where there are any, and follow what becomes of the documents."""
    file = tmp_path / "report.csv"
    file.write_text("city,people\nBern,134\n")
    with contextlib.closing(open_workspace_at(filled)) as workspace:
        job_id = upload_files(workspace, [file], label="as of June").job_id
        follow_job(workspace, job_id, lambda _manifest: None, run_here=True)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: "city, people" in screen_text(app))
        shown = screen_text(app)
        assert all(word in shown for word in ("LABEL", "as of June", "COLUMNS", "STATUS", "searchable"))
        await pilot.press("f")
        await choose(app, pilot, "Source")
        await choose(app, pilot, "handbook")
        await until(pilot, lambda: len(names(app)) == 2)
        await until(pilot, lambda: "LABEL" not in screen_text(app))
        assert "STATUS" in screen_text(app)

    run_story(filled, story, size=(130, 24))


def test_an_upload_that_is_refused_names_its_file(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is larger than the limit is named with it, and no job is made."""
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(50_000_001)
    monkeypatch.chdir(tmp_path)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(names(app)) == 2)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, FilePicker) and "large.csv" in screen_text(app))
        await pilot.press("G", "enter")
        await until(pilot, lambda: told(app, "large.csv has 50.0 MB; uploads take at most 50.0 MB"))

    run_story(filled, story)


def test_an_empty_list_says_what_esc_does_first() -> None:
    """Esc drops the filter before the search, and before the other filters."""
    assert empty_words(DocumentQuery(contains="a"), is_search=True)[-1].startswith("esc drops the filter, then")
    assert empty_words(DocumentQuery(), is_search=True)[-1].startswith("esc ends the search")
    assert empty_words(DocumentQuery(contains="a", source_id="b"), is_search=False)[-1].startswith("esc drops the filt")
