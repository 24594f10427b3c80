"""Pages that a program has printed, under the name of the program."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.intake.formats import FORMATS, extension_of
from ingest_tui.extraction.intake.sniffing import sniff
from ingest_tui.extraction.intake.validation import validate

PAGE = b"<!doctype html><html><body><h1>Travel</h1><p>trains</p>"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PAGE, "html"),
        (b'<?xml version="1.0"?>\n' + PAGE, "html"),
        (PAGE + b" " * 10_000 + b"<?php echo 1 ?>", "php"),
        (PAGE + b"<?= $name ?>", "php"),
        (PAGE + b"<? echo 1 ?>", "php"),
        (b"<?php echo 1;", "php"),
        (b"words", "php"),
    ],
)
def test_a_page_under_the_name_of_a_program_is_a_page(content: bytes, kind: str) -> None:
    """What a site serves at ``index.php`` is HTML; the program itself is a program, wherever its first part is."""
    found = sniff(content, "php")
    assert found.format.name == kind
    assert not found.findings


@pytest.mark.parametrize("extension", ["c", "go", "java", "js", "pl", "py", "r", "rb", "sql"])
def test_a_page_under_the_name_of_any_source_code_is_a_page(extension: str) -> None:
    """No code begins so. Where sites have programs of that name it is as it should be, else the name is odd."""
    for content in (PAGE, b"\xef\xbb\xbf\n<!-- by hand -->" + PAGE):
        found = sniff(content, extension)
        assert found.format.name == "html"
        assert [one.code for one in found.findings] == ([] if extension in {"pl", "py", "rb"} else ["type_mismatch"])
    assert sniff(b"/* <html> */\n<html>", extension).format.name != "html"
    assert sniff(PAGE, "md").format.name == "markdown", "a text may begin with a page"


def test_a_name_without_a_dot_is_no_extension() -> None:
    """A page at ``/lang/go`` is a page, and a note called ``sql`` is text: nothing is promised, nothing is odd."""
    for name in sorted({one for kind in FORMATS for one in kind.extensions}):
        for path in (name, name.upper(), f"a.d/{name}"):
            assert extension_of(path) == ""
            page, note = validate(PAGE, path), validate(b"Just words.", path)
            assert (page.format.name, note.format.name) == ("html", "text")
            assert not page.findings
            assert not note.findings
    names = {"Report.PDF": "pdf", ".pdf": "pdf", "a/b.C": "c", "Makefile": "", "a.": "", "": ""}
    assert {name: extension_of(name) for name in names} == names
