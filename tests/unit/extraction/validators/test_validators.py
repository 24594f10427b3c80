"""Validators: what each says of a document that is let in, and that nothing of its text is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from ingest_tui.extraction.intake.formats import BY_NAME, Format
from ingest_tui.extraction.intake.sniffing import sniff
from ingest_tui.extraction.intake.validation import register_validator
from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.validators import registered
from ingest_tui.extraction.validators.workbook import check_formulas
from ingest_tui.model.attachments import MAX_ATTACHMENTS
from ingest_tui.model.errors import ItemRejectedError, ProcessingError, ValidationError
from ingest_tui.model.extraction import MAX_FINDINGS, Extraction, Finding
from tests.made_files import pdf_of, pdf_pages, restricted_pdf, sheet_row, stream, word_file, workbook, zip_bytes


def read(content: bytes, file_name: str) -> Extraction:
    return extract(content, file_name=file_name)


def found(content: bytes, file_name: str) -> dict[str, tuple[str, str]]:
    """Return code → severity and message of everything that is found."""
    return {one.code: (one.severity, one.message) for one in read(content, file_name).validation}


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "severity", "kept"),
    [
        ("naïve café ".encode() * 20 + b"\xff end", "undecodable_bytes", "error", "naïve café"),
        (b"a" * 300 + b"\x00b", "nul_characters", "warning", "ab"),
        ("größer\n".encode() * 4 + "Äpfel und süß\n".encode("cp1252"), "mixed_encodings", "warning", "Äpfel und süß"),
        ("nur Äpfel".encode("cp1252"), "encoding_guessed", "warning", "nur Äpfel"),
        ("größer".encode("utf-16-le"), "encoding_guessed", "warning", "größer"),
        (b"\xff\xfeplain words in eight bits\n", "bom_mismatch", "warning", "plain words in eight bits"),
        (b"\xef\xbb\xbf" + "nur Äpfel".encode("cp1252"), "bom_mismatch", "warning", "nur Äpfel"),
        ("größer als das".encode("utf-16") + b"x", "undecodable_bytes", "error", "größer als das"),
    ],
)
def test_text_encodings(content: bytes, code: str, severity: str, kept: str) -> None:
    """Broken, mixed, guessed and wrongly marked encodings are distinguished, and the words are read all the same."""
    extraction = read(content, "a.txt")
    assert (code, severity) in [(one.code, one.severity) for one in extraction.validation]
    assert kept in extraction.markdown


def test_clean_text_has_no_findings() -> None:
    """Plain UTF-8, with or without a mark, and marked UTF-16 of any script are not worth a word."""
    for content in (
        "größer".encode(),
        b"\xef\xbb\xbfx",
        "größer".encode("utf-16"),
        "日本語のテキスト".encode("utf-16"),
    ):
        assert read(content, "a.txt").validation == []


def test_messages_are_among_the_warnings() -> None:
    """What a validator says is also in `warnings`, which scripts read since before there were findings."""
    extraction = read(b"a" * 300 + b"\x00b", "a.txt")
    assert extraction.warnings == [one.message for one in extraction.validation] == ["contains NUL characters: dropped"]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("<meta charset=utf-8>", "encoding_mismatch"),
        ("<meta charset=klingon>", "unknown_charset"),
    ],
)
def test_page_with_a_wrong_declaration(head: str, code: str) -> None:
    """A page whose declared encoding does not fit is read by its bytes, and says so."""
    content = f"<!DOCTYPE html><html><head>{head}</head><p>nur Äpfel".encode("cp1252")
    assert code in found(content, "a.html")
    assert "nur Äpfel" in read(content, "a.html").markdown


def test_declared_encoding_is_no_finding() -> None:
    """A page in the old encoding that it declares is in order: a note, no finding."""
    extraction = read("<html><meta charset=iso-8859-1><p>Äpfel".encode("cp1252"), "a.html")
    assert extraction.validation == []
    assert extraction.warnings == ["read as cp1252, as the page declares"]


def test_wrong_extension_is_a_finding() -> None:
    """A name that promises another type than the bytes hold is reported."""
    assert found(b"<!DOCTYPE html><p>x", "a.pdf") == {
        "type_mismatch": ("warning", "the name says pdf, the bytes are html: read as html")
    }


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_error_has_its_place() -> None:
    """Broken JSON is kept as text with the line and the column where it breaks."""
    severity, message = found(b'{"a": 1,\n "b" 2}', "a.json")["json_syntax"]
    assert severity == "error"
    assert "line 2 column 6" in message
    assert '"b" 2' in read(b'{"a": 1,\n "b" 2}', "a.json").markdown


def test_json_of_endless_depth_is_survived() -> None:
    """A hundred thousand brackets are kept as text."""
    assert "json_syntax" in found(b"[" * 100_000, "a.json")


def test_duplicate_keys_are_named_and_kept() -> None:
    """Keys that occur twice are named, and neither value is lost, not even where long JSON is written again."""
    content = b'{"a": {"key": "first", "key": "second"}, "long": "' + b"x" * 3000 + b'"}'
    assert found(content, "a.json") == {"duplicate_keys": ("warning", "keys that occur twice in one object: 'key'")}
    markdown = read(content, "a.json").markdown
    assert "first" in markdown
    assert "second" in markdown


def test_json_lines_have_their_numbers() -> None:
    """Lines that are not JSON are counted, the first ones by their numbers; blank lines are none."""
    content = b'{"a": 1}\n\n{"a": \n{"b": 1, "b": 2}\nnothing\n'
    assert found(content, "a.jsonl") == {
        "json_syntax": ("error", "2 lines are not valid JSON, kept as text: first line 3, 5"),
        "duplicate_keys": ("warning", "keys that occur twice in one object: 'b'"),
    }


# --- XML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kept", "place"),
    [
        (b"<?xml version='1.0'?>\n<r><a>before</a>\n<b>then</c> <d>after &amp; on</d></r>",
         ["before", "then", "after & on"], "line 3"),
        (b"<?xml version='1.0'?>\n<r><a>before</a>\n<b>cut her", ["before", "cut her"], "line 3"),
        (b"<?xml version='1.0'?>\n<r>one&nbsp;two</r>", ["one", "two"], "line 2"),
        ("<?xml version='1.0'?>\n<r>größer</x>danach".encode("utf-16"), ["größer", "danach"], "line 2"),
    ],
)  # fmt: skip
def test_broken_xml_is_kept_with_its_line(content: bytes, kept: list[str], place: str) -> None:
    """XML that is not well formed says on which line, and its text is kept from both sides of the break."""
    severity, message = found(content, "a.xml")["not_well_formed"]
    assert severity == "error"
    assert place in message
    markdown = read(content, "a.xml").markdown
    assert [word for word in kept if word not in markdown] == []
    assert "<" not in markdown


def test_xml_without_any_text_is_malformed() -> None:
    """Where nothing can be had there is no document, but an outcome with its reason."""
    with pytest.raises(ProcessingError) as caught:
        read(b"<?xml version='1.0'?><r att", "a.xml")
    assert (caught.value.reason, bool(caught.value.hint)) == ("malformed", True)


def test_entities_of_an_ignored_dtd_are_not_lost() -> None:
    """A DTD is never read; what everybody knows of its entities is resolved, the others stay as they are written."""
    content = b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "http://127.0.0.1/no.dtd"><r>a&mdash;b &company; c</r>'
    assert read(content, "a.xml").markdown == "a—b &company; c\n"
    assert found(content, "a.xml") == {
        "dtd_ignored": ("warning", "it has a DTD, which is not read"),
        "entity_unresolved": ("warning", "entities whose text is not in the document are kept as written: &company;"),
    }


# --- tables -----------------------------------------------------------------------------------------------------------


def test_uneven_rows_have_their_lines() -> None:
    """Rows with more or fewer fields than most are counted, the first ones by their lines."""
    content = b"a,b\n1,2\n3\n4,5\n\n6,7,8\n9,10\n"
    assert found(content, "a.csv")["uneven_rows"] == (
        "warning",
        "2 rows have not the 2 fields of the others, first on line 3, 6",
    )


def test_header_names_are_looked_at() -> None:
    """Columns without a name and columns of the same name are reported."""
    said = found(b"a,,a,b\n1,2,3,4\n", "a.csv")
    assert said["header_blank"][1] == "no name for column 2: not listed, its cells are in the text only"
    assert said["header_repeated"][1] == "more than one column is named 'a'"


def test_unclosed_quote_swallows_nothing() -> None:
    """A quote that nobody closes is reported with its line, and the rows behind it stay rows."""
    content = b'a,b\n"x, y",2\n3,"four\n5,6\n7,8\n'
    assert found(content, "a.csv")["unclosed_quote"][1].startswith("the quote opened on line 3 is never closed")
    lines = read(content, "a.csv").markdown.splitlines()
    assert lines[2:] == ["| x, y | 2 |", '| 3 | "four |', "| 5 | 6 |", "| 7 | 8 |"]


@pytest.mark.parametrize("content", [b'a,b\n"x\ny",2\n', b"a,b\n1,2\n", b'a,b\n5" pipe,2\n', b'a,b\n1,"say ""hi"""\n'])
def test_valid_tables_have_no_findings(content: bytes) -> None:
    """Fields over several lines, doubled quotes and a quote inside a field are in order."""
    assert found(content, "a.csv") == {}


# --- workbooks --------------------------------------------------------------------------------------------------------

ROWS = sheet_row(1, "Name", "Amount") + sheet_row(2, "apples", "12")


def test_valid_workbook_has_no_findings() -> None:
    """A workbook with calculated formulas is in order, also when one gives an empty text."""
    calculated = sheet_row(3, "<f>1+1</f><v>2</v>") + '<row r="4"><c r="A4" t="str"><f>""</f><v></v></c></row>'
    assert found(workbook({"Stock": ROWS + calculated}), "a.xlsx") == {}


def test_hidden_sheets_are_named_and_read() -> None:
    """Hidden sheets are named, and taken like the others."""
    content = workbook({"Stock": ROWS, "Secret": sheet_row(1, "pears")}, states={"Secret": "veryHidden"})
    assert found(content, "a.xlsx")["sheet_hidden"][1] == "hidden sheets, taken all the same: 'Secret'"
    assert "pears" in read(content, "a.xlsx").markdown


@pytest.mark.parametrize("inside", ["<f>SUM(A1:A2)</f>", "<f>1+1</f><v></v>", "<f>1+1</f><v/>", '<f t="shared">1</f>'])
def test_formulas_without_values_are_counted(inside: str) -> None:
    """Formulas that nobody has calculated are counted, with the first cell."""
    content = workbook({"Stock": ROWS + sheet_row(3, "sum", inside) + sheet_row(4, "again", inside)})
    message = "2 formulas have no stored value, first B3: open and save it with a spreadsheet program"
    assert found(content, "a.xlsx") == {"formula_without_value": ("warning", message)}


@pytest.mark.slow
@pytest.mark.parametrize("piece", [b"<c ", b"<c><f>", b"<c> ", b"<a:", b"<c><f>1</f> "])
def test_looking_for_formulas_takes_linear_time(piece: bytes) -> None:
    """Megabytes of half a formula are no way to stop the clock."""
    sheet = b"f>" + piece * (4_000_000 // len(piece))
    content = zip_bytes({"xl/worksheets/sheet1.xml": sheet})
    started = time.process_time()
    check_formulas(content, BY_NAME["xlsx"])
    assert time.process_time() - started < 2


def test_broken_xml_takes_linear_time() -> None:
    """Neither do tags without an end, behind the break of an XML document."""
    started = time.process_time()
    read(b"<r></x>" + b"<a" * 1_000_000, "a.xml")
    read(b"<r></x>y" + b"<a b='" + b"c" * 3_000_000, "a.xml")
    assert time.process_time() - started < 4


def test_damaged_sheet_costs_itself() -> None:
    """A damaged sheet is named and read as far as it goes, the others are whole. With nothing left it is malformed."""
    damaged = '<row r="1"><c r="A1" t="inlineStr"><is><t>pears</is></c></row>'
    content = workbook({"Stock": ROWS, "Broken": damaged})
    severity, message = found(content, "a.xlsx")["sheet_unreadable"]
    assert (severity, "'Broken'" in message) == ("error", True)
    assert all(word in read(content, "a.xlsx").markdown for word in ("apples", "pears"))
    with pytest.raises(ProcessingError) as caught:
        read(workbook({"Broken": '<row r="1"><c r="A1"></row>'}), "a.xlsx")
    assert caught.value.reason == "malformed"


def test_macros_are_reported() -> None:
    """Macros are never run, and a document that holds some says so, whatever its kind."""
    said = ("warning", "holds macros, which are never run")
    with_macros = workbook({"Stock": ROWS}, more={"xl/vbaProject.bin": b"x"})
    assert found(with_macros, "a.xlsm") == {"macros_present": said}
    word = sniff(zip_bytes(word_file(**{"word/vbaProject.bin": b"x"})), "docm")
    assert [(one.severity, one.message) for one in word.findings] == [said]


# --- Parquet ----------------------------------------------------------------------------------------------------------


def parquet_of(columns: dict[str, list[object]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    buffer = BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_nested_columns_are_named() -> None:
    """Lists and structures in a cell are kept as they print, and named."""
    content = parquet_of({"id": [1], "tags": [["red", "green"]], "place": [{"city": "Ulm"}]})
    assert found(content, "a.parquet")["nested_columns"][1] == "nested columns, kept as they print: 'tags', 'place'"
    assert "Ulm" in read(content, "a.parquet").markdown


def test_columns_the_library_cannot_read_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nested columns cannot be read, the plain ones are, and those left out are an error."""
    import pyarrow as pa
    from pyarrow import parquet

    genuine = parquet.ParquetFile.iter_batches

    def refusing(self: object, *, columns: list[str], **options: object) -> Any:
        if "tags" in columns:
            raise pa.ArrowNotImplementedError("Nested data conversions not implemented for chunked array outputs")
        return genuine(self, columns=columns, **options)

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", refusing)
    content = parquet_of({"id": [7], "tags": [["red"]]})
    assert found(content, "a.parquet") == {
        "columns_unreadable": ("error", "columns that cannot be read are left out: 'tags'")
    }
    assert "| 7 |" in read(content, "a.parquet").markdown


@pytest.mark.parametrize("damage", ["cut", "footer"])
def test_parquet_with_a_bad_footer_is_malformed(damage: str) -> None:
    """Without its footer nothing can be read: malformed, and whether it is cut or damaged is reported."""
    content = parquet_of({"id": [1, 2, 3]})
    broken = content[:-30] if damage == "cut" else content[:-30] + b"\xff" * 22 + content[-8:]
    with pytest.raises(ProcessingError) as caught:
        read(broken, "a.parquet")
    assert caught.value.reason == "malformed"
    assert damage in caught.value.message
    assert caught.value.hint


# --- PDF --------------------------------------------------------------------------------------------------------------


def test_valid_pdf_has_no_findings() -> None:
    """A PDF in order is not worth a word."""
    assert found(pdf_of(pdf_pages("apples")), "a.pdf") == {}


def test_pages_without_text_are_numbered() -> None:
    """Pages without a word are numbered, the others read; only where one is a picture is OCR of any use."""
    blank = pdf_pages("apples", "", "pears", "")
    pages = found(pdf_of(blank), "a.pdf")["pages_without_text"]
    assert pages == ("warning", "2 of 4 pages hold no text (2, 4)")
    picture = stream(
        b"\xff" * 12, b"/Type /XObject /Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceRGB"
    )
    scanned = [*blank, picture]
    scanned[5] = scanned[5].replace(b"/Resources <<", b"/Resources << /XObject << /I %d 0 R >>" % len(scanned))
    scanned[6] = stream(b"q 600 0 0 700 0 0 cm /I Do Q")
    pages = found(pdf_of(scanned), "a.pdf")["pages_without_text"]
    assert pages == ("warning", "2 of 4 pages hold no text (2, 4); scanned pages need OCR")


def test_repaired_table_of_objects_is_an_error() -> None:
    """A PDF whose table of objects is wrong is repaired and read, and says so."""
    content = pdf_of(pdf_pages("apples")).replace(b"startxref\n", b"startxref\n9")
    assert found(content, "a.pdf")["xref_repaired"][0] == "error"
    assert "apples" in read(content, "a.pdf").markdown


def test_restrictions_are_reported() -> None:
    """A PDF whose author forbids copying is read, and says so; one that allows it is in order."""
    allowed = restricted_pdf("apples", -4)
    assert found(allowed, "a.pdf") == {}
    forbidden = restricted_pdf("apples", -4 & ~0x10)
    assert found(forbidden, "a.pdf") == {"restricted": ("warning", "its author does not allow copying")}
    assert "apples" in read(forbidden, "a.pdf").markdown


def test_embedded_files_and_scripts_are_reported() -> None:
    """Files inside a PDF are named, and scripts, which are never run."""
    number = 6
    names = b"/Names << /EmbeddedFiles << /Names [(plan) %d 0 R] >> /JavaScript << /Names [(go) %d 0 R] >> >>" % (
        number,
        number + 2,
    )
    more = [
        b"<< /Type /Filespec /F (plan.xlsx) /UF (plan.xlsx) /EF << /F %d 0 R >> >>" % (number + 1),
        stream(b"inside", b"/Type /EmbeddedFile"),
        b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>",
    ]
    assert found(pdf_of(pdf_pages("apples", catalogue=names, more=more)), "a.pdf") == {
        "embedded_files": ("warning", "holds 1 embedded file: 'plan.xlsx'"),
        "javascript_present": ("warning", "holds JavaScript, which is never run"),
    }


def test_embedded_files_beyond_the_limit_are_reported() -> None:
    """A PDF that names more files than are read says so; names that go round in a circle hold nobody up."""
    names = b" ".join(b"(%d) 6 0 R" % number for number in range(MAX_ATTACHMENTS + 1))
    catalogue = b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % names
    content = pdf_of(pdf_pages("apples", catalogue=catalogue, more=[b"<< /Type /Filespec /F (plan.md) >>"]))
    assert found(content, "a.pdf")["embedded_files"][1].endswith("those after the first 1,000 are left out")
    circle = pdf_pages("apples", catalogue=b"/Names << /EmbeddedFiles 6 0 R >>", more=[b"<< /Kids [6 0 R 6 0 R] >>"])
    assert found(pdf_of(circle), "a.pdf") == {}


def test_pdf_without_a_readable_page_is_malformed() -> None:
    """When no page can be read that is damage, not a scan."""
    objects = pdf_pages("apples", "pears")
    objects[1] = b"<< /Type /Pages /Kids [90 0 R 91 0 R] /Count 2 >>"
    with pytest.raises(ProcessingError) as caught:
        read(pdf_of(objects), "a.pdf")
    assert caught.value.reason == "malformed"


# --- those of others --------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_validators_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with none registered and leaves none behind."""
    monkeypatch.setattr(registered, "_validators", {})


def test_registered_validator_is_asked() -> None:
    """Others can add checks for a format: their findings are kept and their refusals count."""

    def check(content: bytes, kind: object) -> list[str | Finding]:
        if b"secret" in content:
            raise ItemRejectedError("not this one", code="policy")
        assert kind is BY_NAME["markdown"]
        return ["looked at", Finding("error", "house_rule", "no title")]

    register_validator("markdown", check)
    extraction = read(b"fine", "a.md")
    assert extraction.validation == [
        Finding("error", "house_rule", "no title"),
        Finding("warning", "noted", "looked at"),
    ]
    assert extraction.warnings == ["no title", "looked at"]
    with pytest.raises(ItemRejectedError, match="not this one"):
        read(b"secret", "a.md")
    assert read(b"secret", "a.txt").validation == []


def test_validator_for_every_format_is_asked() -> None:
    """One registered for ``*`` sees every document."""
    register_validator("*", lambda _content, kind: [kind.name])
    assert found(b"x", "a.txt") == {"noted": ("warning", "text")}
    assert found(b"x", "a.py") == {"noted": ("warning", "python")}


def boom(_content: bytes, _kind: Format) -> list[str]:
    raise LookupError("broken inside")


def leave(_content: bytes, _kind: Format) -> list[str]:
    raise SystemExit(3)


class UnprintableError(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise SystemExit(4)

    __repr__ = __str__


def unprintable(_content: bytes, _kind: Format) -> list[str]:
    raise UnprintableError


def nonsense(_content: bytes, _kind: Format) -> list[object]:
    return [Finding("fatal", "x", "y")]  # type: ignore[arg-type]


@pytest.mark.parametrize("validator", [boom, leave, unprintable, nonsense, lambda _content, _kind: 7])
def test_failing_validator_costs_a_finding(validator: object) -> None:
    """A validator that raises, or gives what is no finding, does not cost the document."""
    register_validator("text", validator)  # type: ignore[arg-type]
    assert list(found(b"fine", "a.txt")) == ["validator_failed"]
    assert read(b"fine", "a.txt").markdown == "fine"


def test_findings_are_capped_with_errors_first() -> None:
    """A validator without end fills no record, and what it has too many of does not push errors out."""

    def endless(_content: bytes, _kind: Format) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"{number} " + "x" * 10_000

    register_validator("json", endless)
    findings = read(b"{", "a.json").validation
    assert len(findings) == MAX_FINDINGS
    assert findings[0].code == "json_syntax"
    assert len(json.dumps([one.message for one in findings])) < 20_000


def test_unknown_format_is_refused() -> None:
    """The error for a misspelt format names those there are."""
    with pytest.raises(ValidationError) as caught:
        register_validator("pfd", boom)
    assert "pdf" in caught.value.hint
