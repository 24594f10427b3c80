"""Journals: torn lines, followers, and the logs built like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.errors import RefusedError
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.records.job_log import JobLog, read_log
from ingest_tui.store.records.journal import Journal, encode_line, read_journal, read_journal_from

FIRST = {"key": "first", "outcome": "ingested", "detail": 'with "quotes", a \n line feed and ü'}
TORN = {"key": "torn", "outcome": "failed"}
LAST = {"key": "last", "outcome": "unchanged"}


@pytest.mark.parametrize("cut", range(len(encode_line(TORN)) + 1))
def test_line_torn_at_any_byte_is_skipped_and_swallows_nothing(tmp_path: Path, cut: int) -> None:
    """However much of a line a crash left, what is before and what comes after it is read."""
    path = tmp_path / "journal.jsonl"
    line = encode_line(TORN)
    path.write_bytes(encode_line(FIRST) + line[:cut])
    with Journal(path) as journal:
        journal.append([LAST])
    complete = [TORN] if cut >= len(line) - 1 else []
    assert list(read_journal(path)) == [FIRST, *complete, LAST]


def test_valid_journal_is_not_touched_when_it_is_opened(tmp_path: Path) -> None:
    """Healing adds a line feed only where one is missing."""
    path = tmp_path / "journal.jsonl"
    for content in (b"", encode_line(FIRST)):
        path.write_bytes(content)
        Journal(path).close()
        assert path.read_bytes() == content


def test_missing_journal_is_empty(tmp_path: Path) -> None:
    """Reading what was never written gives nothing and makes nothing."""
    assert list(read_journal(tmp_path / "journal.jsonl")) == []
    assert list(tmp_path.iterdir()) == []


def test_journal_appends_and_never_rewrites(tmp_path: Path) -> None:
    """What stood in a journal when it was opened is still there, byte for byte, after appending."""
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append([FIRST])
    before = path.read_bytes()
    with Journal(path) as journal:
        journal.append([LAST], durable=False)
        journal.sync()
        journal.append([])
    assert path.read_bytes() == before + encode_line(LAST)


def test_closed_journal_refuses(tmp_path: Path) -> None:
    """Appending after closing is an error; closing twice is not."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.close()
    journal.close()
    with pytest.raises(OSError, match="descriptor"):
        journal.append([FIRST])


def test_journal_does_not_follow_a_link(tmp_path: Path) -> None:
    """A link planted where a journal belongs is refused."""
    (tmp_path / "journal.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="link"):
        Journal(tmp_path / "journal.jsonl")


def test_follower_goes_on_from_where_it_was(tmp_path: Path) -> None:
    """The offset behind a record is where a follower finds the next one, and nothing is read twice."""
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append([FIRST])
        ((record, offset),) = read_journal_from(path, 0)
        assert record == FIRST
        assert offset == path.stat().st_size
        assert list(read_journal_from(path, offset)) == []
        journal.append([TORN, LAST])
    assert [record for record, _ in read_journal_from(path, offset)] == [TORN, LAST]
    assert list(read_journal(path, offset=offset)) == [TORN, LAST]


def test_follower_waits_for_a_growing_line(tmp_path: Path) -> None:
    """A line without its line feed is not consumed, so the follower sees it once it is whole."""
    path = tmp_path / "journal.jsonl"
    line = encode_line(LAST)
    path.write_bytes(encode_line(FIRST) + line[:-1])
    ((_, offset),) = read_journal_from(path, 0)
    path.write_bytes(encode_line(FIRST) + line)
    assert [record for record, _ in read_journal_from(path, offset)] == [LAST]


def test_follower_passes_a_healed_line(tmp_path: Path) -> None:
    """A torn line that was healed while somebody follows is skipped; the next record arrives."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(encode_line(FIRST) + encode_line(TORN)[:-5])
    ((_, offset),) = read_journal_from(path, 0)
    with Journal(path) as journal:
        journal.append([LAST])
    assert [record for record, _ in read_journal_from(path, offset)] == [LAST]


def test_audit_lines_come_back_in_order(tmp_path: Path) -> None:
    """Who did what is read as it was written, also after a torn line."""
    layout = Layout(tmp_path)
    audit = AuditLog(layout)
    audit.add(at="1", by="ann@host", action="source.add", target="docs", path="/srv")
    layout.audit.write_bytes(layout.audit.read_bytes() + b'{"at":"2","by":"to')
    audit.add(at="3", by="bob@host", action="job.sync", target="job")
    entries = list(audit.entries())
    assert [(entry["at"], entry["by"], entry["outcome"]) for entry in entries] == [
        ("1", "ann@host", "done"),
        ("3", "bob@host", "done"),
    ]
    assert entries[0]["details"] == {"path": "/srv"}


def test_job_log_carries_its_context_and_survives_odd_lines(tmp_path: Path) -> None:
    """Each log line names job and source; lines that are no JSON objects are passed over, unfinished ones awaited."""
    path = tmp_path / "log.jsonl"
    log = JobLog(path, job="j", source="s")
    log.event("info", "started", path=tmp_path)
    log.close()
    with path.open("ab") as handle:
        handle.write(b"not json\n[1]\n")
        handle.write(b'{"level":"warning"}\n{"level":"err')
    events = [event for event, _ in read_log(path)]
    assert [event["level"] for event in events] == ["info", "warning"]
    assert (events[0]["job"], events[0]["source"], events[0]["path"]) == ("j", "s", str(tmp_path))
