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


def workbook(sheets: Mapping[str, str], *, states: Mapping[str, str] | None = None, **more: bytes) -> bytes:
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
    return zip_bytes({**parts, **more})


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
    return pdf_of([*page, encryption], b"/Encrypt %d 0 R /ID [<%s> <%s>]" % (number, *[identity.hex().encode()] * 2))


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
