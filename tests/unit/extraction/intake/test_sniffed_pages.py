"""Pages that a program has printed, under the name of the program."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.intake.sniffing import sniff

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
