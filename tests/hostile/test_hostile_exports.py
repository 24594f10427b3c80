"""Exports of documents with hostile names: whole, harmless, and in the folder that was named."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.safe_text import safe_cell
from tests.hostile.hostile_lab import HostileCli, assert_ended_well, assert_harmless, snapshot
from tests.hostile.hostile_names import FILES, NAMES

pytestmark = pytest.mark.xdist_group("hostile names")


@pytest.fixture
def target(hostile: HostileCli, tmp_path: Path) -> Iterator[Path]:
    """Where to export to; around it, and around the workspace, nothing else may change."""
    around, workspace_files = hostile.outside(), snapshot(hostile.workspace, without=[])
    yield tmp_path / "out"
    assert hostile.outside() == around
    changed = {path for path, state in snapshot(hostile.workspace).items() if workspace_files.get(path) != state}
    assert {Path(path.decode()).name for path in changed} <= {
        "audit.jsonl",
        "audit.head",
        "catalogue.db-shm",
        "catalogue.db-wal",
    }
    assert {path.name for path in tmp_path.iterdir()} <= {"out"}


@pytest.mark.slow
def test_json_lines_hold_every_name_as_it_is(hostile: HostileCli, target: Path) -> None:
    """Each document is one line; the line is harmless to show and has the very key, and the text."""
    (told,) = hostile.run_each(("export", "--to", target, "--json"))
    assert told.json["documents"] == len(NAMES)
    content = target.read_text(encoding="utf-8")
    assert_harmless(content)
    records = {record["document"]["key"]: record for record in map(json.loads, content.splitlines())}
    for name in NAMES:
        assert name.word in records[name.key]["text"]
        assert records[name.key]["ingestion"]["key"] == name.key


def test_a_table_has_a_row_for_each_name_and_no_formula(hostile: HostileCli, target: Path) -> None:
    """Each document is one row and one line, shown harmless, and nothing begins as a formula does."""
    hostile.run_each(("export", "--format", "csv", "--to", target))
    content = target.read_text(encoding="utf-8")
    assert_harmless(content)
    assert content.count("\n") == len(NAMES) + 1
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len({row["key"] for row in rows}) == len(rows) == len(NAMES)
    for cell in (cell for row in rows for cell in row.values()):
        assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert {row["key"] for row in rows} == {safe_cell(name.key) for name in NAMES}


def test_a_folder_has_a_plain_file_for_each_name(hostile: HostileCli, target: Path) -> None:
    """Every text is a file right in the folder; the names stay different when a file system folds or normalises."""
    (told,) = hostile.run_each(("export", "--format", "folder", "--to", target, "--json"))
    assert told.json["documents"] == len(NAMES)
    paths = list(target.rglob("*"))
    assert all(path.parent == target and path.is_file() and not path.is_symlink() for path in paths)
    names = {path.name for path in paths} - {"index.jsonl"}
    folded = {unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold()) for name in names}
    assert len(folded) == len(names) == len(NAMES)
    for name in names:
        assert_harmless(name)
        assert not set(name) & set('/\\:*?"<>|\n\t ')
        assert not name.startswith((".", "-"))
        assert len(unicodedata.normalize("NFD", name).encode()) <= 255
    index = (target / "index.jsonl").read_text(encoding="utf-8")
    assert_harmless(index)
    files = {record["document"]["key"]: record["file"] for record in map(json.loads, index.splitlines())}
    for hostile_name in NAMES:
        assert hostile_name.word in (target / files[hostile_name.key]).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["text", "raw", "record"])
def test_single_documents_are_exported_by_key(hostile: HostileCli, target: Path, what: str) -> None:
    """What is kept of a document of any name goes where the call says, and only there."""
    asked = [name for name in NAMES if name.fits_a_command_line][::15]
    for result in hostile.run_each(
        *(("doc", "export", "--what", what, "--to", target, "--force", "--", name.key) for name in asked)
    ):
        assert_ended_well(result)
        assert str(target) in result.out
    written = target.read_text(encoding="utf-8")
    assert json.loads(written)["key"] == asked[-1].key if what == "record" else asked[-1].word in written


@pytest.mark.slow
def test_targets_of_hostile_names(hostile: HostileCli, tmp_path: Path) -> None:
    """An export goes to a file of any name that a person gives, or is refused in words; the answer is harmless."""
    folder = tmp_path / "targets"
    folder.mkdir()
    around = hostile.outside()
    targets = [name.raw for name in FILES if b"/" not in name.raw][::24]
    calls: list[tuple[str | bytes, ...]] = [
        ("export", "--format", "csv", "--to", os.fsencode(folder) + b"/" + raw) for raw in targets
    ]
    calls += [("doc", "export", "--to", os.fsencode(folder) + b"/" + raw, "--", NAMES[0].key) for raw in targets]
    results = hostile.run_each(*calls, code=None)
    for result in results:
        assert_ended_well(result)
    assert {result.code for result in results[: len(targets)]} == {0}
    assert {result.code for result in results[len(targets) :]} == {6}, "what is there was not refused"
    assert {os.fsencode(path.name) for path in folder.iterdir()} == set(targets)
    assert hostile.outside() == around
