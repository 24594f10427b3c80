"""OLE compound files made for one test each: storages of any depth, and files of PowerPoint 97 and Word 97."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

OleTree = Mapping[str, "bytes | OleTree"]


def ole_tree(tree: OleTree) -> bytes:
    """Return an OLE compound file of streams (bytes) and storages (mappings). All streams have sectors of their own."""
    sector, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    rows: list[list[Any]] = [["Root Entry", 5, end, 0, free, free]]  # name, kind, start, size, right, child
    streams: list[tuple[int, bytes]] = []

    def add(parent: int, inside: OleTree) -> None:
        previous = -1
        for name, content in inside.items():
            at = len(rows)
            is_stream = isinstance(content, bytes)
            rows.append([name, 2 if is_stream else 1, end, len(content) if is_stream else 0, free, free])
            if previous < 0:
                rows[parent][5] = at
            else:
                rows[previous][4] = at
            previous = at
            if isinstance(content, bytes):
                streams.append((at, content))
            else:
                add(at, content)

    add(0, tree)
    directory_sectors = -(-len(rows) // 4)
    fat = [*range(1, directory_sectors), end]
    data = b""
    for at, content in streams:
        if content:
            count = -(-len(content) // sector)
            rows[at][2] = len(fat)
            fat += [*range(len(fat) + 1, len(fat) + count), end]
            data += content.ljust(count * sector, b"\0")
    tables = -(-(len(fat) + 8) // 127)
    first_table = len(fat)
    fat += [0xFFFFFFFD] * tables
    fat += [free] * (tables * 128 - len(fat))
    entries = b""
    for name, kind, start, size, right, child in rows:
        encoded = name.encode("utf-16-le")
        entries += encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, free, right, child)
        entries += b"\0" * 36 + struct.pack("<IQ", start, size)
    entries = entries.ljust(directory_sectors * sector, b"\0")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += b"\0" * 6 + struct.pack("<IIIIIIIII", 0, tables, 0, 0, 0, end, 0, end, 0)
    header += struct.pack("<109I", *range(first_table, first_table + tables), *[free] * (109 - tables))
    return header + entries + data + struct.pack(f"<{len(fat)}I", *fat)


def ppt_record(kind: int, body: bytes, *, instance: int = 0, container: bool = False) -> bytes:
    """Return a record of a presentation ([MS-PPT])."""
    return struct.pack("<HHI", instance << 4 | (0x0F if container else 0), kind, len(body)) + body


def ppt_text(text: str, kind: int = 4) -> bytes:
    """Return the records of a text: the kind of its placeholder, then its characters."""
    return ppt_record(3999, struct.pack("<I", kind)) + ppt_record(4000, text.encode("utf-16-le"))


def ppt_sheet(*boxes: bytes, notes: int = 0, kind: int = 1006, more: bytes = b"") -> bytes:
    """Return a slide (or notes with ``kind=1008``) whose shapes hold ``boxes``, the records of their texts."""
    shapes = b"".join(ppt_record(0xF004, ppt_record(0xF00D, box, container=True), container=True) for box in boxes)
    drawing = ppt_record(1036, ppt_record(0xF002, shapes, container=True), container=True)
    return ppt_record(kind, ppt_record(1007, struct.pack("<12xIII", 0, notes, 0)) + drawing + more, container=True)


def ppt(
    slides: Sequence[bytes],
    *,
    notes: Mapping[int, bytes] | None = None,
    outline: Mapping[int, bytes] | None = None,
    order: Sequence[int] | None = None,
    token: int = 0xE391C05F,
) -> bytes:
    """Return a presentation. ``notes``: number → page; ``outline``: place of a slide, from 0 → its outlined texts."""
    sheets = [*slides, *(notes or {}).values()]

    def listed(instance: int, rows: Sequence[tuple[int, int, bytes]]) -> bytes:
        made = (ppt_record(1011, struct.pack("<I8xII", place, number, 0)) + texts for place, number, texts in rows)
        return ppt_record(4080, b"".join(made), instance=instance, container=True)

    slide_rows = [(2 + at, 256 + at, (outline or {}).get(at, b"")) for at in order or range(len(slides))]
    note_rows = [(2 + len(slides) + at, number, b"") for at, number in enumerate(notes or {})]
    stream = ppt_record(1000, listed(0, slide_rows) + listed(2, note_rows), container=True)
    places = [0]
    for sheet in sheets:
        places.append(len(stream))
        stream += sheet
    directory = len(stream)
    stream += ppt_record(6002, struct.pack("<I", len(places) << 20 | 1) + struct.pack(f"<{len(places)}I", *places))
    edit = len(stream)
    stream += ppt_record(4085, struct.pack("<8xIIIII", 0, directory, 1, 0, 0))
    user = ppt_record(4086, struct.pack("<III", 20, token, edit))
    return ole_tree({"Current User": user, "PowerPoint Document": stream})


def doc(
    body: str,
    *,
    stories: Mapping[int, str] | None = None,
    properties: Mapping[str, bytes] | None = None,
    listings: Mapping[int, bytes] | None = None,
    codec: str = "utf-16-le",
) -> bytes:
    """Return a document of Word 97 ([MS-DOC]).

    ``stories``: place among the stories (1 footnotes, 2 headers, 4 comments, 5 endnotes, 6 and 7 boxes) → text.
    ``properties``: text of a paragraph with its mark → its style and properties. ``listings``: number of a pair of
    the file information block → what it is to point to.
    """
    texts = [body, *((stories or {}).get(number, "") for number in range(1, 8))]
    text = "".join(texts)
    content = text.encode(codec)
    letter = len(content) // len(text)
    start = 2048
    pages: list[bytes] = []
    places: list[int] = []
    at = start
    for paragraph in re.findall("[^\r\x07\x0c]*[\r\x07\x0c]", text):
        kept = (properties or {}).get(paragraph, b"\0\0")
        kept += b"\0" * (len(kept) % 2 == 0)
        end = at + len(paragraph) * letter
        page = struct.pack("<IIB12x", at, end, 128)
        pages.append((page.ljust(256, b"\0") + bytes(((len(kept) + 1) // 2,)) + kept).ljust(511, b"\0") + b"\x01")
        places.append(at)
        at = end
    first_page = -(-at // 512)
    main = bytearray(start)
    struct.pack_into("<HH6xH", main, 0, 0xA5EC, 0xC1, 0x0200)
    struct.pack_into("<8I", main, 0x4C, *map(len, texts))
    place = start * 2 | 0x40000000 if letter == 1 else start
    table = b""
    numbers = range(first_page, first_page + len(pages))
    made = {
        33: b"\x02" + struct.pack("<III2xI2x", 16, 0, len(text), place),
        13: struct.pack(f"<{len(places) + 1}I", *places, at) + struct.pack(f"<{len(pages)}I", *numbers),
        **(listings or {}),
    }
    for number, listing in made.items():
        struct.pack_into("<II", main, 0x9A + 8 * number, len(table), len(listing))
        table += listing
    stream = (bytes(main) + content).ljust(first_page * 512, b"\0") + b"".join(pages)
    return ole_tree({"WordDocument": stream, "1Table": table})
