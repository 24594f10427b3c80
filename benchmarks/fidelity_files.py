"""The files of fidelity.py: one for each format, of invented words that stand nowhere else.

Each file holds a heading of each level, a paragraph, a list and a table, as far as its format has them, and words in
the places that people see and programs forget: notes, headers, comments, text boxes, and words cut into several runs.
"""

# ruff: noqa: E501 the markup reads better in one piece

from __future__ import annotations

import json
import plistlib
from collections.abc import Callable, Iterator

from fidelity_office import docx, odp, ods, odt, pptx, xlsx
from fidelity_script import XML, Script, archive, vocabulary


def html_body(script: Script) -> str:
    rows = ["".join(f"<td>{cell}</td>" for cell in row) for row in script.table()]
    head = rows[0].replace("td>", "th>")
    return (
        f"<h1>{script.heading()}</h1><p>{script.text()}</p><h2>{script.heading()}</h2><ul><li>{script.text(4)}</li>"
        f"<li>{script.text(4)}</li></ul><table><thead><tr>{head}</tr></thead><tbody>"
        + "".join(f"<tr>{row}</tr>" for row in rows[1:])
        + "</tbody></table>"
    )


def html(script: Script) -> bytes:
    title = "page"
    body = html_body(script)
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>".encode()


def webarchive(script: Script) -> bytes:
    page = {"WebResourceData": html(script), "WebResourceMIMEType": "text/html", "WebResourceTextEncodingName": "UTF-8"}
    return plistlib.dumps({"WebMainResource": page}, fmt=plistlib.FMT_BINARY)


def epub(script: Script) -> bytes:
    head = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>'
    chapters = {f"OPS/{n}.xhtml": f"{XML}{head}<body>{html_body(script)}</body></html>" for n in ("one", "two")}
    items = "".join(f'<item id="{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in ("one", "two"))
    book = (
        f'{XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i"><metadata'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">i</dc:identifier><dc:title>book</dc:title>'
        f'<dc:language>en</dc:language></metadata><manifest>{items}</manifest><spine><itemref idref="one"/>'
        '<itemref idref="two"/></spine></package>'
    )
    container = (
        f'{XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile'
        ' full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    return archive(
        {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "OPS/book.opf": book, **chapters}
    )


def markdown(script: Script) -> bytes:
    rows = ["| " + " | ".join(row) + " |" for row in script.table()]
    parts = [
        f"# {script.heading()}",
        script.text(),
        f"{script.heading()}\n---",
        f"- {script.text(4)}\n- {script.text(4)}",
    ]
    return "\n\n".join([*parts, "\n".join([rows[0], "|---|---|---|", *rows[1:]])]).encode()


def rst(script: Script) -> bytes:
    first, second = script.heading(), script.heading()
    parts = [f"{first}\n{'=' * len(first)}", script.text(), f"{second}\n{'-' * len(second)}", f"- {script.text(4)}"]
    return ("\n\n".join(parts) + "\n").encode()


def org(script: Script) -> bytes:
    return f"* {script.heading()}\n{script.text()}\n** {script.heading()}\n- {script.text(4)}\n".encode()


def latex(script: Script) -> bytes:
    body = f"\\section{{{script.heading()}}}\n{script.text()}\n\\subsection{{{script.heading()}}}\n{script.text()}\n"
    return f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\\end{{document}}\n".encode()


def docbook(script: Script) -> bytes:
    inner = f"<section><title>{script.heading()}</title><para>{script.text()}</para></section>"
    text = f"<title>{script.heading()}</title><para>{script.text()}</para>{inner}"
    return f'{XML}<article xmlns="http://docbook.org/ns/docbook" version="5.0">{text}</article>'.encode()


def csv(script: Script) -> bytes:
    return "".join(",".join(row) + "\n" for row in script.table()).encode()


def notebook(script: Script) -> bytes:
    output = {"output_type": "stream", "name": "stdout", "text": [script.text(4)]}
    code = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": f"# {script.text(4)}",
        "outputs": [output],
    }
    prose = {"cell_type": "markdown", "metadata": {}, "source": [f"# {script.heading()}\n", "\n", script.text()]}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [prose, code]}).encode()


def rtf(script: Script) -> bytes:
    lines = "".join(f"\\pard {script.text()}\\par\n" for _ in range(3))
    return f"{{\\rtf1\\ansi\\deff0{{\\fonttbl{{\\f0 Arial;}}}}\n{lines}}}".encode()


def eml(script: Script) -> bytes:
    page = html(script).decode()
    return (
        f"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: {script.heading()}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n'
        f"{page}\r\n--b\r\nContent-Type: text/plain\r\n\r\n{script.text()}\r\n--b\r\nContent-Type: text/csv;"
        f' name="a.csv"\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\n{script.text(4)}\r\n--b--\r\n'
    ).encode()


def pdf(script: Script) -> bytes:
    lines = [script.heading(), *(script.text() for _ in range(4))]
    drawn = "".join(
        f"BT /F1 {18 if at == 0 else 11} Tf 72 {760 - 30 * at} Td ({line}) Tj ET\n" for at, line in enumerate(lines)
    )
    value = script.text(2)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /DR << /Font << /F1 5 0 R >> >> >> /Outlines 7 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R] >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}endstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (field) /V ({value}) /DA (/F1 11 Tf 0 g) /Rect [72 500 300 520] >>",
        "<< /Type /Outlines /First 8 0 R /Last 8 0 R /Count 1 >>",
        f"<< /Title ({lines[0]}) /Parent 7 0 R /Dest [3 0 R /XYZ 0 842 0] >>",
    ]
    out, offsets = "%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n"
    rows = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}"
    return f"{out}{table}trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n".encode(
        "ascii"
    )


def ics(script: Script) -> bytes:
    described = script.text(30)
    folded = "\r\n ".join(described[at : at + 60] for at in range(0, len(described), 60))
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:{script.heading()}\r\nDTSTART:20261129T100000Z\r\n"
        f"LOCATION:{script.text(2)}\\, {script.text(1)}\r\nDESCRIPTION:{folded}\\n{script.text(2)}\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    ).encode()


def vcf(script: Script) -> bytes:
    encoded = script.text(12).replace("a", "=61").replace(" ", " =\r\n")
    return (
        f"BEGIN:VCARD\r\nVERSION:2.1\r\nFN:{script.heading()}\r\nORG:{script.text(1)};{script.text(1)}\r\n"
        f"NOTE;ENCODING=QUOTED-PRINTABLE:{encoded}\r\nEND:VCARD\r\n"
    ).encode()


def srt(script: Script) -> bytes:
    return "".join(
        f"{n}\r\n00:00:0{n},000 --> 00:00:0{n},900\r\n<i>{script.text(3)}</i>\r\n{script.text(3)}\r\n\r\n"
        for n in (1, 2, 3)
    ).encode()


def hwpx(script: Script) -> bytes:
    def paragraph(text: str, style: int = 0) -> str:
        return f'<hp:p styleIDRef="{style}"><hp:run><hp:t>{text}</hp:t></hp:run></hp:p>'

    rows = "".join(
        "<hp:tr>" + "".join(f"<hp:tc><hp:subList>{paragraph(cell)}</hp:subList></hp:tc>" for cell in row) + "</hp:tr>"
        for row in script.table()
    )
    spaces = (
        'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph" xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section"'
    )
    table = f"<hp:p><hp:run><hp:tbl>{rows}</hp:tbl></hp:run></hp:p>"
    style = '<hh:head xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"><hh:style id="1" name="x" engName="Outline 1"/></hh:head>'
    section = f"{XML}<hs:sec {spaces}>{paragraph(script.heading(), 1)}{paragraph(script.text())}{table}</hs:sec>"
    return archive(
        {"mimetype": "application/hwp+zip", "Contents/header.xml": XML + style, "Contents/section0.xml": section}
    )


BUILDERS: dict[str, Callable[[Script], bytes]] = {
    "docx": docx,
    "pptx": pptx,
    "xlsx": xlsx,
    "odt": odt,
    "odp": odp,
    "ods": ods,
    "pdf": pdf,
    "html": html,
    "webarchive": webarchive,
    "epub": epub,
    "eml": eml,
    "rtf": rtf,
    "hwpx": hwpx,
    "md": markdown,
    "rst": rst,
    "org": org,
    "tex": latex,
    "xml": docbook,
    "csv": csv,
    "ipynb": notebook,
    "ics": ics,
    "vcf": vcf,
    "srt": srt,
}


def made_files() -> Iterator[tuple[str, bytes, Script]]:
    """Yield the name, the bytes and the script of each file."""
    words = vocabulary()
    for ending, build in BUILDERS.items():
        script = Script(words)
        yield f"made.{ending}", build(script), script
