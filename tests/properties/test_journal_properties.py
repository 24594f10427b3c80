"""What journals promise for any records and any damage at their end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.records.journal import Journal, decode_line, encode_line, read_journal, read_journal_from

text = st.text(max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | text
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6
)
names = text.filter(lambda name: name != "crc")
records = st.dictionaries(names, values, min_size=1, max_size=5)


@given(record=records)
def test_line_gives_back_its_record(record: dict[str, Any]) -> None:
    """Any record comes back from its line, and the line is one line."""
    line = encode_line(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_line(line) == record


@given(record=records | st.dictionaries(names, st.text("a\x7f\x85\x9b\u202e\u2066\U000e0001é日\n"), min_size=1))
def test_line_can_be_shown(record: dict[str, Any]) -> None:
    """Nothing in a line acts on the terminal of whoever looks at a journal with `cat`."""
    shown = encode_line(record).decode().removesuffix("\n")
    assert safe_display(shown) == shown
    assert decode_line(shown.encode()) == record


@given(first=records, second=records)
def test_line_with_the_checksum_of_another_is_refused(first: dict[str, Any], second: dict[str, Any]) -> None:
    """The checksum belongs to what is before it."""
    one, other = encode_line(first), encode_line(second)
    if one == other:
        return
    tail = len(',"crc":"12345678"}\n')
    mixed = one[:-tail] + other[-tail:]
    if mixed not in {one, other}:
        assert decode_line(mixed) is None


@given(line=st.binary(max_size=80))
def test_any_bytes_are_a_record_or_nothing(line: bytes) -> None:
    """Reading never fails, whatever is in the file."""
    record = decode_line(line)
    assert record is None or isinstance(record, dict)


@given(written=st.lists(records, max_size=5), cut=st.integers(0, 10_000), after=records)
def test_cut_at_any_byte_loses_only_the_torn_line(
    written: list[dict[str, Any]], cut: int, after: dict[str, Any]
) -> None:
    """After a crash in the middle of a line all earlier records are there, no wrong one is, and the next one is too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        lines = [encode_line(record) for record in written]
        whole = b"".join(lines)
        cut %= len(whole) + 1
        path.write_bytes(whole[:cut])
        with Journal(path) as journal:
            journal.append([after])
        ends = [len(b"".join(lines[: number + 1])) for number in range(len(lines))]
        intact = sum(end - 1 <= cut for end in ends)  # only the line feed is missing: the record is complete
        assert list(read_journal(path)) == [*written[:intact], after]


@pytest.mark.slow
@given(written=st.lists(records, min_size=1, max_size=5), pieces=st.lists(st.integers(1, 40), max_size=30))
def test_follower_sees_every_record_once(written: list[dict[str, Any]], pieces: list[int]) -> None:
    """Whoever reads while lines are still growing sees each record once and in order, however the bytes arrive."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        whole = b"".join(encode_line(record) for record in written)
        seen: list[dict[str, Any]] = []
        offset = position = 0
        for size in [*pieces, len(whole)]:
            position = min(position + size, len(whole))
            path.write_bytes(whole[:position])
            for record, end in read_journal_from(path, offset):
                seen.append(record)
                offset = end
        assert seen == written
        assert offset == len(whole)
