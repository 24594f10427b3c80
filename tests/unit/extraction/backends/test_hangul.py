"""Documents of Hangul, in the form of OLE files."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.intake.ole import CompoundFile
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemRejectedError
from tests.made_books import hwp, hwp_paragraph, hwp_record
from tests.made_ole_files import ole_tree


@pytest.mark.parametrize("flags", [0, 1])
def test_hangul_paragraphs_and_headings_are_read(flags: int) -> None:
    """Text without its controls, tabs and line breaks kept, outline styles as headings."""
    table = "\x0b" + "abcdef" + "\x0b"  # an extended control takes eight places
    tab = "\t" + "uvwxyz" + "\t"
    section = hwp_paragraph("연례 보고서", 1) + hwp_paragraph(f"ripe {table}apples{tab}red\nnext\r")
    read = extract(hwp(section, flags=flags, styles=[("바탕글", "Normal"), ("개요 1", "Outline 1")]), file_name="a.hwp")
    assert read.markdown == "# 연례 보고서\n\nripe apples\tred\nnext\n"
    assert read.title == "연례 보고서"


def test_hangul_sections_are_in_order_and_may_be_damaged() -> None:
    """The eleventh follows the tenth; a damaged one is a finding; long records are read whole."""
    sections = [hwp_paragraph(f"part{number}") for number in range(12)]
    assert extract_text(hwp(*sections), ".hwp").split() == [f"part{number}" for number in range(12)]
    long = "a" * 3000
    assert extract_text(hwp(hwp_record(66, b"") + hwp_record(67, long.encode("utf-16-le"))), ".hwp").strip() == long


def test_a_document_without_its_head_is_no_hangul_document() -> None:
    """A file that lacks the stream that says what it is cannot be read, and says so."""
    for name in ("FileHeader", "FileHeade"):
        with pytest.raises(ItemRejectedError, match="this kind of OLE file"):
            extract(ole_tree({"BodyText": {"Section0": b"x" * 600}, name: b"x" * 600}), file_name="a.bin")


def test_a_stream_that_leads_back_to_itself_has_an_end() -> None:
    """A stream cannot hold more than its file, whatever its size is said to be."""
    content = bytearray(hwp(hwp_paragraph("x"), flags=0))
    size_at = content.index("Section0".encode("utf-16-le")) + 120
    content[size_at : size_at + 4] = b"\xff\xff\xff\x7f"
    compound = CompoundFile(bytes(content))
    [section] = compound.read_storage("bodytext")
    assert len(compound.read_entry(section)) <= len(content)


@pytest.mark.parametrize("flags", [3, 5])
def test_a_protected_hangul_document_is_encrypted(flags: int) -> None:
    """A password and a copy for distribution are named."""
    with pytest.raises(ItemRejectedError) as raised:
        extract(hwp(hwp_paragraph("x"), flags=flags), file_name="a.hwp")
    assert raised.value.reason == "encrypted"


def test_a_hangul_section_does_not_unpack_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A section that grows beyond the limit is a bomb."""
    monkeypatch.setattr("ingest_tui.extraction.backends.hwp.MAX_SECTION_BYTES", 1000)
    with pytest.raises(ItemRejectedError) as raised:
        extract(hwp(hwp_paragraph("x" * 100_000)), file_name="a.hwp")
    assert raised.value.reason == "archive_bomb"
