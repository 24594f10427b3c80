"""A copied command line gives what the view shows: run as it stands, it finds the same documents."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from ingest_tui.model.folder import folder_written
from ingest_tui.services.client import Client
from ingest_tui.tui.dialogs.copy_menu import CopyMenu
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.shown_commands import shown_commands
from tests.cli.running import Cli
from tests.tui.stories import run_story, until
from tests.tui.test_tui_clipboard import offered

pytestmark = pytest.mark.slow

QUERIES = {
    "all": DocumentQuery(),
    "source": DocumentQuery(source_id="notes"),
    "words": DocumentQuery(contains="rain gauge's"),
    "type": DocumentQuery(media_type="text/markdown", since="2020-01-01", order="newest"),
    "collection": DocumentQuery(collection_id="default", outcome="ingested"),
    "folder": DocumentQuery(folder=folder_written("notes/deep")),
    "sources": DocumentQuery(folder=folder_written("")),
    "trash": DocumentQuery(state="retired", order="title"),
}


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A workspace with two sources, folders, a name to be quoted, and a document in the trash."""
    calls = Cli(tmp_path_factory.mktemp("shown"))
    for name in ("notes/a.md", "notes/deep/rain gauge's.md", "notes/deep/er/c.txt", "other/d.md"):
        path = calls.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n\nrain\n")
    calls.run_each(
        ["init"],
        ["source", "add", "local", "notes", "--path", calls.home / "notes"],
        ["source", "add", "local", "other", "--path", calls.home / "other"],
    )
    calls.run("sync", "--all", timeout=120)
    first = calls.run("doc", "list", "--source", "other", "--json").json[0]["document_id"]
    calls.run("doc", "remove", first, "--yes")
    yield calls
    calls.close()


def arguments(line: str) -> list[str]:
    """Return what follows the name of the program in a command line."""
    program, *rest = shlex.split(line)
    assert program == "ingest-tui"
    return rest


def test_each_filter_is_in_the_command_line(cli: Cli) -> None:
    """List, folder and search give the same documents as the view, for each filter and for the trash."""
    client = Client(cli.workspace)
    calls, expected = [], []
    for name, query in QUERIES.items():
        first = next(iter(shown_commands(query, "", 4).values()))
        calls.append([*arguments(first), "--json"])
        if query.folder is not None:
            inside = client.documents.folder(limit=99, **query.as_choice())
            expected.append((name, len(inside.folders), {one.document_id for one in inside.documents}))
        else:
            page = client.documents.page(limit=99, **query.as_choice())
            expected.append((name, 0, {one.document_id for one in page.rows}))
        assert expected[-1][1] or expected[-1][2], name
    for (name, folders, ids), result in zip(expected, cli.run_each(*calls), strict=True):
        printed = result.json
        rows = [*printed.get("folders", []), *printed["documents"]] if isinstance(printed, dict) else printed
        found = {row["document_id"] for row in rows if row.get("document_id")}
        assert (len(rows) - len(found), found) == (folders, ids), name
    search = shown_commands(QUERIES["folder"], "rain", 2)["document.search"]
    hits = cli.run(*arguments(search), "--json").json
    hits = hits["hits"] if isinstance(hits, dict) else hits
    assert {hit["document_id"] for hit in hits} == {
        hit.document_id for hit in client.documents.search("rain*", limit=9, **QUERIES["folder"].as_choice())
    }
    assert len(hits) == 2


def test_a_search_in_the_trash_has_no_command_line() -> None:
    """There is no option for it: a list of the whole trash would be something else than what is shown."""
    assert shown_commands(QUERIES["trash"], "rain", 2) == {}


def test_the_first_command_that_is_offered_gives_what_is_shown(cli: Cli) -> None:
    """In a folder that is narrowed down, the copy menu begins with that; words that are searched are in theirs."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("3")
        await until(pilot, lambda: len(app.screen.table.rows) == 3)
        app.screen.narrow_to(DocumentQuery(folder=folder_written("notes/deep"), media_type="text/markdown"))
        await until(pilot, lambda: [line.name for line in app.screen.table.rows] == ["deep/rain gauge's.md"])
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu))
        lines = [line.split(maxsplit=1)[1] for line in offered(app) if line.startswith("command")]
        assert lines[0] == "ingest-tui doc folders notes/deep/ --type text/markdown"
        assert "ingest-tui export --type text/markdown --folder notes/deep/ --to FILE" in lines
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, CopyMenu))
        await pilot.press("s", *"rain", "enter")
        await until(pilot, lambda: app.screen.query_text == "rain")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu))
        assert "ingest-tui search 'rain*' --type text/markdown --folder notes/deep/ --limit 100" in str(offered(app))

    run_story(cli.workspace, story, client=Client(cli.workspace))
