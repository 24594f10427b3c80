"""What cannot be read is refused by its name."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import ItemRejectedError


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "a PNG image"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(60), "a HEIC image"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(60), "an MPEG-4 video or audio file"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(60), "a WebP image"),
        (b"\x00\x01\x00\x00Standard ACE DB\x00" + bytes(60), "a Microsoft Access database"),
        (b"AC1032" + bytes(60), "an AutoCAD drawing"),
        (b"a.txt".ljust(257, b"\x00") + b"ustar\x0000" + bytes(300), "a tar archive"),
        (bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(60), "a OneNote section"),
        (b"MZ\x90\x00" + bytes(60), "a Windows program"),
        (b"ID3\x03\x00" + bytes(60), "an MP3 audio file"),
        (bytes(10240), "a file that holds only zero bytes"),
    ],
)
def test_a_refusal_says_what_the_file_is(content: bytes, name: str) -> None:
    """Whatever its name, the reason tells what the bytes are."""
    for file_name in ("file.bin", "file"):
        with pytest.raises(ItemRejectedError, match=f"cannot read {name}"):
            extract(content, file_name=file_name)


@pytest.mark.parametrize("text", ["MZ is a country code", "ORC and elves", "ID3 tags", "%!PS is a start", "AC10 model"])
def test_a_text_that_begins_like_a_file_is_text(text: str) -> None:
    """Letters that some format begins with do not make a text binary."""
    assert extract(text.encode(), file_name="a.txt").markdown.strip() == text


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x00\x00\x00\x18ftypmif1", "a HEIC image"),
        (b"BM\x36\x00\x0c\x00", "a Windows bitmap image"),
        (b"\xff\xfb\x90\x64", "an MP3 audio file"),
        (b"FORM\x00\x00\x01\x00AIFF", "an AIFF audio file"),
        (b"\x00" * 128 + b"DICM", r"a medical image \(DICOM\)"),
        (b"\x00\x00\x02\x00\x06\x04", "a Lotus 1-2-3 workbook"),
        (b"\x1f\x9d\x90", "a file of compress"),
        (b"$FL2@(#) SPSS", "an SPSS data file"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(head: bytes, name: str) -> None:
    """A refusal says what the file is."""
    with pytest.raises(ItemRejectedError, match=f"cannot read {name}"):
        extract(head + bytes(range(256)) * 2, file_name="found.bin")
