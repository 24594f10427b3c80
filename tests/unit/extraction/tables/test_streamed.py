"""Tables of text that are read block by block."""

from __future__ import annotations

import csv
import sys
import tracemalloc
from collections.abc import Iterable
from io import StringIO
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_tui.extraction.backends.base import ParseInput
from ingest_tui.extraction.intake.formats import BY_EXTENSION
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.extraction.pool import task_input
from ingest_tui.extraction.tables.delimited import find_delimiter, find_quote, read_csv
from ingest_tui.extraction.tables.streamed import is_streamed, read_streamed
from ingest_tui.extraction.tables.table import Table, build_table


def streamed(head: bytes, rest: Iterable[bytes], most_characters: int = 10**6) -> Table:
    parse_input = ParseInput(head, "a.csv", BY_EXTENSION["csv"], rest=rest)
    table = read_streamed(parse_input, most_characters=most_characters)
    assert table is not None
    return table


CELL = st.text(st.sampled_from('ab1,;"\n\r é'), max_size=12)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=12), st.integers(1, 40))
def test_blocks_make_the_same_table_as_the_whole(rows: list[list[str]], block: int) -> None:
    """Wherever a file is cut into blocks, within characters and quotes too, its rows are the same."""
    text = StringIO()
    csv.writer(text).writerows([["name", "sum"], *rows])
    content = text.getvalue().encode()
    head = content[: content.index(b"\n") + 1]
    rest = content[len(head) :]
    table = streamed(head, (rest[at : at + block] for at in range(0, len(rest), block)))
    whole = read_csv(text.getvalue(), delimiter=",")
    assert whole is not None
    assert (table.markdown, table.describe()) == (whole.markdown, whole.describe())


@pytest.mark.parametrize("declaration", ["sep=;\n", '"sep=;"\r\n', "\ufeffSEP=;\n"])
def test_a_delimiter_that_is_declared_is_that(declaration: str) -> None:
    """The line that names it is read by spreadsheets, and shown by none."""
    content = f"{declaration}name;a,b,c\nx;1,2,3\n".encode()
    table = streamed(content, ())
    assert table.markdown == "| name | a,b,c |\n| --- | --- |\n| x | 1,2,3 |"
    assert extract_text(content, ".csv") == f"{table.markdown}\n"
    assert [finding.code for finding in extract(content, file_name="a.csv").validation] == []


@pytest.mark.parametrize("name", ["sep=x", "sep=7", '"sep=ß"', 'sep="'])
def test_a_name_that_declares_no_sign_is_the_name_of_a_column(name: str) -> None:
    """Letters, digits and quotes are no delimiters, so the line is the first of the table."""
    content = f"{name}\naxb\n".encode()
    shown = name.strip('"') if name.startswith('"') else name
    assert streamed(content, ()).markdown == f"| {shown} |\n| --- |\n| axb |"
    assert extract_text(content, ".csv") == f"| {shown} |\n| --- |\n| axb |\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp932", "cp1252"])
def test_blocks_are_decoded_as_the_beginning_is(encoding: str) -> None:
    """The encoding is found from the first lines, and a character may be in two blocks."""
    value = "価格は日本" if encoding == "cp932" else "größer als für"
    content = ("name,value\n" + f"{value},1\n" * 40).encode(encoding)
    table = streamed(content[:200], (content[at : at + 7] for at in range(200, len(content), 7)))
    assert (table.rows, table.markdown.count(value), table.fields[0]["distinct"]) == (40, 40, 1)


def test_bytes_that_are_no_utf_8_come_late() -> None:
    """They are read as cp1252 where they are, with a finding, and everything else stays UTF-8."""
    table = streamed(b"a,b\nx,1\n", ["größe,2\n".encode(), "größe,3\n".encode("cp1252")])
    assert table.markdown.count("größe") == 2
    assert [one.message for one in table.findings] == ["not valid utf-8 in 2 places: read as cp1252"]


def test_a_quote_that_is_never_closed_takes_a_limited_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it takes is a finding; the rows after that are read, and the limit of the process is as before."""
    monkeypatch.setattr("ingest_tui.extraction.tables.streamed._LONGEST_LINE", 1000)
    before = csv.field_size_limit()
    table = streamed(b'a,b\n1,2\n"x,3\n', [b"4,5\n" * 500])
    assert table.rows > 200
    assert [one.code for one in table.findings] == ["csv_malformed"]
    assert csv.field_size_limit() == before


def test_memory_does_not_grow_with_the_file() -> None:
    """Of six times as many rows all are counted, and hardly more memory is taken: less than a tenth of them."""
    block = b"".join(b"%d,place %d,2024-01-05,1.50\n" % (number % 97, number % 31) for number in range(1000))
    peaks, rows = [], []
    for blocks in (3, 18):
        tracemalloc.start()
        rows.append(streamed(b"id,place,day,sum\n", repeat(block, blocks), 1000).rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert rows == [3000, 18_000]
    assert peaks[1] < peaks[0] + len(block) * 15 // 10


def test_a_table_takes_little_more_than_its_text_twice() -> None:
    """Rows are kept as one text for many, and go as their lines are made."""
    rows = ([str(row % 97), "a remark that is as long as those of people are", "é\nf" if row == 2500 else ""]
            for row in range(20_000))  # fmt: skip
    tracemalloc.start()
    table = build_table("", chain([["id", "remark", "more"]], rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table is not None
    assert table.markdown.count("\n") == 20_001
    assert "| 75 | a remark that is as long as those of people are | é f |" in table.markdown
    assert peak < sys.getsizeof(table.markdown) * 2.6


def test_a_parser_streams_large_tables_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file beyond the limit is read in blocks where it is a table of text, else whole; both are parsed."""
    monkeypatch.setattr(task_input, "STREAMED_FROM_BYTES", 1000)
    monkeypatch.setattr(task_input, "HEAD_BYTES", 400)
    for name, content in (("a.csv", b"n,word\n" + b"7,pears\n" * 500), ("a.txt", b"pears are round\n" * 500)):
        path = tmp_path / name
        path.write_bytes(content)
        head, rest = task_input.read_input(str(path), name)
        assert (rest is not None, len(head)) == ((True, 400) if name == "a.csv" else (False, len(content)))
        extraction = extract(head, file_name=name, rest=rest)
        assert extraction.markdown.count("pears") == 500
        assert [table["rows"] for table in extraction.columns] == ([500] if name == "a.csv" else [])


def test_what_only_bears_the_name_of_a_table_is_read_whole() -> None:
    """An archive or a picture is not a table because its name says so."""
    assert is_streamed(b"a,b\n1,2\n", "a.csv")
    assert not is_streamed(b"PK\x03\x04" + bytes(100), "a.csv")
    assert not is_streamed(b"a,b\n1,2\n", "a.txt")


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("'a','b','c'\n'x, y','it''s',3\n", "'"),  # only so are the lines equally long
        ("'town';'note'\n'Bern';'wet'\n'Thun';''\n", "'"),  # every word is between two
        ("town,note\nBern,'wet'\nThun,dry\n", '"'),  # some words are: they belong to them
        ("id,note\n'007,one\n'008,two\n", '"'),  # as spreadsheets mark numbers that are texts
        ("a,b\n'tis the season, 1\nit's late, 2, 3\n", '"'),
        ("'a, b\nc,d,e'\n", '"'),
        ('"a","it\'s"\n"b, c","\'x\'"\n', '"'),
        ("'only'\n", '"'),
        ("", '"'),
    ],
)
def test_quotes_are_found(text: str, quote: str) -> None:
    """Apostrophes are quotes only where nothing else explains the first lines; else every sign is kept."""
    assert find_quote(text, find_delimiter(text)) == quote


def test_a_table_in_apostrophes_is_read_as_one() -> None:
    """Whole and in blocks: what is between them is one field, and two of them within it are one."""
    text = "'town','note'\n'Bern, old','it''s wet'\n'Thun','dry'\n"
    whole = read_csv(text)
    assert whole is not None
    assert whole.markdown.split("\n")[2] == "| Bern, old | it's wet |"
    assert streamed(text[:20].encode() + text[20:40].encode(), [text[40:].encode()]).markdown == whole.markdown
    broken = read_csv("'a','b'\n" + "'x','y'\n" * 30 + "'never closed,1\n2,3\n")
    assert broken is not None
    assert [one.code for one in broken.findings if one.severity == "error"] == ["unclosed_quote"]
