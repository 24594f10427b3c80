"""The audit is a chain: no line can be changed, put in or taken out without being missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.records.audit_chain import write_head
from ingest_tui.store.records.journal import Journal, encode_line, read_journal


def old_line(number: int) -> dict[str, object]:
    """Return a line as an earlier version of the program wrote it."""
    return {"at": "", "by": "me", "action": "old", "target": str(number), "outcome": "done", "details": {}}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A folder for an audit."""
    (tmp_path / "locks").mkdir()
    return Layout(tmp_path)


@pytest.fixture
def log(layout: Layout) -> AuditLog:
    """An audit with two old lines and three in the chain."""
    with Journal(layout.audit) as journal:
        journal.append([old_line(1), old_line(2)])
    log = AuditLog(layout)
    add(log, 3)
    return log


def add(log: AuditLog, number: int) -> None:
    """Add some lines."""
    for one in range(number):
        log.add(at="2026-01-01", by="me", action="new", target=str(one))


def lines_of(layout: Layout) -> list[bytes]:
    return layout.audit.read_bytes().splitlines(keepends=True)


def test_lines_of_before_are_valid_and_the_chain_begins_behind_them(layout: Layout, log: AuditLog) -> None:
    """Each new line has the digest of the one before it, the first that of the last old one."""
    assert list(log.breaks()) == []
    assert [("chain" in record) for record in read_journal(layout.audit)] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [*lines[:3], encode_line(old_line(7)), *lines[3:]], 4),
        (lambda lines: [*lines[:3], *lines[4:]], 4),
        (lambda lines: [*lines[:3], lines[3].replace(b"new", b"NEW"), *lines[4:]], 5),
        (lambda lines: [lines[0], encode_line(old_line(9)), *lines[2:]], 3),
        (lambda lines: [*lines[:3], lines[4], lines[3]], 4),
        (lambda lines: lines[:-1], 0),
        (lambda lines: [*lines[:-1], lines[-1].replace(b"new", b"NEW")], 0),
        (lambda _lines: [], 0),
    ],
    ids=["put in", "taken out", "changed", "the last old one", "exchanged", "cut", "the last one changed", "emptied"],
)
def test_what_was_changed_is_found_also_after_more_lines(
    layout: Layout, log: AuditLog, change: Callable[[list[bytes]], list[bytes]], line: int
) -> None:
    """A break is found, stays one when the program goes on writing, and can be acknowledged, which is a line too."""
    layout.audit.write_bytes(b"".join(change(lines_of(layout))))
    assert [one.line for one in log.breaks()][:1] == [line]
    add(log, 2)
    breaks = list(log.breaks())
    assert breaks
    log.acknowledge(breaks, at="2026-01-02", by="me")
    assert list(log.breaks()) == []
    add(log, 1)
    assert list(log.breaks()) == []


def test_a_break_is_acknowledged_as_it_was_and_no_other(layout: Layout, log: AuditLog) -> None:
    """What somebody changes after that is a break of its own."""
    layout.audit.write_bytes(b"".join(lines_of(layout)[:3] + lines_of(layout)[4:]))
    log.acknowledge(list(log.breaks()), at="2026-01-02", by="me")
    layout.audit.write_bytes(b"".join(lines_of(layout)[:2] + lines_of(layout)[3:]))
    assert list(log.breaks())


def test_a_torn_line_and_a_head_that_is_behind_break_nothing(layout: Layout, log: AuditLog) -> None:
    """After a kill in the middle of a line, or before the end was noted, the chain holds."""
    behind = layout.audit_head.read_bytes()
    add(log, 1)
    layout.audit_head.write_bytes(behind)
    with layout.audit.open("ab") as opened:
        opened.write(b'{"at":"2026')
    assert list(log.breaks()) == []
    add(log, 2)
    assert list(log.breaks()) == []
    layout.audit_head.unlink()
    assert list(log.breaks()) == []


def test_who_is_killed_while_it_notes_the_end_leaves_the_note_before(
    layout: Layout, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is opened, and nothing is written any more: it still says where the audit ended."""

    def die(*_arguments: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ingest_tui.store.records.audit_chain.os.pwrite", die)
        patch.setattr("ingest_tui.store.records.audit_chain.os.write", die)
        with pytest.raises(KeyboardInterrupt):
            write_head(layout.audit, layout.audit_head)
    assert log.end_is_noted()
    assert list(log.breaks()) == []


def test_a_link_in_the_place_of_the_head_is_not_followed(layout: Layout, log: AuditLog) -> None:
    """Nothing is written through it."""
    target = layout.root / "elsewhere"
    target.write_text("kept")
    layout.audit_head.unlink()
    layout.audit_head.symlink_to(target)
    add(log, 1)
    assert target.read_text() == "kept"
