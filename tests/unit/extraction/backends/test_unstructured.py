"""The unstructured library where its language model is missing: with stand-ins for it and for spaCy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from io import BytesIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ingest_tui.extraction.backends import unstructured
from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.sentence_rules import VERB_TAG, is_verb
from ingest_tui.extraction.intake.formats import BY_NAME
from ingest_tui.model.errors import MissingDependencyError, ProcessingError

TEXT = b"Annual Report\n\nApples are round."


@dataclass
class Token:
    """A word as spaCy has it."""

    lower_: str
    tag_: str = ""


class BlankPipeline:
    """What `spacy.blank` returns: it splits, and knows no verbs."""

    max_length = 1000

    def __init__(self) -> None:
        self.parts: list[str] = []

    def add_pipe(self, name: str) -> None:
        self.parts.append(name)

    def __call__(self, text: str) -> list[Token]:
        assert self.parts == ["sentencizer"]
        return [Token(word.lower()) for word in text.rstrip(".").split()]


def module(monkeypatch: pytest.MonkeyPatch, name: str, **contents: Any) -> ModuleType:
    """Put a module in place of what is not installed."""
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    made.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, made)
    return made


def fetch() -> Any:
    """Stand for the download of the model."""
    raise AssertionError("it would have been downloaded")


@pytest.fixture
def tokenize(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The library: text is prose where its pipeline finds a verb; without the model it would fetch that."""
    module(monkeypatch, "spacy", blank=lambda _language: BlankPipeline())
    for name in ("unstructured", "unstructured.nlp", "unstructured.partition"):
        module(monkeypatch, name, __path__=[])
    made = module(monkeypatch, "unstructured.nlp.tokenize", _load_spacy_model=fetch)

    def partition_text(file: BytesIO) -> list[Any]:
        pipeline = made._load_spacy_model()
        return [element(text, pipeline(text)) for text in file.read().decode().split("\n\n")]

    def partition_image(**_options: Any) -> list[Any]:
        raise ImportError("No module named 'pdfminer'")

    module(monkeypatch, "unstructured.partition.text", partition_text=partition_text)
    module(monkeypatch, "unstructured.partition.pdf", partition_pdf=partition_image)
    module(monkeypatch, "unstructured.partition.image", partition_image=partition_image)
    unstructured._partition_for.cache_clear()
    yield made
    unstructured._partition_for.cache_clear()


def element(text: str, tokens: list[Token]) -> Any:
    """Return an element as the library makes it."""
    category = "NarrativeText" if any(token.tag_ == VERB_TAG for token in tokens) else "Title"
    return SimpleNamespace(text=text, category=category, metadata=SimpleNamespace(to_dict=dict))


def parsed(format_name: str = "text") -> Parsed:
    """Read the text, whatever it is called."""
    return unstructured.parse(ParseInput(TEXT, f"a.{format_name}", BY_NAME[format_name]))


@pytest.mark.usefixtures("tokenize")
def test_without_its_model_prose_is_read_by_rule() -> None:
    """Nothing is fetched, the categories of elements are kept, and a finding says how it was read."""
    found = parsed()
    assert [one.metadata["category"] for one in found.elements] == ["Title", "NarrativeText"]
    assert [finding.code for finding in found.findings] == ["language_model_missing"]
    assert unstructured.MODEL_COMMAND in found.findings[0].message


def test_with_its_model_that_is_used(tokenize: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model is installed, the library loads it itself."""
    module(monkeypatch, unstructured.MODEL)
    tokenize.__dict__["_load_spacy_model"] = lambda: lambda text: [Token(text, VERB_TAG)]
    found = parsed()
    assert [one.metadata["category"] for one in found.elements] == ["NarrativeText", "NarrativeText"]
    assert found.findings == []


def test_a_release_that_loads_its_model_otherwise_is_not_tried(tokenize: ModuleType) -> None:
    """Where nothing is known to replace, the missing model is the reason, at once."""
    del tokenize.__dict__["_load_spacy_model"]
    with pytest.raises(ProcessingError) as caught:
        parsed()
    assert caught.value.reason == "missing_model"
    assert unstructured.MODEL_COMMAND in caught.value.hint


@pytest.mark.usefixtures("tokenize")
@pytest.mark.parametrize(("format_name", "package"), [("pdf", "unstructured[pdf]"), ("png", "unstructured[image]")])
def test_pdfs_and_images_name_the_extra_that_they_need(format_name: str, package: str) -> None:
    """What reads them is no part of our extra."""
    with pytest.raises(MissingDependencyError) as caught:
        parsed(format_name)
    assert caught.value.hint == f'pip install "{package}"'


@pytest.mark.parametrize(
    ("word", "verb"),
    [("are", True), ("picked", True), ("growing", True), ("apple", False), ("red", False), ("ing", False)],
)
def test_verbs_are_recognised_by_form(word: str, verb: bool) -> None:
    """Common verbs and endings of verbs; short words that end so are none."""
    assert is_verb(word) is verb
