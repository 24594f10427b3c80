"""Deterministic corpora for the benchmarks: same kind, count and seed, same bytes, whatever the machine.

`make_small` writes text, Markdown and HTML files of about 1 to 3 KB, 1.7 chunks of 1,000 characters on average.
`make_mixed` writes, of 100 documents, 25 PDF, 30 DOCX, 15 XLSX, 12 PPTX, 12 HTML and 6 EML. Every file has words of
its own, so that nothing is a duplicate. Only the standard library is used: Office files are zipped and PDFs written by
hand, at several hundred documents a second.

    python benchmarks/corpora.py small 10000 --folder fresh-folder
    python benchmarks/corpora.py mixed 1000 --folder fresh-folder

The folder must not exist yet or be empty: create and delete churn in a used one makes later creates slow.
"""

from __future__ import annotations

import argparse
import base64
import io
import itertools
import math
import random
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

SMALL_KINDS = ("txt", "md", "html")
MIXED_SHARES = {"pdf": 25, "docx": 30, "xlsx": 15, "pptx": 12, "html": 12, "eml": 6}

# Share of files and their characters: one chunk, two, three. 0.45 x 1 + 0.40 x 2 + 0.15 x 3 = 1.7 chunks.
SMALL_SIZES = ((0.45, 650, 930), (0.40, 1200, 1880), (0.15, 2200, 2820))

FILES_IN_A_FOLDER = 200
VOCABULARY_SIZE = 20_000
FIXED_DATE = (2026, 1, 1, 0, 0, 0)

ONSETS = (
    "b",
    "br",
    "c",
    "ch",
    "cl",
    "cr",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gl",
    "gr",
    "h",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "pr",
    "r",
    "s",
    "sh",
    "sl",
    "sp",
    "st",
    "str",
    "t",
    "th",
    "tr",
    "v",
    "w",
)
VOWELS = ("a", "e", "i", "o", "ai", "ea", "ee", "ie", "oa", "ou")
ENDS = ("b", "d", "g", "l", "ll", "m", "n", "nd", "ng", "p", "r", "rd", "rn", "s", "st", "x")
ENDINGS = ["", "", "", "ed", "er", "ing", "ly", "ment", "s", "tion"]


class Corpus(NamedTuple):
    """What was written: files and bytes in all, and how many files of each extension."""

    files: int
    bytes: int
    kinds: dict[str, int]


class Writer:
    """Text of made-up words, distributed like a natural language: the word of rank r is drawn with weight 1/r."""

    def __init__(self, vocabulary: Vocabulary, seed: str) -> None:
        self.random = random.Random(seed)
        self._vocabulary = vocabulary

    def words(self, count: int) -> list[str]:
        vocabulary = self._vocabulary
        return self.random.choices(vocabulary.words, cum_weights=vocabulary.cumulative, k=count)

    def sentence(self) -> str:
        return " ".join(self.words(self.random.randint(6, 16))).capitalize() + "."

    def title(self) -> str:
        return " ".join(self.words(self.random.randint(2, 5))).title()

    def paragraphs(self, characters: int) -> list[str]:
        """Return paragraphs of 200 to 500 characters that together have about ``characters``, never more."""
        paragraphs: list[str] = []
        left = characters
        while left > 40:
            wanted = min(left, self.random.randint(200, 500))
            sentences: list[str] = []
            size = 0
            while size < wanted:
                sentences.append(self.sentence())
                size += len(sentences[-1]) + 1
            text = " ".join(sentences)[:wanted].rstrip(" .") + "."
            paragraphs.append(text)
            left -= len(text) + 2
        return paragraphs


class Vocabulary:
    """The words all files share, most frequent first, and their cumulative weights."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        known: dict[str, None] = {}
        while len(known) < VOCABULARY_SIZE:
            syllables = 1 if len(known) < 300 else rng.randint(1, 3)
            middle = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(syllables))
            known[middle + rng.choice(ENDS) + (rng.choice(ENDINGS) if syllables > 1 else "")] = None
        self.words = list(known)
        self.cumulative = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY_SIZE)))


def make_small(folder: Path, count: int, *, seed: int = 1) -> Corpus:
    """Write ``count`` files of text, Markdown and HTML in turn, `FILES_IN_A_FOLDER` to a sub-folder."""
    vocabulary = Vocabulary(seed)

    def content(index: int) -> tuple[str, bytes]:
        kind = SMALL_KINDS[index % len(SMALL_KINDS)]
        writer = Writer(vocabulary, f"small:{seed}:{index}")
        _, low, high = writer.random.choices(SMALL_SIZES, weights=[share for share, _, _ in SMALL_SIZES])[0]
        title = f"{writer.title()} {index}"
        paragraphs = writer.paragraphs(writer.random.randint(low, high) - len(title))
        return kind, SMALL_FORMS[kind](title, paragraphs).encode()

    return _write_files(folder, count, content)


def make_mixed(folder: Path, count: int, *, seed: int = 1) -> Corpus:
    """Write ``count`` documents in the shares of `MIXED_SHARES`, spread evenly, of very different sizes."""
    vocabulary = Vocabulary(seed)
    order = [kind for kind, share in MIXED_SHARES.items() for _ in range(share)]
    random.Random(seed).shuffle(order)

    def content(index: int) -> tuple[str, bytes]:
        kind = order[index % len(order)]
        return kind, MIXED_FORMS[kind](Writer(vocabulary, f"mixed:{seed}:{index}"), index)

    return _write_files(folder, count, content)


def _write_files(folder: Path, count: int, content: Callable[[int], tuple[str, bytes]]) -> Corpus:
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: benchmarks want a fresh folder")
    kinds: dict[str, int] = {}
    total = 0
    for index in range(count):
        kind, data = content(index)
        parent = folder / f"{index // FILES_IN_A_FOLDER:04d}"
        if index % FILES_IN_A_FOLDER == 0:
            parent.mkdir(parents=True)
        (parent / f"{kind}-{index:06d}.{kind}").write_bytes(data)
        kinds[kind] = kinds.get(kind, 0) + 1
        total += len(data)
    return Corpus(count, total, kinds)


def _plain(title: str, paragraphs: Sequence[str]) -> str:
    return "\n\n".join([title, *paragraphs]) + "\n"


def _markdown(title: str, paragraphs: Sequence[str]) -> str:
    body = [f"- {text}" if number % 5 == 3 else text for number, text in enumerate(paragraphs)]
    return "\n\n".join([f"# {title}", *body]) + "\n"


def _html(title: str, paragraphs: Sequence[str]) -> str:
    body = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f'<body>\n<nav><a href="index.html">Index</a></nav>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n'
    )


def _long_html(writer: Writer, index: int) -> bytes:
    sections = []
    for number in range(writer.random.randint(3, 25)):
        rows = "".join(f"<tr><td>{cell}</td><td>{number}</td></tr>" for cell in writer.words(6))
        links = " ".join(f'<a href="page-{word}.html">{word}</a>' for word in writer.words(4))
        paragraphs = "".join(f"<p>{text}</p>" for text in writer.paragraphs(1200))
        sections.append(f"<h2>{writer.title()}</h2>{paragraphs}<table>{rows}</table><ul><li>{links}</li></ul>")
    title = f"{writer.title()} {index}"
    return _html(title, ()).replace("</body>", "\n".join(sections) + "\n</body>").encode()


def _eml(writer: Writer, index: int) -> bytes:
    body = "\n\n".join(writer.paragraphs(writer.random.randint(500, 4000)))
    table = "item,pieces\n" + "".join(f"{word},{number}\n" for number, word in enumerate(writer.words(200)))
    attachment = base64.encodebytes(table.encode()).decode()
    return (
        f"From: Desk <desk@example.org>\nTo: Archive <archive@example.org>\nSubject: {writer.title()} {index}\n"
        f"Date: Thu, 01 Jan 2026 08:00:00 +0000\nMessage-ID: <{index}@example.org>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="=-part"\n\n--=-part\nContent-Type: text/plain; charset="utf-8"\n\n'
        f"{body}\n\n--=-part\nContent-Type: text/csv\nContent-Transfer-Encoding: base64\n"
        f'Content-Disposition: attachment; filename="list.csv"\n\n{attachment}\n--=-part--\n'
    ).encode()


# --- Office packages -------------------------------------------------------------------------------------------------

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
PACKAGE_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
OFFICE_TYPE = "application/vnd.openxmlformats-officedocument"


def _package(parts: dict[str, str], types: dict[str, str], main_part: str, picture: bytes = b"") -> bytes:
    """Return an Office package of XML ``parts``; ``types`` gives their content types, ``picture`` is stored as is."""
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in types.items())
    defaults = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
    )
    every_part = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{CONTENT_TYPES}">{defaults}{overrides}</Types>',
        "_rels/.rels": _relations({"rId1": ("officeDocument", main_part)}),
        **parts,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, text in every_part.items():
            package.writestr(zipfile.ZipInfo(name, FIXED_DATE), text, zipfile.ZIP_DEFLATED, 1)
        if picture:
            media = f"{main_part.partition('/')[0]}/media/image1.png"
            package.writestr(zipfile.ZipInfo(media, FIXED_DATE), picture, zipfile.ZIP_STORED)
    return buffer.getvalue()


def _relations(targets: dict[str, tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE_RELS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'{XML}<Relationships xmlns="{PACKAGE_RELS}">{rows}</Relationships>'


def _picture(writer: Writer) -> bytes:
    """Return a picture of 20 to 300 KB whose bytes do not compress, as photographs in documents do not."""
    side = round(math.sqrt(math.exp(writer.random.uniform(math.log(20_000), math.log(300_000))) / 3))
    rows = b"".join(b"\0" + writer.random.randbytes(side * 3) for _ in range(side))
    header = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    )


def _docx(writer: Writer, index: int) -> bytes:
    def paragraph(text: str, style: str = "") -> str:
        properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'

    body = [paragraph(f"{writer.title()} {index}", "Heading1")]
    for _ in range(writer.random.randint(2, 30)):
        body.append(paragraph(writer.title(), "Heading2"))
        body.extend(paragraph(text) for text in writer.paragraphs(writer.random.randint(400, 2500)))
    cell = "<w:tc>{}</w:tc>".format
    rows = "".join(
        "<w:tr>" + "".join(cell(paragraph(word)) for word in writer.words(4)) + "</w:tr>"
        for _ in range(writer.random.randint(3, 30))
    )
    document = f'{XML}<w:document xmlns:w="{WORD}"><w:body>{"".join(body)}<w:tbl>{rows}</w:tbl></w:body></w:document>'
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr></w:style>'
        for level in (1, 2)
    )
    parts = {
        "word/document.xml": document,
        "word/styles.xml": f'{XML}<w:styles xmlns:w="{WORD}">{styles}</w:styles>',
        "word/_rels/document.xml.rels": _relations(
            {"rId1": ("styles", "styles.xml"), "rId2": ("image", "media/image1.png")}
        ),
    }
    types = {
        "word/document.xml": f"{OFFICE_TYPE}.wordprocessingml.document.main+xml",
        "word/styles.xml": f"{OFFICE_TYPE}.wordprocessingml.styles+xml",
    }
    return _package(parts, types, "word/document.xml", _picture(writer))


def _xlsx(writer: Writer, index: int) -> bytes:
    names = [f"{writer.words(1)[0]}-{number}" for number in range(writer.random.randint(1, 4))]
    parts = {}
    types = {"xl/workbook.xml": f"{OFFICE_TYPE}.spreadsheetml.sheet.main+xml"}
    for number in range(1, len(names) + 1):
        rows = [_sheet_row([f"{writer.title()} {index}", *writer.words(5)])]
        rows += [
            _sheet_row([*writer.words(3), row, round(writer.random.uniform(0, 1000), 2), writer.title()])
            for row in range(writer.random.randint(20, 400))
        ]
        data = f'{XML}<worksheet xmlns="{SHEET}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{number}.xml"] = data
        types[f"xl/worksheets/sheet{number}.xml"] = f"{OFFICE_TYPE}.spreadsheetml.worksheet+xml"
    sheets = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, start=1))
    workbook = f'{XML}<workbook xmlns="{SHEET}" xmlns:r="{OFFICE_RELS}"><sheets>{sheets}</sheets></workbook>'
    targets = {f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(names) + 1)}
    parts |= {"xl/workbook.xml": workbook, "xl/_rels/workbook.xml.rels": _relations(targets)}
    return _package(parts, types, "xl/workbook.xml")


def _sheet_row(values: Sequence[str | float]) -> str:
    return (
        "<row>"
        + "".join(
            f'<c t="inlineStr"><is><t>{value}</t></is></c>' if isinstance(value, str) else f"<c><v>{value}</v></c>"
            for value in values
        )
        + "</row>"
    )


def _pptx(writer: Writer, index: int) -> bytes:
    count = writer.random.randint(4, 40)
    parts = {}
    types = {"ppt/presentation.xml": f"{OFFICE_TYPE}.presentationml.presentation.main+xml"}
    for number in range(1, count + 1):
        title = f"{writer.title()} {index}" if number == 1 else writer.title()
        shapes = _shape(1, "title", [title]) + _shape(2, "body", [writer.sentence() for _ in range(5)])
        parts[f"ppt/slides/slide{number}.xml"] = (
            f'{XML}<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}"><p:cSld><p:spTree>'
            f'<p:nvGrpSpPr><p:cNvPr id="9" name=""/>'
            f"<p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shapes}</p:spTree></p:cSld></p:sld>"
        )
        types[f"ppt/slides/slide{number}.xml"] = f"{OFFICE_TYPE}.presentationml.slide+xml"
    ids = "".join(f'<p:sldId id="{255 + number}" r:id="rId{number}"/>' for number in range(1, count + 1))
    parts["ppt/presentation.xml"] = (
        f'{XML}<p:presentation xmlns:p="{SLIDES}" xmlns:r="{OFFICE_RELS}"><p:sldIdLst>{ids}</p:sldIdLst>'
        '<p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
    )
    parts["ppt/_rels/presentation.xml.rels"] = _relations(
        {f"rId{number}": ("slide", f"slides/slide{number}.xml") for number in range(1, count + 1)}
    )
    return _package(parts, types, "ppt/presentation.xml", _picture(writer))


def _shape(number: int, kind: str, lines: Sequence[str]) -> str:
    text = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{kind}"/><p:cNvSpPr/><p:nvPr><p:ph type="{kind}"/></p:nvPr>'
        f"</p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>{text}</p:txBody></p:sp>"
    )


# --- PDF -------------------------------------------------------------------------------------------------------------


def _pdf(writer: Writer, index: int) -> bytes:
    """Return a PDF of 1 to 30 pages of text in Helvetica, with a picture on the first."""
    pages = [_pdf_page(writer, f"{writer.title()} {index}", with_picture=True)]
    pages += [_pdf_page(writer, writer.title()) for _ in range(round(writer.random.expovariate(1 / 6)) % 30)]
    side = writer.random.randint(60, 300)
    image = (
        f"/Type /XObject /Subtype /Image /Width {side} /Height {side} /ColorSpace /DeviceRGB /BitsPerComponent 8",
        writer.random.randbytes(side * side * 3),
    )
    first_page = 5
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        _pdf_stream(*image),
    ]
    for number, content in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {first_page + 2 * number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> /XObject << /I1 4 0 R >> >> >>".encode()
        )
        objects.append(_pdf_stream("/Filter /FlateDecode", zlib.compress(content.encode("latin-1"), 1)))
    return _pdf_file(objects)


def _pdf_page(writer: Writer, title: str, *, with_picture: bool = False) -> str:
    lines = [f"BT /F1 18 Tf 60 780 Td ({title}) Tj /F1 10 Tf 0 -16 TL T*"]
    for paragraph in writer.paragraphs(2200 if with_picture else 3200):
        words = paragraph.split()
        lines.extend(f"({' '.join(words[start : start + 14])}) Tj T*" for start in range(0, len(words), 14))
        lines.append("T*")
    lines.append("ET")
    if with_picture:
        lines.append("q 120 0 0 120 400 30 cm /I1 Do Q")
    return "\n".join(lines)


def _pdf_stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    buffer = io.BytesIO()
    buffer.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(buffer.tell())
        buffer.write(f"{number} 0 obj\n".encode() + content + b"\nendobj\n")
    table_at = buffer.tell()
    rows = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    buffer.write(f"xref\n0 {size}\n0000000000 65535 f \n{rows}".encode())
    buffer.write(f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table_at}\n%%EOF\n".encode())
    return buffer.getvalue()


SMALL_FORMS: dict[str, Callable[[str, Sequence[str]], str]] = {"txt": _plain, "md": _markdown, "html": _html}
MIXED_FORMS: dict[str, Callable[[Writer, int], bytes]] = {
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "pptx": _pptx,
    "html": _long_html,
    "eml": _eml,
}
MAKERS: dict[str, Callable[[Path, int], Corpus]] = {"small": make_small, "mixed": make_mixed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=MAKERS)
    parser.add_argument("count", type=int)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    started = time.perf_counter()
    corpus = MAKERS[arguments.kind](arguments.folder, arguments.count)
    seconds = time.perf_counter() - started
    print(f"{corpus.files} files, {corpus.bytes / 1e6:.1f} MB in {seconds:.1f} s: {corpus.kinds}")


if __name__ == "__main__":
    main()
