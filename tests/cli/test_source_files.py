"""`source add --from-file` and `source export`, by the command line."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.running import Cli

pytestmark = pytest.mark.slow

FILE = """sources:
- name: docs
  source_type: local
  source_config: {path: docs}
- name: more
  source_type: local
  source_config: {path: docs}
  schedule: {every: 15m}
"""


def test_from_a_file_and_back(cli: Cli) -> None:
    """Tried, added, exported, changed by hand, refused, replaced; errors are on lines of the file."""
    cli.write("a.txt")
    cli.run("init")
    (cli.home / "s.yaml").write_text(FILE)
    tried = cli.run("--read-only", "source", "add", "--from-file", "s.yaml", "-n")
    assert tried.out.splitlines()[-1] == "would add 2, would change 0, would leave 0"
    assert cli.run("--read-only", "source", "add", "--from-file", "s.yaml", code=6).out == ""
    assert "added source docs\nadded source more\n" in cli.run("source", "add", "--from-file", "s.yaml").out
    assert json.loads(cli.run("source", "show", "docs", "--json").out)["source_config"]["path"] == str(
        cli.home / "docs"
    )
    told = cli.run("source", "export", "--to", "e.yaml")
    assert (told.out, "exported 2 sources" in told.err) == ("", True)
    assert "is there already" in cli.run("source", "export", "--to", "e.yaml", code=6).err
    printed = cli.run("source", "export", "--json").json
    assert printed["sources"][1]["schedule"]["every"] == "15m"
    assert "source_id: more" in cli.run("source", "export", "more").out
    assert "no table" in cli.run("source", "export", "-o", "csv", code=2).err

    cli.run("sync", "docs")
    (cli.home / "s.yaml").write_text(FILE.replace("{path: docs}", "{path: docs, exclude: ['*.txt']}", 1))
    refused = cli.run("source", "add", "--from-file", "s.yaml", code=2)
    assert refused.err.startswith("s.yaml:4: sources[0] 'docs': source_config.exclude: it is there already with other")
    tried = cli.run("source", "add", "--from-file", "s.yaml", "-n", code=2)
    assert (tried.out, tried.err) == ("", refused.err), "a dry run says as well what is wrong"
    details = cli.run("source", "add", "--from-file", "s.yaml", "--json", code=2).error["details"]
    assert [one["line"] for one in details["problems"]] == [4]
    changed = cli.run("source", "add", "--from-file", "s.yaml", "--replace")
    assert changed.out.startswith("changed source docs: source_config.exclude\nleft source more\n")
    assert "stay searchable until a person approves" in changed.err
    done = cli.run("source", "add", "--from-file", "e.yaml", "--replace", "--json").json
    assert [(one["action"], one["source_id"]) for one in done["sources"]] == [("change", "docs"), ("leave", "more")]


def test_calls_that_cannot_be(cli: Cli) -> None:
    """A type and a file, neither, a file that is not there or no text; an export without a source that is damaged."""
    cli.init()
    (cli.home / "s.yaml").write_bytes(b"\xff\xfe")
    for call, words in (
        (("--replace", "local", "more", "--path", "docs"), "do not go together"),
        (("--replace",), "Give a TYPE, or --from-file FILE"),
        (("--from-file", "nowhere.yaml"), "does not exist"),
        (("--from-file", "s.yaml"), "not text in UTF-8"),
    ):
        assert words in cli.run("source", "add", *call, code=2).err
    os.truncate(cli.home / "workspace" / "sources" / "docs.json", 3)
    exported = cli.run("source", "export", "--json", code=3)
    assert exported.json["sources"] == []
    assert "source docs cannot be read and is left out" in exported.err
