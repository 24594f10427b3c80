"""Damage to a journal, and what must still be read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest_tui.store.fs import atomic
from ingest_tui.store.records import journal
from ingest_tui.store.records.journal import Journal, encode_line, read_journal
from tests.faults.writer_lab import PowerCut, SteppingOs

RECORDS: list[dict[str, Any]] = [
    {"key": "notes/a.md", "outcome": "ingested", "bytes": 12},
    {"key": 'quo"te\n', "outcome": "failed"},
]
NEXT = {"key": "after", "outcome": "unchanged"}


def check_torn_tails(folder: Path) -> None:
    """Fail unless a journal cut at any byte still gives its whole lines, and takes the next one."""
    lines = [encode_line(record) for record in RECORDS]
    whole = b"".join(lines)
    path = folder / "torn.jsonl"
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with Journal(path) as appending:
            appending.append([NEXT])
        # A line that lacks nothing but its line feed is complete.
        intact = sum(cut >= len(b"".join(lines[: number + 1])) - 1 for number in range(len(lines)))
        assert list(read_journal(path)) == [*RECORDS[:intact], NEXT], f"cut at byte {cut}"


def check_power_cut_after_append(folder: Path) -> None:
    """Fail unless what was appended is durable once that returned."""
    power = PowerCut()
    with pytest.MonkeyPatch.context() as monkeypatch:
        for module in (atomic, journal):
            monkeypatch.setattr(module, "os", SteppingOs(after_step=power.after_step))
        with Journal(folder / "durable.jsonl") as appending:
            appending.append([NEXT])
            assert power.losses_at(appending.path) == []


def check_altered_lines() -> None:
    """Fail unless a line with any one byte changed is either refused or still says the same."""
    line = encode_line(RECORDS[0])
    for position in range(len(line) - 1):
        for change in (1, 2, 32):
            altered = bytearray(line)
            altered[position] ^= change
            record = journal.decode_line(bytes(altered))
            assert record is None or record == RECORDS[0], f"byte {position} changed by {change}"
