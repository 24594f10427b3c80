"""Text in all its forms, with the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_text
from ingest_tui.extraction.intake.formats import BY_EXTENSION, JSON_SEQUENCE_MARK, extension_of
from ingest_tui.extraction.markup.escapes import DECODERS, decode_json
from ingest_tui.extraction.markup.literal_text import fence_around
from ingest_tui.extraction.markup.markdown import find_title
from ingest_tui.extraction.validators.jsontext import CheckedJson, check_json, check_json_texts
from ingest_tui.model.extraction import Element, Finding

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

_MAX_LEVEL = 6
_LONG_LINE = 2_000
_MAX_OUTPUT_CHARACTERS = 20_000


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text of a document in markdown. Raises `ItemError` for bytes that are no text."""
    special = _SPECIAL.get(parse_input.format.name)
    if special is None:
        text, _encoding, findings = decode_text(parse_input.content)
        language = parse_input.format.fence
        if language is None:
            title = find_title(text) if parse_input.format.name == "markdown" else None
            return Parsed(text, title=title, findings=findings)
        decode = DECODERS.get(parse_input.format.name)
        return Parsed(fence(decode(text) if decode else text, language), findings=findings)
    return special(parse_input)


def fence(text: str, language: str) -> str:
    """Return ``text`` as a fenced code block that no run of backticks inside can close."""
    return fence_around(text.rstrip(), language) + "\n"


def _parse_table(parse_input: ParseInput) -> Parsed:
    from ingest_tui.extraction.tables.delimited import read_csv
    from ingest_tui.extraction.tables.streamed import read_streamed

    delimiter = "\t" if parse_input.format.name == "tsv" else None
    findings: list[Finding] = []
    if parse_input.rest is not None:
        table = read_streamed(parse_input, delimiter=delimiter)
    else:
        text, _encoding, findings = decode_text(parse_input.content)
        table = read_csv(text, delimiter=delimiter, schema=parse_input.schema)
    if table is None:
        return Parsed("", findings=findings)
    described = {"category": "Table", "columns": table.columns, "rows": table.rows}
    elements = [Element(table.markdown, described)] if parse_input.with_elements else []
    return Parsed(table.markdown + "\n", elements, columns=[table.describe()], findings=[*findings, *table.findings])


def _parse_json(parse_input: ParseInput) -> Parsed:
    text, _encoding, findings = decode_text(parse_input.content)
    checked = check_json(text)
    value = checked.value
    if checked.is_broken and BY_EXTENSION.get(extension_of(parse_input.file_name)) is not parse_input.format:
        return Parsed(text, findings=findings)  # nobody but its first characters said that it is JSON
    findings += checked.findings
    if parse_input.schema is not None and parse_input.format.name == "json":
        _show(checked, parse_input.schema)
    if isinstance(value, dict) and "nbformat" in value and (cells := _cells_of(value)) is not None:
        return _notebook(value, cells, findings)
    is_kept_as_it_is = checked.is_broken or checked.repeats_keys  # written again it would lose something
    if not is_kept_as_it_is and len(text) > _LONG_LINE and max(map(len, text.split("\n"))) > _LONG_LINE:
        text = json.dumps(value, ensure_ascii=False, indent=1)  # one endless line cannot be cut into chunks
    return Parsed(fence(text if checked.is_broken else decode_json(text), "json"), findings=findings)


def _show(checked: CheckedJson, schema: SchemaCheck) -> None:
    if checked.is_broken:
        schema.no_json()
    else:
        schema.value(checked.value)


def _parse_ndjson(parse_input: ParseInput) -> Parsed:
    text, _encoding, findings = decode_text(parse_input.content)
    findings += check_json_texts(text.split("\n"), "line", parse_input.schema)
    return Parsed(fence(decode_json(text), "json"), findings=findings)


def _parse_json_sequence(parse_input: ParseInput) -> Parsed:
    """Return the texts of a sequence (RFC 7464), each from a line of its own on."""
    parts = [decode_text(part) for part in parse_input.content.split(JSON_SEQUENCE_MARK) if part.strip()]
    texts = [one for text, _encoding, _findings in parts if (one := text.strip())]
    findings = list(dict.fromkeys(finding for _text, _encoding, found in parts for finding in found))
    findings += check_json_texts(texts, "text", parse_input.schema)
    return Parsed(fence(decode_json("\n".join(texts)), "json"), findings=findings)


def _parse_notebook(parse_input: ParseInput) -> Parsed:
    return _parse_json(parse_input)


def _cells_of(notebook: dict[str, Any]) -> list[Any] | None:
    """Return the cells of a notebook, those of worksheets before version 4; None where it has none."""
    cells, sheets = notebook.get("cells"), notebook.get("worksheets")
    if isinstance(cells, list):
        return cells
    if not isinstance(sheets, list):
        return None
    found = (sheet.get("cells") for sheet in sheets if isinstance(sheet, dict))
    return [cell for cells in found if isinstance(cells, list) for cell in cells]


def _source_of(cell: dict[str, Any]) -> str:
    source = _joined(cell.get("source") or cell.get("input"))  # the latter before version 4
    level = cell.get("level")
    if cell.get("cell_type") == "heading" and source.strip():
        level = level if isinstance(level, int) and 0 < level <= _MAX_LEVEL else 1
        return f"{'#' * level} {' '.join(source.split())}"
    return source


def _notebook(value: dict[str, Any], cells: list[Any], findings: list[Finding]) -> Parsed:
    metadata = value.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = str(kernel.get("language", "")) if isinstance(kernel, dict) else ""
    parts: list[str] = []
    elements: list[Element] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            continue
        source = _source_of(cell)
        kind = cell.get("cell_type")
        if source.strip():
            parts.append(fence(source, language or "python") if kind == "code" else source)
            category = "CodeSnippet" if kind == "code" else "NarrativeText"
            elements.append(Element(source, {"category": category, "cell": number, "cell_type": str(kind)}))
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            shown = _output_text(output)
            if shown.strip():
                parts.append(fence(shown[:_MAX_OUTPUT_CHARACTERS], ""))
                elements.append(Element(shown, {"category": "CodeSnippet", "cell": number, "cell_type": "output"}))
    markdown = "\n\n".join(parts)
    return Parsed(markdown, elements, title=find_title(markdown), findings=findings)


def _joined(source: Any) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source or "")


def _output_text(output: Any) -> str:
    if not isinstance(output, dict):
        return ""
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    data = output.get("data")
    if output.get("text") or not isinstance(data, dict):
        return _joined(output.get("text"))
    plain = _joined(data.get("text/plain"))
    if plain and not plain.startswith("<IPython."):  # what Python calls an object that shows itself in another form
        return plain
    return _joined(data.get("text/markdown") or data.get("text/latex")) or _text_of_page(_joined(data.get("text/html")))


def _text_of_page(html: str) -> str:
    from ingest_tui.extraction.backends.html import html_to_markdown_text

    return html_to_markdown_text(html) if html.strip() else ""


def _parse_markup(parse_input: ParseInput) -> Parsed:
    from ingest_tui.extraction.markup import light_markup

    to_markdown: dict[str, Callable[[str], str]] = {
        "rst": light_markup.rst_to_markdown,
        "asciidoc": light_markup.asciidoc_to_markdown,
        "org": light_markup.org_to_markdown,
        "latex": light_markup.latex_to_markdown,
    }
    text, _encoding, findings = decode_text(parse_input.content)
    markdown = to_markdown[parse_input.format.name](text)
    return Parsed(markdown, title=find_title(markdown), findings=findings)


def _parse_xml(parse_input: ParseInput) -> Parsed:
    from ingest_tui.extraction.backends.xmltext import xml_to_text

    text, findings = xml_to_text(parse_input.content)
    return Parsed(text, findings=findings)


_SPECIAL: dict[str, Callable[[ParseInput], Parsed]] = {
    "csv": _parse_table,
    "tsv": _parse_table,
    "json": _parse_json,
    "ndjson": _parse_ndjson,
    "json-seq": _parse_json_sequence,
    "notebook": _parse_notebook,
    "rst": _parse_markup,
    "asciidoc": _parse_markup,
    "org": _parse_markup,
    "latex": _parse_markup,
    "xml": _parse_xml,
}
