"""Tables of databases: dBase, SQLite."""

from __future__ import annotations

import contextlib
import struct

import pytest

from ingest_tui.extraction.intake.sniffing import sniff
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import IngestError, ProcessingError
from ingest_tui.model.extraction import Extraction
from tests.made_tables import dbf_of, sqlite_of


def read(content: bytes, file_name: str) -> Extraction:
    return extract(content, file_name=file_name)


def codes(extraction: Extraction) -> list[str]:
    return [one.code for one in extraction.validation]


# --- dBase ------------------------------------------------------------------------------------------------------------


def test_dbf_values_are_read_by_their_kind() -> None:
    """Texts in their code page, numbers, dates, truths and packed numbers are read; deleted records are not."""
    fields = (
        ("NAME", "C", 6),
        ("SUM", "N", 5),
        ("DAY", "D", 8),
        ("OK", "L", 1),
        ("NO", "I", 4),
        ("AT", "T", 8),
        ("RAW", "B", 8),
    )
    packed = struct.pack("<i", -7) + struct.pack("<II", 2_456_708, 52_200_000) + struct.pack("<d", 0.25)
    records = (" Äpfel  12.5".encode("cp850") + b"20140219T" + packed, b"*secret 1.0020140219T" + packed)
    content = dbf_of(fields, records, driver=0x02)
    assert read(content, "a.dbf").markdown.splitlines() == [
        "| NAME | SUM | DAY | OK | NO | AT | RAW |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| Äpfel | 12.5 | 2014-02-19 | true | -7 | 2014-02-19 14:30:00 | 0.25 |",
    ]


def test_dbf_in_utf_8_whatever_it_says() -> None:
    """Texts that are UTF-8 are read so."""
    content = dbf_of((("NAME", "C", 9),), (b" " + "Äpfel".encode().ljust(9),), driver=0x02)
    assert "| Äpfel |" in read(content, "a.dbf").markdown


def test_dbf_without_its_memos_or_records_says_so() -> None:
    """Memos that are in another file, and records that are missing at the end, are findings."""
    content = dbf_of((("NAME", "C", 6), ("NOTE", "M", 10)), (b" apples" + b"1".rjust(10),), stated=3)
    extraction = read(content, "a.dbf")
    assert (codes(extraction), "| apples |" in extraction.markdown) == (["records_missing", "memos_missing"], True)


@pytest.mark.parametrize(
    "start", [b"\x03", b"\x03\x7e\x0b\x1d" + bytes(100), b"\x03plain words in a text of some length" * 9]
)
def test_other_bytes_are_no_dbf(start: bytes) -> None:
    """A first byte alone does not make a table."""
    with contextlib.suppress(IngestError):
        assert sniff(start, "bin").format.name != "dbf"


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_sqlite_tables_are_read_and_nothing_is_run() -> None:
    """Each table of rows is read; views are not run, blobs not printed, virtual tables named."""
    content = sqlite_of(
        'CREATE TABLE "odd ""name" (a TEXT, b BLOB)',
        "INSERT INTO \"odd \"\"name\" VALUES ('pears', x'0001')",
        "CREATE TABLE empty (a)",
        "CREATE VIEW v AS SELECT 'secret' AS s",
        "CREATE VIRTUAL TABLE words USING fts5(text)",
    )
    extraction = read(content, "a.db")
    assert '## odd "name\n\n| a | b |\n| --- | --- |\n| pears | (2 bytes) |' in extraction.markdown
    assert ("secret" in extraction.markdown, "virtual_tables" in codes(extraction)) == (False, True)


def test_sqlite_with_a_write_ahead_log() -> None:
    """A database in that mode is read as it is in the file, with a finding."""
    content = bytearray(sqlite_of("CREATE TABLE t (a)", "INSERT INTO t VALUES ('pears')"))
    content[18:20] = b"\x02\x02"
    extraction = read(bytes(content), "a.sqlite")
    assert ("pears" in extraction.markdown, codes(extraction)) == (True, ["write_ahead_log"])


def test_computed_column_without_end_costs_its_table() -> None:
    """A column that computes a gigabyte is refused before it is made; the other tables are read."""
    content = sqlite_of(
        "CREATE TABLE bomb (a, b AS (zeroblob(1000000000)))",
        "INSERT INTO bomb (a) VALUES (1)",
        "CREATE TABLE good (a)",
        "INSERT INTO good VALUES ('pears')",
    )
    extraction = read(content, "a.sqlite")
    assert ("pears" in extraction.markdown, codes(extraction)) == (True, ["table_unreadable"])


def test_damaged_table_costs_itself() -> None:
    """A table whose pages are damaged is named; the others are read. With none left the database is malformed."""
    good = ("CREATE TABLE good (a)", "INSERT INTO good VALUES ('pears')")
    content = bytearray(sqlite_of("CREATE TABLE bad (a)", "INSERT INTO bad VALUES ('x')", *good))
    content[4096:8192] = b"\xff" * 4096
    extraction = read(bytes(content), "a.sqlite")
    assert ("pears" in extraction.markdown, codes(extraction)) == (True, ["table_unreadable"])
    alone = bytearray(sqlite_of("CREATE TABLE bad (a)", "INSERT INTO bad VALUES ('x')"))
    alone[4096:8192] = b"\xff" * 4096
    with pytest.raises(ProcessingError):
        read(bytes(alone), "a.sqlite")


def test_text_that_begins_like_a_table_is_text() -> None:
    """Words at the start of a text do not make it a file of a database."""
    assert [sniff(start + b" are words in a text\n", "").format.name for start in (b"ORC", b"PAR", b"ARROW1")] == [
        "text"
    ] * 3
