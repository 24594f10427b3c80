"""The benchmark of fidelity: what it builds is read wholly, and what it expects of a file is what the file holds."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.made_files import zip_bytes

BENCHMARKS = str(Path(__file__).parents[3] / "benchmarks")


@pytest.fixture
def fidelity(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark as a module."""
    monkeypatch.setattr(sys, "path", [BENCHMARKS, *sys.path])
    return import_module("fidelity")


def test_every_word_heading_and_cell_of_the_built_files_is_read(fidelity: Any) -> None:
    """Notes, headers, comments, boxes and words in pieces are there, headings are headings and cells are cells."""
    missing = {}
    for name, content, script in fidelity.made_files():
        found = fidelity.found_in(fidelity.by_ours(content, name))
        lost = set(script.words) - found.words, set(script.headings) - found.headings, set(script.cells) - found.cells
        if any(lost):
            missing[name] = lost
    assert missing == {}


def test_what_is_expected_of_a_file_is_what_it_holds(fidelity: Any) -> None:
    """Words, headings and cells are read from the XML or HTML; a damaged file expects nothing."""
    for name, content, script in fidelity.made_files():
        if name.endswith((".docx", ".pptx", ".xlsx", ".odt", ".ods", ".odp", ".html", ".epub")):
            expected = fidelity.normalised(fidelity.expected_of(content, Path(name).suffix))
            missing = set(script.words) - expected.words
            # the names of sheets are attributes, and what a title is in a presentation of OpenDocument a class
            assert len(missing) <= (2 if name.endswith(("xlsx", "ods")) else 0), name
            assert set(script.cells) <= expected.cells, name
            assert name.endswith("odp") or set(script.headings) <= expected.headings, name
    assert fidelity.expected_of(zip_bytes({"word/document.xml": b"<w"}), ".docx") is None
    assert fidelity.expected_of(b"text", ".txt") is None


def test_a_program_that_fails_has_found_nothing(fidelity: Any) -> None:
    """A refused file counts as read by nobody, and its words as not found."""

    def refuse(_content: bytes, _name: str) -> str:
        raise ValueError

    expected = fidelity.Expected({"a", "b"}, {"a"}, set())
    tally = fidelity.Tally()
    assert fidelity.read_with(refuse, b"", "a.txt") is None
    tally.add(expected, None)
    assert tally.shown() == "not read"
    tally.add(expected, fidelity.found_in("# a\n\nx"))
    assert tally.shown() == "25 / 50 / – (1 of 2 read)"
