"""The audit: looked through by words and time, followed, and exported."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ingest_tui.model.errors import NotFoundError, RefusedError, UsageError, ValidationError
from ingest_tui.services.jobs.audit_check import check_export
from ingest_tui.services.jobs.audit_trail import AuditQuery, audit_from, audit_tail_offset, export_audit, list_audit
from ingest_tui.store.workspace import Workspace, init_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace in which three things were done."""
    workspace, _ = init_workspace(tmp_path / "ws")
    for day, (by, action, target) in enumerate(
        [("ann@a", "source.add", "docs"), ("bob@b", "job.cancel", "=cmd()"), ("ann@a", "source.remove", "x\x1b[31m")], 1
    ):
        workspace.audit.add(at=f"2026-11-0{day}T10:00:00.000Z", by=by, action=action, target=target, uri="file:///x")
    return workspace


@pytest.mark.parametrize(
    ("words", "since", "number"),
    [("", "", 3), ("ann", "", 2), ("ann !remove", "", 1), ("", "2026-11-02", 2), ("file:///x", "", 3), ("zzz", "", 0)],
)
def test_lines_are_chosen_by_words_and_time(workspace: Workspace, words: str, since: str, number: int) -> None:
    """Words as in the filters of lists, also in the details; a time from which on."""
    assert len(list(list_audit(workspace, AuditQuery(words, since)))) == number


def test_the_end_is_followed(workspace: Workspace) -> None:
    """From the offset behind the last line on there is only what was added."""
    lines = list(audit_from(workspace, audit_tail_offset(workspace)))
    assert len(lines) == 3
    workspace.audit.add(at="2026-11-04T10:00:00.000Z", by="x", action="y", target="z")
    assert [entry["action"] for entry, _end in audit_from(workspace, lines[-1][1])] == ["y"]


def test_an_offset_inside_a_line_skips_that_line(workspace: Workspace) -> None:
    """The tail may begin anywhere; a cut line is no record."""
    assert [entry["by"] for entry, _end in audit_from(workspace, 10)] == ["bob@b", "ann@a"]


def test_exports_are_json_lines_or_a_table(workspace: Workspace, tmp_path: Path) -> None:
    """By the ending of the name; nothing acts on a terminal or in a spreadsheet; the export is in the audit."""
    place, number = export_audit(workspace, tmp_path / "audit.jsonl")
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    assert (number, len(lines), lines[2]["target"]) == (3, 3, "x\x1b[31m")
    place, number = export_audit(workspace, tmp_path / "audit.csv", AuditQuery("bob"))
    [head, row] = list(csv.reader(place.read_text().splitlines()))
    assert head == ["at", "by", "action", "target", "outcome", "details"]
    assert row[3] == "'=cmd()"
    assert number == 1
    assert b"\x1b" not in (tmp_path / "audit.jsonl").read_bytes()
    exports = [entry for entry in workspace.audit.entries() if entry["action"] == "audit.export"]
    assert [entry["details"]["entries"] for entry in exports] == [3, 1]


def test_an_export_replaces_nothing_and_stays_out_of_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    """What is there stays, unless it is to be replaced."""
    target = tmp_path / "audit.jsonl"
    target.write_text("mine")
    with pytest.raises(RefusedError):
        export_audit(workspace, target)
    assert target.read_text() == "mine"
    export_audit(workspace, target, replace=True)
    with pytest.raises(UsageError):
        export_audit(workspace, workspace.root / "a.jsonl")
    with pytest.raises(NotFoundError):
        export_audit(workspace, tmp_path / "nowhere" / "a.jsonl")


def test_an_export_ends_with_a_time(workspace: Workspace) -> None:
    """A day, a minute or a second is meant as a whole."""
    for until, number in (("2026-11-02", 2), ("2026-11-02T10:00", 2), ("2026-11-02T09:59:59Z", 1), ("2026", 3)):
        assert len(list(list_audit(workspace, AuditQuery(until=until)))) == number
    with pytest.raises(UsageError):
        AuditQuery(until="tomorrow")


def test_an_export_is_checked(workspace: Workspace, tmp_path: Path) -> None:
    """As it was written it is clean, also narrowed; a changed line is found, and a line that is gone from here."""
    whole, _ = export_audit(workspace, tmp_path / "whole.jsonl")
    some, _ = export_audit(workspace, tmp_path / "some.jsonl", AuditQuery("ann"))
    report = check_export(workspace, whole)
    assert (report.is_clean, report.lines, report.gaps) == (True, 3, 0)
    assert (check_export(workspace, some).is_clean, check_export(workspace, some).gaps) == (True, 1)
    noted = next(entry for entry in workspace.audit.entries() if entry["action"] == "audit.export")
    assert noted["details"]["head"] == report.head != ""

    lines = whole.read_text().splitlines(keepends=True)
    whole.write_text("".join([lines[0], lines[1].replace("job.cancel", "job.resume"), lines[2]]))
    assert check_export(workspace, whole).changed == [2]
    whole.write_text(lines[0] + lines[2])
    assert check_export(workspace, whole).gaps == 1

    audit = workspace.layout.audit
    audit.write_bytes(b"".join(audit.read_bytes().splitlines(keepends=True)[1:]))
    whole.write_text("".join(lines))
    assert check_export(workspace, whole).not_here == [1]


def test_what_is_no_export_is_not_checked(workspace: Workspace, tmp_path: Path) -> None:
    """A table, another file, and none."""
    table, _ = export_audit(workspace, tmp_path / "audit.csv")
    for path in (table, workspace.layout.settings):
        with pytest.raises(ValidationError):
            check_export(workspace, path)
    with pytest.raises(NotFoundError):
        check_export(workspace, tmp_path / "none.jsonl")
