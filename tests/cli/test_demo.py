"""The demo: the main job on the examples, as the README promises it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import SAMPLES, Cli, assert_counters_add_up


def promised_outcomes() -> dict[str, str]:
    """Return the outcome that examples/README.md gives for each file, by its path."""
    table = (SAMPLES.parent / "README.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|[^|]*\| ([a-z]+)", table, re.MULTILINE)
    return {name: outcome for name, outcome in rows if "…" not in name}


@pytest.mark.slow
def test_the_demo_shows_every_outcome(cli: Cli) -> None:
    """The demo ends with 0, prints what became of each file and one search, and how to open the TUI."""
    folder = cli.home / "shown"
    told = cli.run("demo", "--folder", folder)
    outcomes = {line["key"]: line["outcome"] for line in cli.run("-w", folder, "job", "items", "last", "--json").lines}
    promised = promised_outcomes()
    assert len(promised) >= 20
    assert len(outcomes) == len(promised) + 1
    for name, outcome in promised.items():
        assert re.search(rf"{outcomes[name]} .*{re.escape(name)}", told.out), name
        if name not in {"readme.txt", "special-cases/copy-of-readme.txt"}:
            assert outcomes[name] == outcome, name
    assert sorted((outcomes["readme.txt"], outcomes["special-cases/copy-of-readme.txt"])) == ["duplicate", "ingested"]
    assert "search: " in told.out
    assert "*gauge*" in told.out
    assert re.search(rf"ingest_tui --workspace {folder}$", told.out, re.MULTILINE)
    manifest = cli.run("-w", folder, "job", "show", "last", "--json").json
    assert_counters_add_up(manifest)
    assert manifest["counters"]["items_ingested"] == 16

    again = cli.run("-w", folder, "sync", "--json").json
    assert (again["counters"]["items_ingested"], again["counters"]["items_skipped_incremental"]) == (0, 21)
    assert "columns" in cli.run("-w", folder, "doc", "show", "data/readings.csv").out
    for word in ("Kiefernnadeln", "anémomètre", "batería"):
        hits = cli.run("-w", folder, "search", word, "--json").json
        assert "notes-latin1.txt" in {hit["uri"].rpartition("/")[2] for hit in hits}


@pytest.mark.slow
def test_hints_of_the_demo_can_be_pasted(cli: Cli, tmp_path: Path) -> None:
    """Each command that the demo names works as it is printed, from the folder where the demo was called."""
    folder = tmp_path / "two words"
    program = os.path.relpath(Path(sys.executable).with_name("ingest-tui"), tmp_path)
    shown = subprocess.run(
        [program, "demo", "--folder", folder], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    patterns = (r"^  (.* --workspace .*)$", r"with warnings: (.*)$", r"^hint: '(.*)' shows")
    commands = [
        found for pattern in patterns for found in re.findall(pattern, shown.stdout + shown.stderr, re.MULTILINE)
    ]
    assert [shlex.split(command)[:3] for command in commands] == [[program, "--workspace", str(folder)]] * 5
    for command in commands[1:]:  # the first opens the TUI
        again = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (again.returncode, bool(again.stdout)) == (0, True), (command, again.stderr)


def test_no_example_has_a_name_that_installers_refuse() -> None:
    """The examples in the package have names of letters, digits and `-_.`: uv refuses a package with others."""
    names = [str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*")]
    assert len(names) >= 20
    assert [name for name in names if not re.fullmatch(r"[a-z0-9_./-]+", name)] == []


def test_the_demo_refuses_a_folder_in_use(cli: Cli) -> None:
    """A folder that holds anything is left alone."""
    precious = cli.write("precious.txt", "mine")
    told = cli.run("demo", "--folder", cli.docs, code=2)
    assert "not empty" in told.err
    assert list(cli.docs.iterdir()) == [precious]


@pytest.mark.slow
def test_the_demo_finds_a_place_by_itself(cli: Cli) -> None:
    """Without a folder the demo makes a fresh one outside of the current folder, and names it."""
    cli.environment["TMPDIR"] = str(cli.home)
    told = cli.run("demo")
    [made] = cli.home.glob("ingest-tui-demo-*/workspace")
    assert str(made) in told.out


@pytest.mark.slow
def test_demo_as_json_is_one_value(cli: Cli) -> None:
    """`demo --json` prints one value with the workspace, the job, every outcome and the hits of the search."""
    shown = cli.run("demo", "--json", "--folder", str(cli.home / "fresh")).json
    assert shown["job"]["state"] == "partial"
    assert len(shown["items"]) == shown["job"]["counters"]["descriptors_listed"]
    assert shown["search"]
