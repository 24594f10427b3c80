"""Files made to do harm, or that came to harm: what a hostile or careless source may hold."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from tests.made_files import locked_pdf, ole_with, pdf_of, pdf_pages, sheet_row, stream, word_file, workbook, zip_bytes

MEGABYTE = 1024**2
NOISE = bytes(range(256)) * 8
BY_CONTAINER = {
    "zip": ("docx", "pptx", "xlsx", "odt", "odp", "odg", "ods", "epub"),
    "cut": ("docx", "pptx", "xlsx", "odt", "ods", "epub", "xls", "parquet"),
}


@dataclass(frozen=True)
class BadFile:
    """A file and what may become of it: its status and its reason, each one of several where libraries differ."""

    file_name: str
    content: bytes
    statuses: frozenset[str]
    reasons: frozenset[str]


def bad_files(samples: Mapping[str, Any]) -> dict[str, BadFile]:
    """Return all of them by name. ``samples``: format → a sound sample of it."""
    found: dict[str, BadFile] = {}
    for name, file_name, content, fate in (
        *_of_every_kind(samples),
        *_archives(samples),
        *_markup(samples),
        *_tables(),
        *_pdfs(samples),
        *_others(),
    ):
        status, _, reason = fate.partition(":")
        assert name not in found, name
        found[name] = BadFile(file_name, content, frozenset(status.split("|")), frozenset(reason.split("|")))
    return found


Row = tuple[str, str, bytes, str]


def _of_every_kind(samples: Mapping[str, Any]) -> Iterator[Row]:
    """Empty, blank, of another type, cut short and encrypted, for each family."""
    for kind in ("text", "json", "csv", "xml", "html", "eml", "rtf", "docx", "xlsx", "xls", "pdf", "parquet", "epub"):
        file_name = samples[kind].file_name
        is_text = kind in ("text", "json", "csv", "xml", "html", "eml", "rtf")
        yield f"empty {kind}", file_name, b"", "empty:empty"
        yield f"blank {kind}", file_name, b" \r\n\t" * 50, "empty:empty"
        yield f"noise {kind}", file_name, NOISE, f"rejected:{'unsupported_type' if is_text else 'wrong_type'}"
    for kind in BY_CONTAINER["cut"]:
        content = samples[kind].content
        yield f"cut {kind}", samples[kind].file_name, content[: len(content) * 2 // 3], "failed:malformed"
    for kind in BY_CONTAINER["zip"]:
        yield (
            f"locked {kind}",
            samples[kind].file_name,
            _flagged_as_encrypted(samples[kind].content),
            "rejected:encrypted",
        )
    yield "locked pdf", "a.pdf", locked_pdf(), "rejected:encrypted"
    yield "locked office", "a.docx", ole_with("EncryptedPackage"), "rejected:encrypted"
    yield "text as pdf", "a.pdf", b"just words", "rejected:wrong_type"
    yield "picture as docx", "a.docx", b"\x89PNG\r\n\x1a\n" + bytes(500), "rejected:needs_ocr"
    yield "program", "a.exe", b"MZ\x90\x00" + bytes(500), "rejected:unsupported_type"
    yield "damaged gzip", "a.gz", b"\x1f\x8b\x08" + bytes(500), "failed:malformed"
    yield "gzip bomb", "a.txt.gz", gzip.compress(bytes(40 * MEGABYTE)), "rejected:archive_bomb"


def _flagged_as_encrypted(content: bytes) -> bytes:
    flagged = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := flagged.find(mark, at + 1)) >= 0:
            flagged[at + offset] |= 1
    return bytes(flagged)


def _with_part(content: bytes, name: str, part: bytes) -> bytes:
    """Return an archive with one part replaced or added."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts: dict[str, bytes | str] = {one: archive.read(one) for one in archive.namelist()}
    return zip_bytes({**parts, name: part})


def _archives(samples: Mapping[str, Any]) -> Iterator[Row]:
    bomb = zlib_bomb_zip(40 * MEGABYTE)
    nested = zip_bytes({"a.txt": b"x"})
    for _ in range(3):
        nested = zip_bytes({"inner.zip": nested})
    yield "too many entries", "a.docx", zip_bytes({**word_file(), **{f"{at}": b"" for at in range(10_001)}}), BOMB
    yield "nested too deep", "a.zip", nested, BOMB
    yield "ratio zip", "a.zip", bomb, BOMB
    yield "bomb within docx", "a.docx", zip_bytes(word_file(**{"word/embeddings/a.xlsx": bomb})), BOMB
    for kind, part in (("docx", "word/document.xml"), ("xlsx", "xl/worksheets/sheet1.xml"), ("odt", "content.xml")):
        sound = samples[kind].content
        yield f"ratio {kind}", f"a.{kind}", _with_part(sound, part, b"<a>" + b" " * 34 * MEGABYTE), BOMB
        laughs = LAUGHS.replace(b"<r>&j;</r>", b"<a>&j;</a>")
        yield (
            f"laughing {kind}",
            f"a.{kind}",
            _with_part(sound, part, laughs),
            "failed|rejected|empty:malformed|archive_bomb|unsafe_xml|memory|empty",
        )
        lying = lie_about_sizes(_with_part(sound, part, b"<a>" + b"x" * 34 * MEGABYTE))
        yield f"lying {kind}", f"a.{kind}", lying, "failed|rejected|parsed|empty:malformed|archive_bomb|memory|empty|"
    far_off = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    yield "far-off cell", "a.xlsx", workbook({"a": sheet_row(1, "x") + far_off}), "rejected|failed:too_large|memory"
    cut_zip = zip_bytes(word_file())[:-30]
    yield "zip without its directory", "a.docx", cut_zip, "failed:malformed"
    yield "plain zip", "a.zip", zip_bytes({"../../etc/passwd": b"x"}), "rejected:unsupported_type"


def zlib_bomb_zip(size: int) -> bytes:
    """Return an archive of one entry of ``size`` zeros."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as entry:
        for _ in range(size // MEGABYTE):
            entry.write(bytes(MEGABYTE))
    return buffer.getvalue()


def lie_about_sizes(content: bytes) -> bytes:
    """Return an archive whose directory says of every entry of more than a megabyte that it has 100 bytes."""
    lying = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = -1
        while (at := lying.find(mark, at + 1)) >= 0:
            if int.from_bytes(lying[at + offset : at + offset + 4], "little") > MEGABYTE:
                lying[at + offset : at + offset + 4] = struct.pack("<I", 100)
    return bytes(lying)


BOMB = "rejected:archive_bomb"
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (at + 1, *[at] * 10) for at in b"abcdefghi"
) + b"]><r>&j;</r>"  # fmt: skip


def _markup(samples: Mapping[str, Any]) -> Iterator[Row]:
    unsafe = "rejected:unsafe_xml"
    yield "laughing xml", "a.xml", LAUGHS, unsafe
    quadratic = b'<!DOCTYPE r [<!ENTITY a "%s">]><r>%s</r>' % (b"x" * 50_000, b"&a;" * 50_000)
    yield "quadratic xml", "a.xml", b'<?xml version="1.0"?>' + quadratic, unsafe
    yield "xml reads a file", "a.xml", external_xml("file:///etc/hostname"), "parsed:"
    yield "xml calls home", "a.svg", external_xml("http://127.0.0.1:9/x"), "parsed:"
    parameter = b'<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/hostname">%p;]><r/>'
    yield "xml parameter entity", "a.xml", b'<?xml version="1.0"?>' + parameter, "empty:empty"
    yield "deep xml", "a.xml", b"<a>" * 100_000, unsafe
    yield "cut xml", "a.xml", b"<?xml version='1.0'?><r att", "failed:malformed"
    yield "deep html", "a.html", b"<!DOCTYPE html>" + b"<div>" * 200_000 + b"x", "parsed|failed:|malformed|crashed"
    yield "html of one attribute", "a.html", b"<html><p title='" + b"x" * 3_000_000, "parsed|empty:|empty"
    book = _with_part(samples["epub"].content, "META-INF/container.xml", LAUGHS)
    yield "laughing epub", "a.epub", book, unsafe
    yield "deep rtf", "a.rtf", rb"{\rtf1 " + b"{" * 300_000, "parsed|failed|empty:|malformed|crashed|empty"
    nested_mail = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (at, at) for at in range(3000))
    mail = b"From: a@b\nTo: c@d\nSubject: x\nDate: today\nMIME-Version: 1.0\n" + nested_mail
    yield "nested mail", "a.eml", mail, "parsed|failed:|malformed"


def external_xml(address: str) -> bytes:
    """Return a document with an entity that stands outside of it."""
    entity = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{address}">]><r>&x;</r>'
    return f'<?xml version="1.0"?>{entity}'.encode()


def _tables() -> Iterator[Row]:
    yield "one huge field", "a.csv", b"a,b\n1," + b"x" * 4_000_000, "parsed:"
    yield "many columns", "a.csv", b",".join(b"c%d" % at for at in range(50_000)) + b"\n1\n", "parsed:"
    yield "unclosed quote", "a.csv", b"a,b\n" + b'1,"\n' + b"2,3\n" * 100_000, "parsed:"
    yield "deep json", "a.json", b"[" * 500_000, "parsed:"
    yield "damaged parquet", "a.parquet", b"PAR1" + NOISE + b"\xff\xff\xff\x7fPAR1", "failed:malformed"
    yield "endless ole", "a.doc", _endless_ole(), "failed:malformed"
    yield "hollow doc", "a.doc", ole_with("WordDocument"), "failed|empty:malformed|empty|crashed"
    yield "hollow xls", "a.xls", ole_with("Workbook"), "failed|empty:malformed|empty"


def _endless_ole() -> bytes:
    content = bytearray(ole_with("WordDocument"))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    return bytes(content)


def _pdfs(samples: Mapping[str, Any]) -> Iterator[Row]:
    packer = zlib.compressobj(1)
    once = b"".join([packer.compress(b" " * MEGABYTE) for _ in range(600)]) + packer.flush()
    page = pdf_pages("x")
    page[4] = stream(zlib.compress(once, 9), b"/Filter [/FlateDecode /FlateDecode]")
    yield "inflating pdf", "a.pdf", pdf_of(page), "failed|empty:memory|malformed|empty|timeout"
    circle = pdf_pages("x")
    circle[1] = b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"
    yield "pages in a circle", "a.pdf", pdf_of(circle), "failed|empty:malformed|empty|crashed"
    boasting = pdf_pages("x")
    boasting[1] = b"<< /Type /Pages /Kids [] /Count 2147483647 >>"
    yield "pdf of two billion pages", "a.pdf", pdf_of(boasting), "failed|empty:malformed|empty|timeout|crashed"
    yield "pdf of its head alone", "a.pdf", b"%PDF-1.7\n", "failed:malformed"
    yield "scan", "a.pdf", pdf_of(pdf_pages("", "")), "empty:empty"
    sound = samples["pdf"].content
    yield "pdf cut in its pages", "a.pdf", sound[: len(sound) // 3], "failed|empty|parsed:malformed|empty|"


def _others() -> Iterator[Row]:
    yield "zeros", "a.bin", bytes(100_000), "rejected:unsupported_type"
    yield "database", "a.db", b"SQLite format 3\x00" + bytes(500), "failed:malformed"
    yield "odd notebook", "a.ipynb", b'{"nbformat": 4, "cells": [1, null, {"source": 5, "outputs": 7}]}', "parsed:"
    yield "lines of half characters", "a.json", b'{"a": "' + rb"\ud800" * 100_000 + b'"}', "parsed:"
