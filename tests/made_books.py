"""Small books, drawings and documents made for one test each: Mobipocket, Visio, XPS, FictionBook, Hangul, Avro."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from tests.made_files import zip_bytes
from tests.made_ole_files import ole_tree

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_VISIO = "http://schemas.microsoft.com/office/visio/2012/main"
_IDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


# --- Palm databases -------------------------------------------------------------------------------------------------


def palm_database(records: Sequence[bytes], kind: bytes = b"BOOKMOBI") -> bytes:
    """Return a database of these records."""
    start = 78 + 8 * len(records) + 2
    entries = b""
    for number, record in enumerate(records):
        entries += struct.pack(">II", start, number)
        start += len(record)
    head = b"book".ljust(32, b"\x00") + bytes(28) + kind + bytes(8) + struct.pack(">H", len(records))
    return head + entries + bytes(2) + b"".join(records)


def mobi_head(
    records: int, *, compression: int = 2, version: int = 6, encryption: int = 0, encoding: int = 65001,
    name: bytes = b"", flags: int = 0, values: Mapping[int, bytes] | None = None, tables: tuple[int, int] = (0, 0),
    parts_at: int = 0xFFFFFFFF,
) -> bytes:  # fmt: skip
    """Return the first record of a book whose text is in so many records after it."""
    described = b""
    for kind, value in (values or {}).items():
        described += struct.pack(">II", kind, 8 + len(value)) + value
    if values:
        described = b"EXTH" + struct.pack(">II", 12 + len(described), len(values)) + described
    length = 232
    head = bytearray(16 + length)
    struct.pack_into(">HHIHHHH", head, 0, compression, 0, 0, records, 4096, encryption, 0)
    struct.pack_into(">4sIIIII", head, 16, b"MOBI", length, 2, encoding, 1, version)
    struct.pack_into(">II", head, 84, len(head) + len(described), len(name))
    struct.pack_into(">II", head, 112, *tables)
    struct.pack_into(">I", head, 128, 0x40 if values else 0)
    struct.pack_into(">I", head, 192, parts_at)
    struct.pack_into(">H", head, 242, flags)
    return bytes(head) + described + name


def mobi(*texts: bytes, **options: Any) -> bytes:
    """Return a book of these records of text, as they are."""
    return palm_database([mobi_head(len(texts), **options), *texts])


def huffman_tables(pieces: Sequence[bytes]) -> list[bytes]:
    """Return tables in which each code has eight bits and stands for the piece of its number."""
    codes = struct.pack(">256I", *((255 << 8 | 0x80 | 8) for _code in range(256)))
    huff = b"HUFF" + struct.pack(">III", 24, 24, 24 + len(codes)) + bytes(8) + codes + bytes(256)
    phrases = [pieces[255 - at] if 255 - at < len(pieces) else b"" for at in range(256)]
    offsets, body = b"", b""
    for phrase in phrases:
        offsets += struct.pack(">H", 512 + len(body))
        body += struct.pack(">H", len(phrase) | 0x8000) + phrase
    return [huff, b"CDIC" + struct.pack(">III", 16, 256, 8) + offsets + body]


# --- Packages -------------------------------------------------------------------------------------------------------


def relations_of(*targets: tuple[str, str]) -> str:
    """Return a list of relationships: kind and target of each; their ids are ``r1``, ``r2``, …"""
    rows = (
        f'<Relationship Id="r{number}" Type="http://x/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{"".join(rows)}</Relationships>'


def visio(*pages: tuple[str, str], masters: Sequence[str] = (), comments: str = "") -> bytes:
    """Return a drawing of pages (name, shapes) and of masters (shapes), whose ids begin with 1."""

    def listing(kind: str, entry: str, names: Sequence[str]) -> str:
        rows = "".join(
            f'<{entry} ID="{number}" Name="{name}"><Rel r:id="r{number}"/></{entry}>'
            for number, name in enumerate(names, 1)
        )
        return f'<{kind} xmlns="{_VISIO}" xmlns:r="{_IDS}">{rows}</{kind}>'

    def contents(kind: str, shapes: str) -> str:
        return f'<{kind} xmlns="{_VISIO}"><Shapes>{shapes}</Shapes></{kind}>'

    main = [("pages", "pages/pages.xml"), ("masters", "masters/masters.xml"), ("comments", "comments.xml")]
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations_of(("officeDocument", "visio/document.xml")),
        "visio/document.xml": f'<VisioDocument xmlns="{_VISIO}"/>',
        "visio/_rels/document.xml.rels": relations_of(*main),
        "visio/pages/pages.xml": listing("Pages", "Page", [name for name, _shapes in pages]),
        "visio/pages/_rels/pages.xml.rels": relations_of(
            *(("page", f"page{at}.xml") for at in range(1, len(pages) + 1))
        ),
        "visio/masters/masters.xml": listing("Masters", "Master", ["m"] * len(masters)),
        "visio/masters/_rels/masters.xml.rels": relations_of(
            *(("master", f"master{at}.xml") for at in range(1, len(masters) + 1))
        ),
    }
    parts |= {f"visio/pages/page{at}.xml": contents("PageContents", one) for at, (_name, one) in enumerate(pages, 1)}
    parts |= {f"visio/masters/master{at}.xml": contents("MasterContents", one) for at, one in enumerate(masters, 1)}
    if comments:
        parts["visio/comments.xml"] = f'<Comments xmlns="{_VISIO}">{comments}</Comments>'
    return zip_bytes(parts)


def xps(*pages: str, pieces: bool = False) -> bytes:
    """Return an XPS document of pages; with ``pieces`` the first page is kept in two."""
    references = "".join(f'<PageContent Source="Pages/{at}.fpage"/>' for at in range(1, len(pages) + 1))
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relations_of(("fixedrepresentation", "/FixedDocumentSequence.fdseq")),
        "FixedDocumentSequence.fdseq": '<FixedDocumentSequence><DocumentReference Source="/Documents/1/FixedDoc.fdoc"/>'
        "</FixedDocumentSequence>",
        "Documents/1/FixedDoc.fdoc": f"<FixedDocument>{references}</FixedDocument>",
    }
    for at, page in enumerate(pages, 1):
        parts[f"Documents/1/Pages/{at}.fpage"] = f"<FixedPage>{page}</FixedPage>"
    if pieces:
        first = str(parts.pop("Documents/1/Pages/1.fpage"))
        parts["Documents/1/Pages/1.fpage/[0].piece"] = first[:20]
        parts["Documents/1/Pages/1.fpage/[1].last.piece"] = first[20:]
    return zip_bytes(parts)


def glyphs(text: str, x: float, y: float, size: float = 10.0, **more: str) -> str:
    """Return a run of glyphs on a page."""
    extra = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<Glyphs UnicodeString="{text}" OriginX="{x}" OriginY="{y}" FontRenderingEmSize="{size}"{extra}/>'


def fictionbook(body: str, *, about: str = "", more: str = "") -> bytes:
    """Return a book of one body."""
    spaces = 'xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink"'
    described = f"<description><title-info>{about}</title-info></description>"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><FictionBook {spaces}>'
        f"{described}<body>{body}</body>{more}</FictionBook>"
    ).encode()


# --- Hangul ---------------------------------------------------------------------------------------------------------


def hwp_record(tag: int, body: bytes) -> bytes:
    """Return a record; a long one has its size after its head."""
    if len(body) < 0xFFF:
        return struct.pack("<I", tag | len(body) << 20) + body
    return struct.pack("<II", tag | 0xFFF << 20, len(body)) + body


def hwp_paragraph(text: str, style: int = 0) -> bytes:
    """Return the records of a paragraph; characters below 32 are controls, whole as they are given."""
    return hwp_record(66, bytes(10) + bytes((style,)) + bytes(11)) + hwp_record(67, text.encode("utf-16-le"))


def hwp(*sections: bytes, flags: int = 1, styles: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return a document of sections; ``flags`` 1: compressed. ``styles``: the two names of each."""

    def packed(content: bytes) -> bytes:
        if not flags & 1:
            return content
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(content) + packer.flush()

    def name(text: str) -> bytes:
        return struct.pack("<H", len(text)) + text.encode("utf-16-le")

    info = b"".join(hwp_record(26, name(native) + name(english)) for native, english in styles)
    head = b"HWP Document File".ljust(32, b"\x00") + struct.pack("<II", 0x05010000, flags) + bytes(216)
    body = {f"Section{number}": packed(one) for number, one in enumerate(sections)}
    return ole_tree({"FileHeader": head, "DocInfo": packed(info), "BodyText": body})


# --- Avro -----------------------------------------------------------------------------------------------------------


def avro_of(schema: Any, records: Sequence[Any], codec: str = "null") -> bytes:
    """Return an Avro file."""
    import fastavro

    buffer = BytesIO()
    fastavro.writer(buffer, schema, records, codec=codec, sync_marker=b"0123456789abcdef")
    return buffer.getvalue()
