"""Small files made for one test each: archives, workbooks and PDFs with something wrong in them."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PASSWORD_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def zip_bytes(parts: Mapping[str, bytes | str]) -> bytes:
    """Return a zip archive of ``parts``."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def word_file(**more: bytes) -> dict[str, bytes]:
    """Return the parts that make an archive a Word document, and ``more``."""
    return {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<d/>", **more}


def workbook(
    sheets: Mapping[str, str], *, states: Mapping[str, str] | None = None, more: Mapping[str, bytes] | None = None
) -> bytes:
    """Return an XLSX. ``sheets``: name → the XML of its rows; ``states``: name → ``hidden``; ``more``: other parts."""
    states = states or {}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"'
        + (f' state="{states[name]}"' if name in states else "")
        + "/>"
        for number, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1"'
        f' Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{related}</Relationships>',
    }
    for number, rows in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_SHEETS}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return zip_bytes(parts | dict(more or {}))


def office_file(
    parts: Mapping[str, bytes | str], related: Mapping[str, Sequence[tuple[str, str]]], *, types: str = ""
) -> bytes:
    """Return an Office Open XML package.

    ``related``: part → the kind and the target of what it refers to, numbered ``rId1``, ``rId2``, …; ``""`` is the
    package itself. A target with ``://`` is an external one.
    """
    package = "http://schemas.openxmlformats.org/package/2006"
    made: dict[str, bytes | str] = {"[Content_Types].xml": f'<Types xmlns="{package}/content-types">{types}</Types>'}
    for part, targets in related.items():
        folder, _slash, base = part.rpartition("/")
        listed = "".join(
            f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"'
            + (' TargetMode="External"/>' if "://" in target else "/>")
            for number, (kind, target) in enumerate(targets, 1)
        )
        name = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        made[name] = f'<Relationships xmlns="{package}/relationships">{listed}</Relationships>'
    return zip_bytes(made | dict(parts))


def relations(*targets: tuple[str, str]) -> bytes:
    """Return the part that lists what another part refers to: the last word of the kind and the target of each."""
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{namespace}">{listed}</Relationships>'.encode()


def sheet_row(number: int, *cells: str) -> str:
    """Return a row of a sheet; a cell that begins with ``<`` is the inside of a cell, any other one its text."""
    made = "".join(
        f'<c r="{chr(65 + at)}{number}">{cell}</c>'
        if cell.startswith("<")
        else f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for at, cell in enumerate(cells)
    )
    return f'<row r="{number}">{made}</row>'


def pdf_of(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF of ``objects`` (numbered from 1, the first one the catalogue) with a sound table of them."""
    out = b"%PDF-1.6\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % table


def pdf_pages(*texts: str, catalogue: bytes = b"", more: Sequence[bytes] = ()) -> list[bytes]:
    """Return the objects of a PDF with one page for each text; ``more`` follow with number 4 + 2 for each page."""
    first = 4
    kids = b" ".join(b"%d 0 R" % (first + 2 * at) for at in range(len(texts)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
        b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 612 792] >>" % (kids, len(texts)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, text in enumerate(texts):
        drawn = b"BT /F1 18 Tf 72 720 Td (%s) Tj ET" % text.encode() if text else b""
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            % (first + 2 * at + 1)
        )
        objects.append(stream(drawn))
    return [*objects, *more]


def stream(data: bytes, dictionary: bytes = b"") -> bytes:
    """Return a stream object of a PDF."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), dictionary, data)


def restricted_pdf(text: str, permissions: int) -> bytes:
    """Return a PDF that opens without a password and forbids what ``permissions`` leaves out (ISO 32000-1, 7.6.3)."""
    owner, identity = b"O" * 32, b"\x00" * 16
    key = hashlib.md5(_PASSWORD_PADDING + owner + struct.pack("<i", permissions) + identity).digest()[:5]
    page = pdf_pages(text)
    drawn = b"BT /F1 18 Tf 72 720 Td (%s) Tj ET" % text.encode()
    page[4] = stream(_rc4(hashlib.md5(key + b"\x05\x00\x00\x00\x00").digest()[:10], drawn))
    user = _rc4(key, _PASSWORD_PADDING)
    encryption = b"<< /Filter /Standard /V 1 /R 2 /P %d /O <%s> /U <%s> >>" % (
        permissions,
        owner.hex().encode(),
        user.hex().encode(),
    )
    number = len(page) + 1
    name = identity.hex().encode()
    return pdf_of([*page, encryption], b"/Encrypt %d 0 R /ID [<%s> <%s>]" % (number, name, name))


def locked_pdf() -> bytes:
    """Return a PDF whose encryption dictionary fits no empty password."""
    encryption = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>"
    identity = b"<" + b"00" * 16 + b">"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>", encryption]
    return pdf_of(objects, b"/Encrypt 3 0 R /ID [%s %s]" % (identity, identity))


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    at = 0
    for index in range(256):
        at = (at + state[index] + key[index % len(key)]) % 256
        state[index], state[at] = state[at], state[index]
    out = bytearray()
    first = second = 0
    for byte in data:
        first = (first + 1) % 256
        second = (second + state[first]) % 256
        state[first], state[second] = state[second], state[first]
        out.append(byte ^ state[(state[first] + state[second]) % 256])
    return bytes(out)


def ole_with(name: str) -> bytes:
    """Return an OLE compound file ([MS-CFB]) with one empty stream of that name."""
    encoded = name.encode("utf-16-le")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    fat = struct.pack("<128I", 0xFFFFFFFD, 0xFFFFFFFE, *[0xFFFFFFFF] * 126)
    entry = encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded) + 2) + bytes(62)
    return header + fat + entry + bytes(384) + bytes(512)


def ole(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file ([MS-CFB]) whose streams are padded to 4,096 bytes, so that none is a short one."""
    sector = 512
    end, fat_mark, free = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
    directory = [("Root Entry", 5, end, 0)]
    chains: list[tuple[int, int]] = []
    data = b""
    directory_sectors = -(-(len(streams) + 1) // 4)
    position = 1 + directory_sectors
    for name, content in streams.items():
        padded = content.ljust(4096, b"\0")
        padded += b"\0" * (-len(padded) % sector)
        directory.append((name, 2, position, len(padded)))
        chains.append((position, len(padded) // sector))
        position += len(padded) // sector
        data += padded
    fat = [fat_mark, *range(2, 1 + directory_sectors), end]
    for start, count in chains:
        fat += [*range(start + 1, start + count), end]
    fat += [free] * (128 - len(fat))
    entries = b""
    for at, (name, kind, start, size) in enumerate(directory):
        encoded = name.encode("utf-16-le")
        right = at + 1 if 0 < at < len(directory) - 1 else free
        child = 1 if at == 0 else free
        entries += encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, free, right, child)
        entries += b"\0" * 36 + struct.pack("<IQ", start, size)
    entries += b"\0" * (directory_sectors * sector - len(entries))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += b"\0" * 6 + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    return header + struct.pack("<128I", *fat) + entries + data


def biff_record(kind: int, body: bytes) -> bytes:
    """Return a record of a BIFF stream ([MS-XLS])."""
    return struct.pack("<HH", kind, len(body)) + body


def biff_label(row: int, column: int, text: str) -> bytes:
    """Return a cell that holds a text."""
    body = struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1")
    return biff_record(0x204, body)


def xls_of(sheets: Mapping[str, bytes], rows: int = 2, columns: int = 2, more: bytes = b"") -> bytes:
    """Return a BIFF8 workbook. ``sheets``: name → its records of cells, within so many rows and columns.

    ``more`` are records of the workbook as a whole.
    """

    def begin(kind: int) -> bytes:
        return biff_record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0))

    end = biff_record(0x0A, b"")
    size = biff_record(0x200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))
    bodies = [begin(0x10) + size + cells + end for cells in sheets.values()]
    start = len(begin(5)) + sum(4 + 8 + len(name) for name in sheets) + len(more) + len(end)
    listed = b""
    for name, body in zip(sheets, bodies, strict=True):
        listed += biff_record(0x85, struct.pack("<IBBBB", start, 0, 0, len(name), 0) + name.encode("latin-1"))
        start += len(body)
    return ole({"Workbook": begin(5) + listed + more + end + b"".join(bodies)})


def xlsb_record(kind: int, body: bytes) -> bytes:
    """Return a record of a part of an XLSB workbook ([MS-XLSB] 2.1.4)."""
    head = bytes((kind,)) if kind < 128 else bytes((kind & 0x7F | 0x80, kind >> 7))
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 0x7F | 0x80, len(body) >> 7))
    return head + length + body


def xlsb_text(text: str) -> bytes:
    """Return a text as these records have it."""
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_of(
    cells: bytes,
    *,
    codes: Sequence[str] = (),
    strings: Sequence[str] = (),
    comments: bytes = b"",
    listed: Sequence[str] = ("Stock",),
    before_sheet: bytes = b"",
) -> bytes:
    """Return an XLSB workbook whose first sheet has these records; those listed after it have no part."""
    sheets = b"".join(
        xlsb_record(156, before_sheet + struct.pack("<II", 0, at) + xlsb_text(f"rId{at}") + xlsb_text(name))
        for at, name in enumerate(listed, 1)
    )
    formats = b"".join(xlsb_record(44, struct.pack("<H", 200 + at) + xlsb_text(code)) for at, code in enumerate(codes))
    styles = b"".join(xlsb_record(47, struct.pack("<HH", 0, 200 + at) + bytes(12)) for at in range(len(codes)))
    count = struct.pack("<I", len(codes))
    styles = xlsb_record(617, count) + styles + xlsb_record(618, b"")
    begin, end = xlsb_record(129, b""), xlsb_record(130, b"")
    size = xlsb_record(148, struct.pack("<IIII", 0, 0, 0, 5))
    shared = b"".join(xlsb_record(19, b"\x00" + xlsb_text(text)) for text in strings)
    return zip_bytes(
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": relations(("officeDocument", "xl/workbook.bin")),
            "xl/workbook.bin": xlsb_record(131, b"") + xlsb_record(143, b"") + sheets + xlsb_record(144, b""),
            "xl/_rels/workbook.bin.rels": relations(
                ("worksheet", "worksheets/sheet1.bin"), ("styles", "styles.bin"), ("sharedStrings", "sharedStrings.bin")
            ),
            "xl/worksheets/sheet1.bin": begin + size + xlsb_record(145, b"") + cells + xlsb_record(146, b"") + end,
            "xl/worksheets/_rels/sheet1.bin.rels": relations(("comments", "../comments1.bin")),
            "xl/comments1.bin": comments,
            "xl/sharedStrings.bin": xlsb_record(159, struct.pack("<II", len(strings), len(strings))) + shared,
            "xl/styles.bin": xlsb_record(615, count)
            + formats
            + xlsb_record(617, count)
            + styles
            + xlsb_record(618, b""),
        }
    )


def far_off_xls(sheets: int, *, last_row: int = 65_536, columns: int = 256) -> bytes:
    """Return a small workbook each of whose sheets has a first cell, and one in the far corner."""
    cells = biff_label(0, 0, "Name") + biff_label(last_row - 1, columns - 1, "far")
    return xls_of({f"Sheet{number}": cells for number in range(1, sheets + 1)}, last_row, columns)


def tnef(body: bytes, *attachments: tuple[str, bytes]) -> bytes:
    """Return a wrapped mail (MS-OXTNEF 2.1): a signature, a key, and attributes with their sums."""

    def attribute(level: int, name: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    parts = [
        struct.pack("<IH", 0x223E9F78, 1),
        attribute(1, 0x00089006, struct.pack("<I", 0x00010000)),
        attribute(1, 0x00069007, struct.pack("<II", 1252, 0)),
        attribute(1, 0x0002800C, body),
    ]
    for name, content in attachments:
        parts.append(attribute(2, 0x00069002, bytes(14)))
        parts.append(attribute(2, 0x00018010, name.encode() + b"\x00"))
        parts.append(attribute(2, 0x0006800F, content))
    return b"".join(parts)
