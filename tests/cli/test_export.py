"""export and doc export, as people call them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess

import pytest

from tests.cli.running import Cli
from tests.cli.test_terminal import on_a_terminal

pytestmark = pytest.mark.slow

RAW = b"\xff\xfe" + "wind \u202efrom the east".encode("utf-16-le")  # not UTF-8, and it acts on a terminal


@pytest.fixture
def filled(cli: Cli) -> Cli:
    """A workspace with three documents, one of them not UTF-8."""
    cli.write("a.md", "# Rain\n\nIt rained.\n")
    cli.write("b.txt", RAW)
    cli.write("=cmd.csv", "name,value\nx,1\n")
    cli.init()
    cli.sync()
    return cli


def test_jsonl_on_a_pipe(filled: Cli) -> None:
    """Without options every document comes as one line of JSON, text included; --json changes nothing.

    All that `doc show` knows is in it, but how far its embedding is at the moment and what was chosen for it.
    """
    plain, as_json = filled.run_each(("export",), ("export", "--json"))
    assert plain.out == as_json.out
    assert {line["document"]["key"] for line in plain.lines} == {"a.md", "b.txt", "=cmd.csv"}
    shown = filled.run("doc", "show", "docs/a.md", "--json").json
    assert shown["document"].pop("embedding") is None
    assert shown.pop("preferences")
    line = next(line for line in plain.lines if line["document"]["key"] == "a.md")
    assert {"document": line["document"], "ingestion": line["ingestion"]} == shown
    assert line["text"] == filled.run("doc", "text", "docs/a.md", "--json").json["text"]


def test_csv_on_a_pipe(filled: Cli) -> None:
    """CSV has a header and one row a document; names that a spreadsheet would compute are text."""
    rows = list(csv.DictReader(io.StringIO(filled.run("export", "--format", "csv", "--source", "docs").out)))
    assert [row["key"] for row in rows] == ["'=cmd.csv", "a.md", "b.txt"]


def test_exports_to_files_and_folders(filled: Cli) -> None:
    """With --to the export is written and told in a sentence or in JSON; what is there is refused without --force."""
    told = filled.run("export", "--to", "out.jsonl").out
    assert told.startswith("exported 3 documents, ")
    assert len((filled.home / "out.jsonl").read_text().splitlines()) == 3
    refused = filled.run("export", "--to", "out.jsonl", "--json", code=6)
    assert refused.error["code"] == "refused"
    assert "--force" in refused.error["hint"]
    summary = filled.run("export", "--format", "folder", "--to", "out", "--json").json
    assert summary["documents"] == 3
    assert summary["to"] == str(filled.home / "out")
    assert len(list((filled.home / "out").iterdir())) == 4
    assert filled.run("export", "--format", "csv", "--to", "out.jsonl", "--force").out.startswith("exported 3")


def test_wrong_uses_are_reported(filled: Cli) -> None:
    """A folder without a place, CSV as JSON, unknown collections and places that are no place: each with its code."""
    calls = {
        ("export", "--format", "folder"): 2,
        ("export", "--format", "csv", "--json"): 2,
        ("export", "--format", "xml"): 2,
        ("export", "--collection", "nowhere"): 4,
        ("export", "--source", "nobody"): 4,
        ("export", "--to", "missing/out"): 4,
        ("export", "--to", "workspace/out"): 2,
        ("doc", "export", "docs/a.md", "--what", "raw", "--json"): 2,
        ("doc", "export", "docs/none.md"): 4,
        ("doc", "export", "docs/a.md", "--version", "7"): 4,
    }
    results = filled.run_each(*calls, code=None)
    assert [result.code for result in results] == list(calls.values())
    for result in results:
        assert "hint" in result.err
        assert not result.out


def test_what_cannot_be_read_is_left_out_with_code_3(filled: Cli) -> None:
    """A damaged document costs itself: the rest is exported, stderr names it, the exit code tells."""
    next(filled.workspace.glob("documents/default/*/*/v0001/normalized.md")).unlink()
    result = filled.run("export", code=3)
    assert len(result.lines) == 2
    assert "warning: left out " in result.err
    assert filled.run("export", "--format", "folder", "--to", "out", "--json", code=3).json["left_out_total"] == 1


def test_a_reader_that_leaves_is_no_error(filled: Cli) -> None:
    """`export | head -1` ends quietly."""
    script = 'exec 3>&1; { "$@" export || echo "code $?" >&3; } | head -c 1 >/dev/null'
    command = [os.fsdecode(part) for part in filled.command()]
    ended = subprocess.run(
        ["bash", "-c", script, "-", *command], env=filled.environment, cwd=filled.home, capture_output=True, check=True
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_one_document_on_a_pipe(filled: Cli) -> None:
    """The text comes to the byte, the raw file as it was, the record as JSON; versions can be named."""
    filled.write("a.md", "# Rain\n\nIt poured.\n")
    filled.sync()
    first, second, record, as_json = filled.run_each(
        ("doc", "export", "docs/a.md", "--version", "1"),
        ("doc", "export", "docs/a.md"),
        ("doc", "export", "docs/a.md", "--what", "record"),
        ("doc", "export", "docs/a.md", "--json"),
    )
    assert (first.out, second.out) == ("# Rain\n\nIt rained.\n", "# Rain\n\nIt poured.\n")
    assert record.json["version"] == 2
    assert as_json.json["text"] == second.out
    filled.run("doc", "export", "docs/b.txt", "--what", "raw", "--to", "raw")
    assert (filled.home / "raw").read_bytes() == RAW


def test_one_document_on_a_terminal(filled: Cli) -> None:
    """On a terminal a raw file is refused, and the text shows what would act on it instead of obeying."""
    code, screen = on_a_terminal(filled, "doc", "export", "docs/b.txt", "--what", "raw")
    assert code == 2
    assert "a raw file is not shown on a terminal" in screen
    assert "--to FILE" in screen
    code, screen = on_a_terminal(filled, "doc", "export", "docs/b.txt")
    assert code == 0
    assert screen == "wind \\u202efrom the east\r\n"


def test_the_audit_log_tells_of_exports(filled: Cli) -> None:
    """Each export and each exported document is one line of the audit log."""
    filled.run_each(("export",), ("doc", "export", "docs/a.md", "--to", "one"))
    lines = filled.run("audit", "--json").lines[-2:]
    assert [(line["action"], line["outcome"]) for line in lines] == [("export", "done"), ("document.export", "done")]
    assert json.dumps(lines[1]).count(str(filled.home / "one")) == 1
