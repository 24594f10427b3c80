"""Which types a source takes, by name and by content."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.extraction.intake.admission import TypeFilter, known_types
from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.errors import ItemRejectedError, ValidationError
from ingest_tui.model.extraction import ParseResult, ParseTask

HTML = b"<!DOCTYPE html><p>apples"


@pytest.mark.parametrize(
    ("allowed", "denied", "name", "is_refused"),
    [
        (("pdf",), (), "a.pdf", False),
        (("pdf",), (), "A.PDF", False),
        (("pdf",), (), "a.docx", True),
        (("pdf",), (), "noname", False),
        (("pdf",), (), "a.unheard-of", False),
        (("text",), (), "a.log", False),
        (("log",), (), "a.log", False),
        (("log",), (), "a.txt", True),
        (("application/pdf",), (), "a.pdf", False),
        (("application/pdf",), (), "a.html", True),
        ((), ("docm",), "a.docm", True),
        ((), ("docm",), "a.docx", False),
        (("docx",), ("docm",), "a.docm", True),
        ((), ("docx",), "a.docm", True),
        ((), ("doc",), "a.dot", False),
        ((), (), "a.pdf", False),
    ],
)
def test_names_tell_where_they_can(
    allowed: tuple[str, ...], denied: tuple[str, ...], name: str, is_refused: bool
) -> None:
    """Formats and media types stand for all their names, an extension for itself; what is unclear is let pass."""
    assert bool(TypeFilter(allowed, denied).refusal_of_name(name)) is is_refused


def test_bytes_tell_where_names_cannot() -> None:
    """A page without a name, or under the name of a text, is what its bytes are."""
    no_pages = TypeFilter(denied=("html",))
    for name in ("noname", "a.txt"):
        with pytest.raises(ItemRejectedError) as caught:
            extract(HTML, file_name=name, types=no_pages)
        assert caught.value.reason == "type_not_allowed"
        assert "--allow-type" in caught.value.hint
    assert extract(b"just words", file_name="noname", types=no_pages).markdown == "just words"
    with pytest.raises(ItemRejectedError, match="takes only text"):
        extract(HTML, file_name="noname", types=TypeFilter(allowed=("text",)))


def test_an_allowed_extension_does_not_let_other_bytes_in() -> None:
    """A page that calls itself .log is no log."""
    only_logs = TypeFilter(allowed=("log",))
    assert extract(b"words", file_name="a.log", types=only_logs).markdown == "words"
    with pytest.raises(ItemRejectedError):
        extract(HTML, file_name="a.log", types=only_logs)


def test_the_parser_process_is_told(tmp_path: Path) -> None:
    """The lists of a task reach the parser process and hold there."""
    results: dict[str, ParseResult] = {}
    with ParserPool(1) as pool:
        for name, content in (("page", HTML), ("text", b"words")):
            (tmp_path / name).write_bytes(content)
            task = ParseTask(
                name, str(tmp_path / name), str(tmp_path / f"{name}.md"), name, len(content), deny_types=("html",)
            )
            pool.submit(task, lambda result: results.__setitem__(result.task_id, result))
        pool.drain()
    assert (results["page"].status, results["page"].reason) == ("rejected", "type_not_allowed")
    assert results["text"].status == "parsed"


def test_names_of_types_are_kept_in_one_form() -> None:
    """Case, dots, blanks and repetitions do not matter."""
    assert known_types([" PDF", ".pdf", "", "text/HTML", "docm"]) == ["pdf", "text/html", "docm"]


def test_unknown_types_are_refused_naming_the_known() -> None:
    """The error for a misspelt type names those there are."""
    with pytest.raises(ValidationError, match="'pfd'") as caught:
        known_types(["pdf", "pfd"])
    assert "parquet" in caught.value.hint
