"""XLS and XLSB: errors, numbers as shown, notes, text boxes, merged headers, and cells that the library cannot read."""

from __future__ import annotations

import struct

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.workbooks.biff_strings import read_shared_strings
from ingest_tui.extraction.workbooks.xls import XlsReader, unpack_rk
from ingest_tui.extraction.workbooks.xlsb import XlsbReader
from ingest_tui.model.errors import ItemError
from tests.made_files import biff_label, biff_record, ole, xls_of, xlsb_of, xlsb_record, xlsb_text, zip_bytes


def unicode_text(text: str, count: str = "<H") -> bytes:
    return struct.pack(count, len(text)) + b"\x01" + text.encode("utf-16-le")


def xls_with(cells: bytes, *, codes: tuple[str, ...] = (), after: bytes = b"") -> bytes:
    """Return a BIFF8 workbook of a sheet Stock; its cell styles have these format codes, from the first."""
    styles = b"".join(
        biff_record(0x41E, struct.pack("<H", 200 + at) + unicode_text(code))
        + biff_record(0xE0, struct.pack("<HH", 0, 200 + at) + bytes(16))
        for at, code in enumerate(codes)
    )
    return xls_of({"Stock": cells + after}, rows=4, columns=6, more=styles)


def test_xls_shows_errors_and_formats() -> None:
    """Errors of cells and formulas stay; numbers of each kind of record are shown by the format of their style."""
    error = biff_record(0x205, struct.pack("<HHHBB", 0, 0, 0, 0x2A, 1))
    formula = biff_record(0x06, struct.pack("<HHH", 0, 1, 0) + b"\x02\x00\x07\x00\x00\x00\xff\xff" + bytes(8))
    zeros = biff_record(0x27E, struct.pack("<HHHI", 0, 2, 1, 420 << 2 | 2))
    percent = biff_record(0x203, struct.pack("<HHHd", 0, 3, 2, 0.125))
    several = biff_record(0xBD, struct.pack("<HHHIHIH", 0, 4, 1, 7 << 2 | 2, 2, 50 << 2 | 3, 5))
    content = xls_with(error + formula + zeros + percent + several, codes=("General", "00000", "0.0%"))
    line = extract(content, file_name="a.xls").markdown.splitlines()[2]
    assert line == "| #N/A | #DIV/0! | 00420 | 12.5% | 00007 | 50.0% |"


def test_xls_notes_and_text_boxes() -> None:
    """A note is with its cell, whatever object holds its text; another object is a text box; headers lose codes."""

    def drawn(kind: int, number: int, text: str) -> bytes:
        shape = biff_record(0x5D, struct.pack("<HHHH", 0x15, 18, kind, number) + bytes(14))
        body = struct.pack("<HHHHHHH", 0, 0, 0, 0, 0, len(text), 16) + bytes(4)
        return shape + biff_record(0x1B6, body) + biff_record(0x3C, b"\x01" + text.encode("utf-16-le"))

    after = drawn(25, 5, "check") + drawn(6, 6, "Read me") + biff_record(0x1C, struct.pack("<HHHHH", 0, 1, 0, 5, 0))
    after += biff_record(0x14, unicode_text("&L&8Secret plan")) + biff_record(0x15, unicode_text("&P"))
    markdown = extract(xls_with(biff_label(0, 0, "Name"), after=after), file_name="a.xls").markdown
    assert markdown.splitlines()[-7:] == ["- B1: check", "", "### Other text", "", "Secret plan", "", "Read me"]


def test_xls_merged_header_is_repeated() -> None:
    """A heading over two columns is the heading of both."""
    cells = biff_label(0, 0, "Name") + biff_label(0, 1, "Sum") + biff_label(1, 0, "a") + biff_label(1, 2, "b")
    merged = biff_record(0xE5, struct.pack("<HHHHH", 1, 0, 0, 1, 2))
    assert "| Name | Sum | Sum |" in extract(xls_with(cells, after=merged), file_name="a.xls").markdown


def test_xls_is_read_without_its_library() -> None:
    """All cells are there where the library fails: texts, shared texts, truths and numbers."""
    cells = biff_label(0, 0, "Name") + biff_record(0xFD, struct.pack("<HHHI", 0, 1, 0, 1))
    cells += biff_record(0x205, struct.pack("<HHHBB", 0, 2, 0, 1, 0))
    cells += biff_record(0x203, struct.pack("<HHHd", 0, 3, 0, 2.5))
    strings = biff_record(0xFC, struct.pack("<II", 2, 2) + unicode_text("one") + struct.pack("<H", 5) + b"\x01t\0w\0")
    content = xls_of({"Stock": cells}, more=strings + biff_record(0x3C, b"\x00o-x"))
    assert XlsReader(content).read("Stock", everything=True).rows() == [["Name", "two-x", True, 2.5]]


def test_shared_strings_with_runs_and_phonetics() -> None:
    """What follows the characters of a shared string, such as its fonts, is passed over."""
    rich = struct.pack("<HBHI", 2, 0x0D, 1, 3) + "äö".encode("utf-16-le") + bytes(4) + b"xyz"
    assert read_shared_strings([struct.pack("<II", 2, 2) + rich + unicode_text("next")]) == ["äö", "next"]
    assert read_shared_strings([struct.pack("<II", 9, 9) + unicode_text("only")]) == ["only"]


@pytest.mark.parametrize(
    ("packed", "number"),
    [(420 << 2 | 2, 420.0), ((-5 << 2 | 2) & 0xFFFFFFFF, -5.0), (50 << 2 | 3, 0.5), (0x3FF00000, 1.0)],
)
def test_packed_numbers(packed: int, number: float) -> None:
    """Integers, hundredths and halves of a float are unpacked, negative ones too."""
    assert unpack_rk(packed) == number


def test_xlsb_shows_errors_formats_and_comments() -> None:
    """The binary form of XLSX shows the same: errors, formats, merged headers, comments."""
    sheet = (
        xlsb_record(0, struct.pack("<I", 0) + bytes(16))
        + xlsb_record(6, struct.pack("<II", 0, 0) + xlsb_text("Name"))
        + xlsb_record(3, struct.pack("<IIB", 1, 0, 0x2A))
        + xlsb_record(2, struct.pack("<III", 2, 1, 420 << 2 | 2))
        + xlsb_record(5, struct.pack("<IId", 3, 2, 0.125))
        + xlsb_record(7, struct.pack("<III", 4, 0, 0))
        + xlsb_record(4, struct.pack("<IIB", 5, 0, 1))
    )
    comments = xlsb_record(635, struct.pack("<IIIII", 0, 0, 0, 1, 1)) + xlsb_record(637, b"\x00" + xlsb_text("check"))
    content = xlsb_of(sheet, codes=("General", "00000", "0.0%"), strings=("shared",), comments=comments)
    read = XlsbReader(content).read("Stock", everything=True)
    assert read.rows() == [["Name", "#N/A", "00420", "12.5%", "shared", True]]
    assert read.notes == [("B1", "check")]
    lines = extract(content, file_name="a.xlsb").markdown.splitlines()
    assert ("| Name | #N/A | 00420 | 12.5% | shared | true |" in lines, "- B1: check" in lines) == (True, True)


def test_panic_of_the_library_does_not_lose_the_workbook() -> None:
    """Where the library fails on a workbook as a whole, its cells are read without it, with a finding."""
    text = xlsb_record(6, struct.pack("<II", 0, 0) + xlsb_text("pears"))
    content = xlsb_of(xlsb_record(0, struct.pack("<I", 0) + bytes(16)) + text, listed=("Stock", "b", "c", "of no part"))
    extraction = extract(content, file_name="a.xlsb")
    assert "## Stock\n\n| pears |" in extraction.markdown
    assert [(one.severity, one.code) for one in extraction.validation] == [("warning", "workbook_damaged")]


def test_list_of_sheets_as_betas_wrote_it() -> None:
    """A list of sheets with four bytes more, as a beta of Excel 2007 wrote it, names them and their parts."""
    text = xlsb_record(6, struct.pack("<II", 0, 0) + xlsb_text("pears"))
    content = xlsb_of(xlsb_record(0, struct.pack("<I", 0) + bytes(16)) + text, before_sheet=bytes(4))
    assert "## Stock\n\n| pears |" in extract(content, file_name="a.xlsb").markdown


@pytest.mark.parametrize(
    "cut",
    [
        b"\xe5\x00\x02\x00\xff\xff",
        b"\xbd\x00\x04\x00\x00\x00\x00\x00",
        b"\x1c\x00\x01\x00\x00",
        b"\x06\x00\x02\x00\x00\x00",
    ],
)
@pytest.mark.parametrize("name", ["a.xls", "a.xlsb"])
def test_damaged_records_cost_themselves(name: str, cut: bytes) -> None:
    """Records cut short and numbers out of range raise nothing but an error of the document."""
    parts = {"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": cut}
    stream = biff_record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + cut
    content = ole({"Workbook": stream}) if name == "a.xls" else zip_bytes(parts)
    with pytest.raises(ItemError):
        extract(content, file_name=name)
