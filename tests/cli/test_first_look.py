"""What a person meets on the first day: names, endings, labels and words that are not what was meant."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow


def test_uploads_report_where_they_went(cli: Cli) -> None:
    """The collection is named; a label that nothing new could get is reported; one version has nothing before it."""
    cli.run("init")
    table = cli.write("table.csv", "city,people\nBern,134\n")
    made, again, diff, shown = cli.run_each(
        ["upload", table],
        ["upload", table, "--label", "final"],
        ["doc", "diff", "default/table.csv"],
        ["doc", "show", "default/table.csv"],
        code=None,
    )
    assert made.out.startswith("upload to default: succeeded")
    assert (again.code, "the label was not set" in again.err) == (0, True)
    assert (diff.code, "one version only" in diff.err) == (2, True)
    assert "city, people; 1 row" in shown.out


def test_a_search_explains_what_finds_nothing(cli: Cli) -> None:
    """An ending is a type; a source or type that is not there is reported; a word with a minus is no unknown option."""
    cli.write("rain.html", "<p>rain and <a href='snow.html'>snow</a></p>")
    cli.init()
    cli.sync()
    typed, listed, unknown, of_type, filtered, as_json, as_csv, minus, option, links = cli.run_each(
        ["search", "rain", "--type", "html"],
        ["doc", "list", "--type", ".html"],
        ["search", "source:nix collection:nix rain"],
        ["search", "type:pdff rain", "--json"],
        ["search", "type:html"],
        ["search", "type:html", "--json"],
        ["search", "nothing", "-o", "csv"],
        ["search", "rain", "-snow"],
        ["search", "rain", "--snow"],
        ["doc", "show", "docs/rain.html"],
        code=None,
    )
    assert "rain.html" in typed.out
    assert "rain.html" in listed.out
    assert "there is no source 'nix'; 'ingest-tui source list' shows them: docs" in unknown.err
    assert "there is no collection 'nix'; 'ingest-tui collection list' shows them: default" in unknown.err
    assert (of_type.out.strip(), "no document is of type 'pdff'; there are: text/html" in of_type.err) == ("[]", True)
    assert ("rain.html" in filtered.out, "score" in filtered.out, filtered.err) == (True, False, "")
    assert (json.loads(as_json.out)[0]["score"], as_csv.out[:26]) == (None, "document_id,chunk_id,title")
    assert (minus.code, "search -- rain -snow" in minus.err) == (2, True)
    assert (option.code, "search --help" in option.err) == (2, True)
    assert "doc links" in links.out
    assert "snow.html" not in links.out.partition("links ")[2]


def test_preferences_ask_before_they_cut_again(cli: Cli) -> None:
    """The question begins with what follows; an unknown column is a warning; a name restores a collection."""
    cli.write("table.csv", "city,people\nBern,134\n")
    cli.init()
    cli.run("collection", "add", "Our Papers")
    cli.sync()
    asked = cli.run("collection", "prefs", "default", "--set", "text_columns=cty", code=6)
    removed, restored, embedder = cli.run_each(
        ["collection", "remove", "Our Papers", "--yes"],
        ["collection", "restore", "Our Papers"],
        ["embed", "default"],
        code=None,
    )
    assert "no table of collection default has a column 'cty'" in asked.err
    assert "This re-chunks 1 document, nothing is fetched. Change text_columns?" in asked.err
    assert "0 documents went to the trash" in removed.out
    assert restored.out == "restored collection our-papers with 0 documents\n"
    assert "'ingest-tui embedder add TYPE NAME' adds one" in embedder.err
