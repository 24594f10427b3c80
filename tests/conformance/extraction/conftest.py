"""One small document per format, written with the standard library (and pyarrow for Parquet)."""

# ruff: noqa: E501 the markup of the samples reads better in one piece

from __future__ import annotations

import plistlib
import struct
import zipfile
from dataclasses import dataclass
from io import BytesIO

import pytest

from tests.made_books import avro_of, fictionbook, glyphs, hwp, hwp_paragraph, mobi, visio, xps
from tests.made_files import (
    biff_label,
    biff_record,
    pdf_of,
    pdf_pages,
    stream,
    tnef,
    xls_of,
    xlsb_of,
    xlsb_record,
    xlsb_text,
)
from tests.made_ole_files import doc, ole_tree, ppt, ppt_sheet, ppt_text
from tests.made_tables import arrow_of, dbf_of, orc_of, sqlite_of

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
)
RELS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True)
class Sample:
    """A document and what must be found in it."""

    file_name: str
    content: bytes
    words: tuple[str, ...]
    markdown: tuple[str, ...] = ()
    """Lines that must be in the markdown: headings, list items, table rows."""
    links: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def zip_of(parts: dict[str, str | bytes], *, stored_first: bool = False) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for position, (name, content) in enumerate(parts.items()):
            how = zipfile.ZIP_STORED if stored_first and position == 0 else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=how)
    return buffer.getvalue()


def docx() -> bytes:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

    def paragraph(text: str, style: str = "", inner: str = "") -> str:
        properties = f'<w:pPr><w:pStyle w:val="{style}"/>{inner}</w:pPr>' if style or inner else ""
        return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"

    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"

    bullet = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    body = (
        paragraph("Annual report", "Heading1")
        + paragraph("Plain paragraph of prose.")
        + paragraph("first point", "ListParagraph", bullet)
        + paragraph("second point", "ListParagraph", bullet)
        + f"<w:tbl>{row('Name', 'Amount')}{row('apples', '12')}</w:tbl>"
        + f'<w:p><w:hyperlink xmlns:r="{OFFICE}" r:id="rId9"><w:r><w:t>the site</w:t></w:r></w:hyperlink></w:p>'
    )
    styles = '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    return zip_of(
        {
            "[Content_Types].xml": CONTENT_TYPES.format(
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/word/document.xml" ContentType="{main}.document.main+xml"/>'
                f'<Override PartName="/word/styles.xml" ContentType="{main}.styles+xml"/>'
                f'<Override PartName="/word/numbering.xml" ContentType="{main}.numbering+xml"/>'
            ),
            "_rels/.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
            ),
            "word/_rels/document.xml.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/styles" Target="styles.xml"/>'
                f'<Relationship Id="rId2" Type="{OFFICE}/numbering" Target="numbering.xml"/>'
                f'<Relationship Id="rId9" Type="{OFFICE}/hyperlink" Target="https://example.org/docx" TargetMode="External"/>'
            ),
            "word/document.xml": f'<?xml version="1.0"?><w:document {w}><w:body>{body}</w:body></w:document>',
            "word/styles.xml": f'<?xml version="1.0"?><w:styles {w}>{styles}</w:styles>',
            "word/numbering.xml": f'<?xml version="1.0"?><w:numbering {w}>{numbering}</w:numbering>',
        }
    )


def pptx() -> bytes:
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    p = "http://schemas.openxmlformats.org/presentationml/2006/main"

    def shape(number: int, kind: str, text: str) -> str:
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="s{number}"/><p:cNvSpPr/><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
            f"<p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )

    slide = (
        f'<?xml version="1.0"?><p:sld xmlns:a="{a}" xmlns:p="{p}"><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/>'
        "<p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>"
        f"{shape(2, 'title', 'Slide about apples')}{shape(3, 'body', 'apples are round')}</p:spTree></p:cSld></p:sld>"
    )
    main = "application/vnd.openxmlformats-officedocument.presentationml"
    return zip_of(
        {
            "[Content_Types].xml": CONTENT_TYPES.format(
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/ppt/presentation.xml" ContentType="{main}.presentation.main+xml"/>'
                f'<Override PartName="/ppt/slides/slide1.xml" ContentType="{main}.slide+xml"/>'
                f'<Override PartName="/ppt/slideLayouts/slideLayout1.xml" ContentType="{main}.slideLayout+xml"/>'
            ),
            "_rels/.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="ppt/presentation.xml"/>'
            ),
            "ppt/presentation.xml": (
                f'<?xml version="1.0"?><p:presentation xmlns:p="{p}" xmlns:r="{OFFICE}"><p:sldIdLst>'
                '<p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>'
            ),
            "ppt/_rels/presentation.xml.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/slide" Target="slides/slide1.xml"/>'
            ),
            "ppt/slides/slide1.xml": slide,
            "ppt/slides/_rels/slide1.xml.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/slideLayout" Target="../slideLayouts/slideLayout1.xml"/>'
            ),
            "ppt/slideLayouts/slideLayout1.xml": (
                f'<?xml version="1.0"?><p:sldLayout xmlns:a="{a}" xmlns:p="{p}"><p:cSld><p:spTree><p:nvGrpSpPr>'
                '<p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/></p:spTree></p:cSld>'
                "</p:sldLayout>"
            ),
        }
    )


def xlsx() -> bytes:
    s = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

    def row(number: int, *cells: str) -> str:
        made = "".join(
            f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for at, text in enumerate(cells)
            if text
        )
        return f'<row r="{number}">{made}</row>'

    rows = row(3, "Name", "Amount", "", "Name") + row(4, "apples", "12", "loose", "again")
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return zip_of(
        {
            "[Content_Types].xml": CONTENT_TYPES.format(
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/>'
                f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{main}.worksheet+xml"/>'
            ),
            "_rels/.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            ),
            "xl/workbook.xml": (
                f'<?xml version="1.0"?><workbook xmlns="{s}" xmlns:r="{OFFICE}"><sheets>'
                '<sheet name="Stock" sheetId="1" r:id="rId1"/></sheets></workbook>'
            ),
            "xl/_rels/workbook.xml.rels": RELS.format(
                f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            ),
            "xl/worksheets/sheet1.xml": f'<?xml version="1.0"?><worksheet xmlns="{s}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


ODF_NAMESPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short if short != "draw" else "drawing"}:1.0"'
    for short in ("office", "text", "table", "draw", "presentation")
)


BODIES = {"graphics": "drawing"}


def odf(kind: str, body: str) -> bytes:
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    return zip_of(
        {
            "mimetype": media_type,
            "META-INF/manifest.xml": (
                '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
                f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}"/>'
                '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
            ),
            "content.xml": (
                f'<?xml version="1.0"?><office:document-content {ODF_NAMESPACES} office:version="1.2">'
                f"<office:body><office:{BODIES.get(kind, kind)}>{body}</office:{BODIES.get(kind, kind)}></office:body></office:document-content>"
            ),
        },
        stored_first=True,
    )


def flat_odf(kind: str, body: str) -> bytes:
    return (
        f'<?xml version="1.0"?>\n<office:document {ODF_NAMESPACES} office:version="1.2" '
        f'office:mimetype="application/vnd.oasis.opendocument.{kind}">'
        f"<office:body><office:{BODIES.get(kind, kind)}>{body}</office:{BODIES.get(kind, kind)}></office:body></office:document>"
    ).encode()


def spreadsheetml() -> bytes:
    rows = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row) + "</Row>"
        for row in (("Name", "Amount"), ("apples", "12"))
    )
    return (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="Stock"><Table>{rows}</Table></Worksheet></Workbook>'
    ).encode()


ODF_TABLE = (
    '<table:table table:name="Stock">'
    + "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in (("Name", "Amount"), ("apples", "12"))
    )
    + "</table:table>"
)


def epub() -> bytes:
    return zip_of(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": (
                "<package><metadata><title>The book of apples</title><language>en</language></metadata><manifest>"
                '<item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>'
                '<item id="a" href="one%20.xhtml" media-type="application/xhtml+xml"/></manifest>'
                '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
            ),
            "OPS/one .xhtml": "<html><body><h1>Annual report</h1><p>apples</p><ul><li>first point</li></ul></body></html>",
            "OPS/two.xhtml": '<html><body><p>the <a href="https://example.org/epub">end</a></p></body></html>',
        },
        stored_first=True,
    )


def pdf(text: str = "Annual report", line: str = "apples are round") -> bytes:
    """A PDF of one page with an outline entry, two lines of text and a link annotation."""
    stream = f"BT /F1 18 Tf 72 720 Td ({text}) Tj 0 -40 Td ({line}) Tj ET" if text else ""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 612 792] >>",
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [8 0 R] >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
        f"<< /Title ({text}) /Parent 6 0 R /Dest [3 0 R /Fit] >>",
        "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.org/pdf) >> >>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()


def xls() -> bytes:
    """A BIFF8 workbook with one sheet of two rows."""
    cells = biff_label(0, 0, "Name") + biff_label(0, 1, "Amount") + biff_label(1, 0, "apples")
    return xls_of({"Stock": cells + biff_record(0x203, struct.pack("<HHHd", 1, 1, 0, 12.0))})


def xlsb() -> bytes:
    """A workbook of two rows, its texts in the cells."""

    def row(number: int, *cells: str) -> bytes:
        made = [xlsb_record(6, struct.pack("<II", at, 0) + xlsb_text(text)) for at, text in enumerate(cells)]
        return xlsb_record(0, struct.pack("<I", number) + bytes(16)) + b"".join(made)

    return xlsb_of(row(0, "Name", "Amount") + row(1, "apples", "12"))


def parquet() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as pq

    buffer = BytesIO()
    pq.write_table(pa.table({"Name": ["apples", "pears"], "Amount": [12, 3]}), buffer)
    return buffer.getvalue()


MARKDOWN = (
    "# Annual report\n\nPlain paragraph with [the site](https://example.org/md).\n\n- first point\n- second point\n\n"
    "| Name | Amount |\n| --- | --- |\n| apples | 12 |\n"
)
HTML = (
    "<!DOCTYPE html><html lang='en'><head><title>Apples &amp; more</title><style>.secret{}</style>"
    "<script>var secret = 1</script></head><body><h1>Annual report</h1><p>apples, see "
    "<a href='https://example.org/html'>the site</a></p><ul><li>first point</li><li>second point</li></ul>"
    "<table><tr><th>Name</th><th>Amount</th></tr><tr><td>apples</td><td>12</td></tr></table></body></html>"
)
EML = (
    "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Annual report\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n'
    "apples at https://example.org/eml caf\xe9\r\n--x\r\nContent-Type: application/pdf\r\n"
    'Content-Disposition: attachment; filename="plan.pdf"\r\n\r\nxyz\r\n--x--\r\n'
).encode("latin-1")
ICS = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Fruit team\r\nBEGIN:VEVENT\r\nSUMMARY:Annual\r\n  report\r\n"
    b"DTSTART;TZID=Europe/Berlin:20261129T100000\r\nDTEND;TZID=Europe/Berlin:20261129T113000\r\nLOCATION:Hall 1\r\n"
    b'ORGANIZER;CN="Ann":mailto:ann@example.org\r\nURL:https://example.org/ics\r\n'
    b"DESCRIPTION:apples\\, pears\\; plums\\nand more\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
VCF = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Example\r\nN:Example;Ann;;;\r\nORG:Fruit Ltd;Sales\r\n"
    b"TEL;TYPE=WORK,VOICE:+49 30 1234\r\nADR;TYPE=HOME:;;1 Orchard Road;Kent;;;\r\nURL:https://example.org/vcf\r\n"
    b"NOTE:likes apples\r\nEND:VCARD\r\n"
)


def webarchive() -> bytes:
    page = {
        "WebResourceData": HTML.encode(),
        "WebResourceMIMEType": "text/html",
        "WebResourceTextEncodingName": "UTF-8",
        "WebResourceURL": "https://example.org/webarchive",
    }
    return plistlib.dumps({"WebMainResource": page}, fmt=plistlib.FMT_BINARY)


def hwpx() -> bytes:
    def paragraph(text: str, style: int = 0) -> str:
        return f'<hp:p styleIDRef="{style}"><hp:run><hp:t>{text}</hp:t></hp:run></hp:p>'

    def row(*cells: str) -> str:
        return (
            "<hp:tr>" + "".join(f"<hp:tc><hp:subList>{paragraph(c)}</hp:subList></hp:tc>" for c in cells) + "</hp:tr>"
        )

    table = f"<hp:p><hp:run><hp:tbl>{row('Name', 'Amount')}{row('apples', '12')}</hp:tbl></hp:run></hp:p>"
    spaces = (
        'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph" xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section"'
    )
    section = f"<?xml version='1.0'?><hs:sec {spaces}>{paragraph('Annual report', 1)}{paragraph('ripe apples')}{table}</hs:sec>"
    style = '<hh:head xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"><hh:style id="1" name="개요 1" engName="Outline 1"/></hh:head>'
    parts: dict[str, str | bytes] = {"mimetype": "application/hwp+zip", "Contents/header.xml": style}
    return zip_of({**parts, "Contents/section0.xml": section}, stored_first=True)


NOTEBOOK = (
    '{"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": ['
    '{"cell_type": "markdown", "source": ["# Annual report\\n", "apples"]}, '
    '{"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["one\\n"]}]}]}'
)
FRUIT = {
    "type": "record",
    "name": "Fruit",
    "fields": [{"name": "Name", "type": "string"}, {"name": "Amount", "type": "int"}],
}
TABLE_ROWS = ("| Name | Amount |", "| apples | 12 |")
RTF = rb"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}\f0 Annual report\par apples caf\'e9\par}"


def build_samples() -> dict[str, Sample]:
    odt_body = (
        '<text:h text:outline-level="1">Annual report</text:h><text:p>apples</text:p>'
        f"<text:list><text:list-item><text:p>first point</text:p></text:list-item></text:list>{ODF_TABLE}"
    )
    odp_body = '<draw:page draw:name="one"><draw:frame><draw:text-box><text:p>apples</text:p></draw:text-box></draw:frame></draw:page>'
    return {
        "text": Sample("a.txt", "Annual report\r\napples café\n".encode(), ("apples", "café")),
        "markdown": Sample(
            "a.md",
            MARKDOWN.encode(),
            ("apples",),
            ("# Annual report", "- first point", *TABLE_ROWS),
            ("https://example.org/md",),
        ),
        "rst": Sample("a.rst", b"Annual report\n=============\n\napples\n", ("apples",), ("# Annual report",)),
        "csv": Sample(
            "a.csv",
            b"\n\nName;Amount;;Name\napples;12;x;y\n",
            ("apples",),
            columns=("Name", "Amount", "Name_2"),
        ),
        "tsv": Sample("a.tsv", b"Name\tAmount\napples\t12\n", ("apples",), TABLE_ROWS, columns=("Name", "Amount")),
        "json": Sample(
            "a.json",
            b'{"fruit": "apples", "link": "https://example.org/json"}',
            ("apples",),
            links=("https://example.org/json",),
        ),
        "ndjson": Sample("a.jsonl", b'{"fruit": "apples"}\n{"fruit": "pears"}\n', ("apples", "pears")),
        "json-seq": Sample(
            "a.json-seq",
            b'\x1e{"fruit": "all \\u0061pples"}\n\x1e{"fruit":\n"pears"}\n',
            ("all apples", "pears"),
            ("```json",),
        ),
        "properties": Sample(
            "a.properties", b"# not a heading\nfruit=all \\u0061pples\n", ("all apples",), ("```properties",)
        ),
        "strings": Sample("a.strings", b'/* no */ "fruit" = "all \\U0061pples";\n', ("all apples",), ("```strings",)),
        "notebook": Sample("a.ipynb", NOTEBOOK.encode(), ("apples", "print(1)", "one"), ("# Annual report",)),
        "yaml": Sample("a.yaml", b'# not a heading\nfruit: "all \\u0061pples"\n', ("all apples",), ("```yaml",)),
        "python": Sample("a.py", b"# not a heading\nfruit = 'apples'\n", ("apples",), ("```python",)),
        "html": Sample(
            "a.html",
            HTML.encode(),
            ("apples",),
            ("# Annual report", "- first point", "- second point", *TABLE_ROWS),
            ("https://example.org/html",),
        ),
        "xml": Sample(
            "a.xml",
            b"<?xml version='1.0'?><r><p>all <b>apples</b> fall</p><v n='pear'/></r>",
            ("all apples fall", "pear"),
        ),
        "rtf": Sample("a.rtf", RTF, ("Annual report", "apples", "café")),
        "eml": Sample(
            "a.eml",
            EML,
            ("ann@example.org", "apples", "café", "plan.pdf"),
            ("# Annual report",),
            ("https://example.org/eml",),
        ),
        "mbox": Sample(
            "a.mbox",
            b"From ann@example.org Mon Nov  2 10:00:00 2026\n" + EML.replace(b"\r\n", b"\n"),
            ("ann@example.org", "apples", "café", "plan.pdf"),
            ("# Annual report",),
            ("https://example.org/eml",),
        ),
        "icalendar": Sample(
            "a.ics",
            ICS,
            ("Fruit team", "2026-11-29 10:00 – 11:30 Europe/Berlin", "apples, pears; plums", "Ann <ann@example.org>"),
            ("# Fruit team", "## Annual report", "- Where: Hall 1"),
            ("https://example.org/ics",),
        ),
        "vcard": Sample(
            "a.vcf",
            VCF,
            ("Ann Example", "apples", "+49 30 1234", "1 Orchard Road, Kent"),
            ("## Ann Example", "- Organization: Fruit Ltd, Sales", "- Telephone (work): +49 30 1234"),
            ("https://example.org/vcf",),
        ),
        "srt": Sample(
            "a.srt",
            b"1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>all apples</i>\r\n\r\n2\r\n00:00:02,600 --> 00:00:04,000\r\nfall down.\r\n",
            ("all apples fall down.",),
            ("00:00:01 all apples fall down.",),
        ),
        "vtt": Sample(
            "a.vtt",
            b"WEBVTT\n\nNOTE secret\n\nintro\n00:01.000 --> 00:02.500 align:start\n<v Ann>apples &amp; pears\n",
            ("apples & pears",),
            ("00:00:01 Ann: apples & pears",),
        ),
        "webarchive": Sample(
            "a.webarchive",
            webarchive(),
            ("apples",),
            ("# Annual report", "- first point", *TABLE_ROWS),
            ("https://example.org/webarchive", "https://example.org/html"),
        ),
        "hwpx": Sample("a.hwpx", hwpx(), ("ripe apples",), ("# Annual report", *TABLE_ROWS)),
        "hwp": Sample(
            "a.hwp",
            hwp(hwp_paragraph("Annual report", 1) + hwp_paragraph("ripe apples"), styles=[("", ""), ("", "Outline 1")]),
            ("ripe apples",),
            ("# Annual report",),
        ),
        "vsdx": Sample("a.vsdx", visio(("Plan", "<Shape><Text>ripe apples</Text></Shape>")), ("apples",), ("## Plan",)),
        "xps": Sample("a.xps", xps(glyphs("ripe apples", 10, 20)), ("ripe apples",)),
        "mobi": Sample(
            "a.mobi",
            mobi(b"<h1>Annual report</h1>", b"<p>apples</p>", compression=1),
            ("apples",),
            ("# Annual report",),
        ),
        "confluence": Sample(
            "a.confluence",
            b'<?xml version="1.0"?><confluence-page title="Annual report" space="DOC"><body>'
            b"&lt;p&gt;apples&lt;/p&gt;&lt;ac:task-list&gt;&lt;ac:task&gt;&lt;ac:task-status&gt;complete&lt;/ac:task-status&gt;"
            b"&lt;ac:task-body&gt;count them&lt;/ac:task-body&gt;&lt;/ac:task&gt;&lt;/ac:task-list&gt;</body></confluence-page>",
            ("apples",),
            ("# Annual report", "- [x] count them"),
        ),
        "fb2": Sample(
            "a.fb2", fictionbook("<title><p>Annual report</p></title><p>apples</p>"), ("apples",), ("# Annual report",)
        ),
        "avro": Sample(
            "a.avro",
            avro_of(FRUIT, [{"Name": "apples", "Amount": 12}]),
            ("apples",),
            TABLE_ROWS,
            columns=("Name", "Amount"),
        ),
        "iwork": Sample(
            "a.pages", zip_of({"Index/Document.iwa": b"x", "QuickLook/Preview.pdf": pdf()}), ("apples are round",)
        ),
        "doc": Sample(
            "a.doc",
            doc("Annual report\rapples are round\r", properties={"Annual report\r": struct.pack("<H", 1)}),
            ("apples are round",),
            ("# Annual report",),
        ),
        "ppt": Sample(
            "a.ppt",
            ppt([ppt_sheet(ppt_text("Slide about apples", kind=0), ppt_text("apples are round"))]),
            ("apples are round",),
            ("## Slide about apples",),
        ),
        "msg": Sample(
            "a.msg",
            ole_tree(
                {
                    "__properties_version1.0": bytes(32),
                    "__substg1.0_0037001F": "Annual report".encode("utf-16-le"),
                    "__substg1.0_1000001F": "apples".encode("utf-16-le"),
                }
            ),
            ("apples",),
            ("# Annual report",),
        ),
        "tnef": Sample("a.tnef", tnef(b"ripe apples", ("a.csv", b"Name,Amount\napples,12\n")), ("apples",), TABLE_ROWS),
        "pdf": Sample("a.pdf", pdf(), ("apples are round",), ("# Annual report",), ("https://example.org/pdf",)),
        "parquet": Sample("a.parquet", parquet(), ("apples", "pears"), TABLE_ROWS, columns=("Name", "Amount")),
        "arrow": Sample("a.arrow", arrow_of(), ("apples", "pears"), TABLE_ROWS, columns=("Name", "Amount")),
        "orc": Sample("a.orc", orc_of(), ("apples", "pears"), TABLE_ROWS, columns=("Name", "Amount")),
        "dbf": Sample(
            "a.dbf",
            dbf_of((("Name", "C", 8), ("Amount", "N", 4)), (b" apples    12", b" pears      3")),
            ("apples", "pears"),
            TABLE_ROWS,
            columns=("Name", "Amount"),
        ),
        "sqlite": Sample(
            "a.sqlite",
            sqlite_of('CREATE TABLE "Stock" (Name, Amount)', "INSERT INTO Stock VALUES ('apples', 12)"),
            ("apples",),
            ("## Stock", *TABLE_ROWS),
            columns=("Name", "Amount"),
        ),
        "docx": Sample(
            "a.docx",
            docx(),
            ("Plain paragraph of prose.",),
            ("# Annual report", "- first point", "- second point", *TABLE_ROWS),
            ("https://example.org/docx",),
        ),
        "pptx": Sample("a.pptx", pptx(), ("apples are round",), ("## Slide about apples",)),
        "xlsx": Sample("a.xlsx", xlsx(), ("apples", "loose"), ("## Stock",), columns=("Name", "Amount", "Name_2")),
        "xls": Sample("a.xls", xls(), ("apples",), ("## Stock", *TABLE_ROWS), columns=("Name", "Amount")),
        "xlsb": Sample("a.xlsb", xlsb(), ("apples",), ("## Stock", *TABLE_ROWS), columns=("Name", "Amount")),
        "odt": Sample("a.odt", odf("text", odt_body), ("apples",), ("# Annual report", "- first point", *TABLE_ROWS)),
        "odp": Sample("a.odp", odf("presentation", odp_body), ("apples",)),
        "odg": Sample("a.odg", odf("graphics", odp_body), ("apples",)),
        "ods": Sample(
            "a.ods", odf("spreadsheet", ODF_TABLE), ("apples",), ("## Stock", *TABLE_ROWS), columns=("Name", "Amount")
        ),
        "fods": Sample(
            "a.fods",
            flat_odf("spreadsheet", ODF_TABLE),
            ("apples",),
            ("## Stock", *TABLE_ROWS),
            columns=("Name", "Amount"),
        ),
        "fodt": Sample(
            "a.fodt", flat_odf("text", odt_body), ("apples",), ("# Annual report", "- first point", *TABLE_ROWS)
        ),
        "fodp": Sample("a.fodp", flat_odf("presentation", odp_body), ("apples",)),
        "fodg": Sample("a.fodg", flat_odf("graphics", odp_body), ("apples",)),
        "spreadsheetml": Sample(
            "a.xml", spreadsheetml(), ("apples",), ("## Stock", *TABLE_ROWS), columns=("Name", "Amount")
        ),
        "epub": Sample(
            "a.epub", epub(), ("apples",), ("# Annual report", "- first point"), ("https://example.org/epub",)
        ),
    }


SAMPLES = build_samples()


@pytest.fixture
def scan() -> bytes:
    """A PDF whose only page is a picture."""
    picture = stream(b"\xff" * 4, b"/Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceGray")
    objects = pdf_pages("", more=[picture])
    objects[3] = objects[3].replace(b"/Resources <<", b"/Resources << /XObject << /I 6 0 R >>")
    objects[4] = stream(b"q 600 0 0 700 0 0 cm /I Do Q")
    return pdf_of(objects)


@pytest.fixture
def repetitive_docx() -> bytes:
    """A document of 2 MB of the same words."""
    with zipfile.ZipFile(BytesIO(docx())) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
        document = archive.read("word/document.xml")
    parts["word/document.xml"] = document.replace(b"prose", b"apples " * 300_000)
    return zip_of(parts)


@pytest.fixture(scope="session")
def samples() -> dict[str, Sample]:
    """One sample document per format."""
    return SAMPLES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a ``sample`` once per format."""
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
