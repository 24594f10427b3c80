"""What is let in: types from bytes, archive limits, encryption, markup."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zipfile
from io import BytesIO

import pytest

from ingest_tui.extraction.intake import containers
from ingest_tui.extraction.intake.ole import CompoundFile
from ingest_tui.extraction.intake.validation import validate
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding
from tests.made_files import biff_record, locked_pdf, ole, ole_with, pdf_of, pdf_pages, word_file, zip_bytes


def kind_of(content: bytes, file_name: str) -> str:
    return validate(content, file_name).format.name


def reason_of(content: bytes, file_name: str) -> str:
    with pytest.raises((ItemRejectedError, ProcessingError)) as caught:
        extract(content, file_name=file_name)
    return caught.value.reason


@pytest.mark.parametrize(
    ("content", "file_name", "expected"),
    [
        (b"plain words", "a.txt", "text"),
        (b"plain words", "README", "text"),
        (b"# head", "a.md", "markdown"),
        (b"<!DOCTYPE html><html></html>", "a", "html"),
        (b"  \n<html lang=de>", "a.txt", "html"),
        (b"<?xml version='1.0'?><r/>", "a.bin", "xml"),
        (b"<?xml version='1.0'?><html xmlns='x'><body/></html>", "a.xml", "html"),
        (b'{"a": 1}', "noname", "json"),
        (b'{"nbformat": 4, "cells": []}', "noname", "notebook"),
        (b"From: a@b\nTo: c@d\nSubject: x\n\nhello", "noname", "eml"),
        (b"Note: a\nRemark: b\nTodo: c\n\nhello", "noname", "text"),
        (rb"{\rtf1 x}", "a.doc", "rtf"),
        (b"%PDF-1.7\n", "a.txt", "pdf"),
        (b"\r\n\r\n%PDF-1.7\n", "a.pdf", "pdf"),
        (b"a text about %PDF-1.7 files", "a.txt", "text"),
        (b"PAR1....PAR1", "x", "parquet"),
        (b"<b>not a page</b>", "a.md", "markdown"),
        (b"<?xml version='1.0'?>\n<!-- one --><!-- two -->\n<!DOCTYPE html><html/>", "a.txt", "html"),
        (b"digraph { a -> b }", "a.dot", "text"),
        ("größe".encode("utf-16"), "a.txt", "text"),
    ],
)
def test_type_comes_from_bytes(content: bytes, file_name: str, expected: str) -> None:
    """The bytes decide, the name only between kinds of text."""
    assert kind_of(content, file_name) == expected


@pytest.mark.parametrize(
    ("content", "file_name", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a.txt", "needs_ocr"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a.pdf", "needs_ocr"),
        (b"just words", "a.pdf", "wrong_type"),
        (b"\x1f\x8b\x08" + bytes(50), "a.gz", "malformed"),
        (bytes(200), "a.xlsx", "wrong_type"),
        (bytes(200), "a.dat", "unsupported_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(10), "a.doc", "malformed"),
        (zip_bytes(word_file())[:-30], "a.docx", "malformed"),
        (zip_bytes({"a.txt": b"x"}), "a.zip", "unsupported_type"),
        (zip_bytes({"META-INF/MANIFEST.MF": b"x"}), "a.jar", "unsupported_type"),
        (b"%PDF-1.7 cut", "a.pdf", "malformed"),
    ],
)
def test_refusals_have_reasons(content: bytes, file_name: str, reason: str) -> None:
    """What cannot be read is refused with a stable reason."""
    assert reason_of(content, file_name) == reason


def test_refusal_has_a_hint() -> None:
    """A refused type says where the readable ones are listed."""
    with pytest.raises(ItemRejectedError) as caught:
        validate(bytes(200), "a.dat")
    assert "doctor" in caught.value.hint


def test_disagreeing_name_is_a_warning() -> None:
    """A page under another name is read, with a warning."""
    said = "the name says pdf, the bytes are html: read as html"
    assert validate(b"<!DOCTYPE html><p>x", "a.pdf").findings == [Finding("warning", "type_mismatch", said)]


def test_many_comments_take_no_time() -> None:
    """A page that begins with thousands of comments is reported at once."""
    started = time.perf_counter()
    assert kind_of(b"<?xml version='1.0'?>" + b"<!-- x -->\n" * 5000 + b"<r/>", "a.xsl") == "xml"
    assert time.perf_counter() - started < 1


def test_xml_in_a_chinese_encoding_is_read() -> None:
    """An encoding that the XML parser does not know is converted for it."""
    content = '<?xml version="1.0" encoding="GB2312"?><r>苹果</r>'.encode("gb2312")
    assert extract(content, file_name="a.xml").markdown == "苹果\n"


def test_size_is_limited() -> None:
    """A file above the limit is refused by its size."""
    with pytest.raises(ItemRejectedError) as caught:
        validate(b"x" * 11, "a.txt", max_bytes=10)
    assert caught.value.reason == "too_large"


def test_ratio_bomb_is_refused() -> None:
    """A document that would unpack to more than a hundred times its size is refused before unpacking."""
    bomb = zip_bytes(word_file(**{"word/media.xml": bytes(containers.RATIO_FLOOR_BYTES + 1)}))
    assert reason_of(bomb, "a.docx") == "archive_bomb"


def test_small_but_well_packed_is_let_in() -> None:
    """Below the floor the ratio says nothing: a million equal bytes are let in."""
    assert kind_of(zip_bytes(word_file(**{"word/media.xml": bytes(1024**2)})), "a.docx") == "docx"


def test_too_many_entries_are_refused() -> None:
    """An archive with more than 10,000 entries is refused."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(containers.MAX_ENTRIES + 1):
            archive.writestr(f"{number}", b"")
    assert reason_of(buffer.getvalue(), "a.zip") == "archive_bomb"


def test_deep_nesting_is_refused() -> None:
    """Archives inside archives are followed three deep and refused beyond."""
    inner = zip_bytes({"a.txt": b"x"})
    for _ in range(2):
        inner = zip_bytes({"inner.zip": inner})
    assert reason_of(inner, "a.zip") == "unsupported_type"
    assert reason_of(zip_bytes({"inner.zip": inner}), "a.zip") == "archive_bomb"


def test_bomb_inside_a_document_is_found() -> None:
    """A bomb that is embedded in a document is a bomb."""
    bomb = zip_bytes({"x": bytes(containers.RATIO_FLOOR_BYTES + 1)})
    assert reason_of(zip_bytes(word_file(**{"word/embeddings/a.xlsx": bomb})), "a.docx") == "archive_bomb"


def test_encrypted_zip_is_refused() -> None:
    """An archive with an encrypted entry is refused as encrypted."""
    content = bytearray(zip_bytes(word_file()))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + offset] |= 1
    assert reason_of(bytes(content), "a.docx") == "encrypted"


def test_encrypted_opendocument_is_refused() -> None:
    """An OpenDocument whose manifest speaks of encryption is refused as encrypted."""
    parts = {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": b"<m:encryption-data/>",
        "content.xml": b"x",
    }
    assert reason_of(zip_bytes(parts), "a.odt") == "encrypted"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("WordDocument", "doc"),
        ("WORKBOOK", "xls"),
        ("BOOK", "xls"),
        ("book", "xls"),
        ("PowerPoint document", "ppt"),
        ("__properties_version1.0", "msg"),
    ],
)
def test_ole_files_are_recognised_by_their_streams(stream: str, expected: str) -> None:
    """Old office formats and Outlook messages share a container; its directory distinguishes them."""
    assert kind_of(ole_with(stream), "a") == expected


def test_embedded_document_does_not_name_the_file() -> None:
    """A document embedded in a workbook has its streams in a storage of its own; the workbook is still one."""
    content = bytearray(ole({"Workbook": biff_record(0x809, bytes(16)), "WordDocument": b"x"}))
    assert kind_of(bytes(content), "a.xls") == "doc"
    right_sibling = 1024 + 128 + 72
    content[right_sibling : right_sibling + 4] = b"\xff" * 4
    assert kind_of(bytes(content), "a.xls") == "xls"


@pytest.mark.parametrize("before", [b"", biff_record(0x86, b"")])
def test_workbook_behind_a_password_is_encrypted(before: bytes) -> None:
    """The record of the password near the start of a workbook says that it is encrypted."""
    start = biff_record(0x809, bytes(16)) + before
    assert reason_of(ole({"Workbook": start + biff_record(0x2F, bytes(54))}), "a.xls") == "encrypted"
    assert kind_of(ole({"Workbook": start + biff_record(0xE1, b"")}), "a.xls") == "xls"


@pytest.mark.parametrize(
    "kind", ["spreadsheet", "text", "presentation", "graphics", "text-master", "graphics-template"]
)
def test_opendocument_without_its_mimetype_part(kind: str) -> None:
    """Where the part ``mimetype`` was left out, the manifest says what the document is."""
    root = f'<m:file-entry m:full-path="/" m:version="1.3" m:media-type="application/vnd.oasis.opendocument.{kind}"/>'
    parts = {"META-INF/manifest.xml": f"<m:manifest>{root}</m:manifest>".encode(), "content.xml": b"x"}
    expected = {"spreadsheet": "ods", "text": "odt", "presentation": "odp", "graphics": "odg"}[kind.partition("-")[0]]
    assert kind_of(zip_bytes(parts), "a.zip") == expected


def test_damaged_pdf_after_a_locked_one_is_malformed() -> None:
    """What PDFium remembers of the locked file before is not said of one that is damaged."""
    boasting = pdf_pages("x")
    boasting[1] = b"<< /Type /Pages /Kids [] /Count 2147483647 >>"
    reasons = [reason_of(content, "a.pdf") for content in (locked_pdf(), pdf_of(boasting))]
    assert reasons == ["encrypted", "malformed"]


def test_encrypted_office_is_refused() -> None:
    """An encrypted docx is an OLE file with an EncryptedPackage, and refused as encrypted."""
    assert reason_of(ole_with("EncryptedPackage"), "a.docx") == "encrypted"


def test_endless_ole_directory_is_malformed() -> None:
    """A directory whose chain of sectors is a circle is refused, not followed."""
    content = bytearray(ole_with("WordDocument"))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    assert reason_of(bytes(content), "a.doc") == "malformed"


def test_encrypted_pdf_is_refused() -> None:
    """A PDF behind a password is refused as encrypted, not read as empty."""
    assert reason_of(locked_pdf(), "a.pdf") == "encrypted"


NESTED = b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (at + 1, *[at] * 8) for at in b"abcdefghi")
BOMB = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha">' + NESTED + b"]><r>&j;</r>"
QUADRATIC = b'<!DOCTYPE r [<!ENTITY a "%s">]><r>%s</r>' % (b"x" * 50_000, b"&a;" * 50_000)


@pytest.mark.parametrize("content", [BOMB, QUADRATIC, b"<r>" + b"<a>" * 600 + b"</a>" * 600 + b"</r>"])
def test_unsafe_xml_is_refused(content: bytes) -> None:
    """Entities that grow and endless nesting are refused before they do."""
    assert reason_of(content, "a.xml") == "unsafe_xml"


@pytest.mark.parametrize(
    ("subset", "body", "text"),
    [
        (b'<!ENTITY a "ha"><!ENTITY b "&a;&a;">', b"&b; &a;", "haha ha"),
        (b'<!ENTITY x SYSTEM "file:///etc/hostname">', b"&x; rest", "&x; rest"),
        (b'<!ENTITY % p SYSTEM "http://127.0.0.1/x">%p;', b"text", "text"),
        (b'<!NOTATION gif SYSTEM "v"><!ENTITY g SYSTEM "a.gif" NDATA gif>', b"text", "text"),
        (b"<!ELEMENT r (#PCDATA)><!ATTLIST r a CDATA 'b'>", b"text", "text"),
    ],
)
def test_entities_are_replaced_and_never_fetched(subset: bytes, body: bytes, text: str) -> None:
    """What a document declares itself is its text; what is outside of it stays as it is written."""
    content = b'<?xml version="1.0"?><!DOCTYPE r [%s]><r>%s</r>' % (subset, body)
    assert extract(content, file_name="a.xml").markdown == f"{text}\n"


def test_entities_in_attributes_do_not_grow() -> None:
    """What expands in an attribute is limited as well: a part of the document is left out, the rest is read."""
    content = b'<!DOCTYPE r [<!ENTITY a "%s">]><r b="%s">text</r>' % (b"x" * 50_000, b"&a;" * 50_000)
    extraction = extract(content, file_name="a.xml")
    assert len(extraction.markdown) < 10_000_000
    assert [finding.code for finding in extraction.validation][:1] == ["not_well_formed"]


@pytest.mark.parametrize(
    ("content", "headings"),
    [
        (
            (
                b"<book xmlns='http://docbook.org/ns/docbook'><info><title>The Book</title></info><chapter><title>One"
                b"</title><para>x</para><section><title>Deep <emphasis>down</emphasis></title><para>z</para></section>"
                b"<figure><title>no heading</title></figure></chapter></book>"
            ),
            ["# The Book", "## One", "### Deep down"],
        ),
        (
            (
                b"<!DOCTYPE article PUBLIC '-//NLM' 'JATS.dtd'><article><front><title-group><article-title>Pumps"
                b"</article-title></title-group></front><body><sec><title>Intro</title><p>a</p></sec></body><back><ref-list>"
                b"<title>References</title><ref><article-title>Other</article-title></ref></ref-list></back></article>"
            ),
            ["# Pumps", "## Intro", "## References"],
        ),
        (
            (
                b"<us-patent-grant><invention-title>Valve</invention-title><description><heading id='h' level='1'>FIELD"
                b"</heading><p>x</p></description></us-patent-grant>"
            ),
            ["# Valve", "## FIELD"],
        ),
        (b"<rss><channel><title>News</title></channel></rss>", []),
    ],
)
def test_titles_of_sections_are_headings(content: bytes, headings: list[str]) -> None:
    """DocBook, JATS and patents have sections; the titles of figures, references and feeds are text."""
    lines = extract(b"<?xml version='1.0'?>" + content, file_name="a.xml").markdown.split("\n")
    assert [line for line in lines if line.startswith("#")] == headings


def test_harmless_doctype_is_read() -> None:
    """A DTD that is only named does no harm and is not fetched."""
    content = b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://127.0.0.1/no.dtd"><r>text</r>'
    assert extract(content, file_name="a.xml").markdown == "text\n"


def test_plain_text_loads_no_parser() -> None:
    """Reading text imports no parser library: the fast path stays fast."""
    program = (
        f"import sys; sys.path[:] = {[entry for entry in sys.path if entry]!r}\n"
        "from ingest_tui.extraction.parse import extract\n"
        "extract(b'# x', file_name='a.md'); extract(b'x', file_name='a.txt')\n"
        "heavy = {'pyarrow', 'xberg', 'pypdfium2', 'html_to_markdown', 'puremagic', 'pydantic', 'email'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_parser_process_starts_without_what_only_some_files_need() -> None:
    """Neither the start of a parser nor a text loads what reads tables, light markup and the layout of pages."""
    program = (
        f"import sys; sys.path[:] = {[entry for entry in sys.path if entry]!r}\n"
        "from ingest_tui.extraction.pool import child\n"
        "child.extract(b'x', file_name='a.txt')\n"
        "late = ('extraction.tables', 'extraction.page_layout', 'extraction.markup.light_markup')\n"
        "print([name for name in sys.modules if name.removeprefix('ingest_tui.').startswith(late)])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_error_of_a_library_is_a_processing_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a parser library raises of its own reaches the caller as one kind of error."""

    def fail(_content: bytes) -> None:
        raise KeyError("deep inside")

    monkeypatch.setattr("ingest_tui.extraction.backends.plain.decode_text", fail)
    assert reason_of(b"x", "a.txt") == "malformed"


def test_short_stream_is_read_from_the_stream_of_short_ones() -> None:
    """A stream below 4,096 bytes lies in pieces of 64 bytes in the stream of the root, in the order of a table."""
    stream = biff_record(0x809, bytes(16)) + biff_record(0x2F, bytes(54)) + b"end of it"
    pieces = [stream[at : at + 64].ljust(64, b"\0") for at in range(0, len(stream), 64)]
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 2, 1, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, end, end, end, *[free] * 124)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        encoded = name.encode("utf-16-le")
        links = struct.pack("<HBBIII", len(encoded) + 2, kind, 1, free, free, child)
        return encoded.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    directory = entry("Root Entry", 5, 1, 3, 64 * len(pieces)) + entry("BOOK", 2, free, 1, len(stream)) + bytes(256)
    short_table = struct.pack("<128I", end, 0, *[free] * 126)  # from the second piece to the first
    content = header + table + directory + short_table + (pieces[1] + pieces[0]).ljust(512, b"\0")
    assert CompoundFile(content).read("book") == stream
    assert reason_of(content, "a.xls") == "encrypted"
