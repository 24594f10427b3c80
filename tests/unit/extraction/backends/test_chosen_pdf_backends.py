"""The backends for PDF that a user chooses, with stand-ins for their libraries."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ingest_tui.extraction import backends
from ingest_tui.extraction.backends import docling, model_folders, opendataloader
from ingest_tui.extraction.intake.validation import EmptyDocumentError
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import ItemRejectedError, MissingDependencyError, ProcessingError
from ingest_tui.model.extraction import Extraction
from tests.made_files import locked_pdf
from tests.made_pdfs import DrawnPage, drawn_pdf

TWO_PAGES = drawn_pdf(DrawnPage().prose(700, 2), DrawnPage().prose(700, 2))


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    """Forget what was found of libraries, before and after."""
    remembered = (backends._load, docling._library, opendataloader.missing_java)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


def stand_in(monkeypatch: pytest.MonkeyPatch, modules: dict[str, Any]) -> None:
    """Let the backends find these modules, and say that all libraries are installed."""
    real = __import__("importlib").import_module
    monkeypatch.setattr("importlib.import_module", lambda name: modules.get(name) or real(name))
    monkeypatch.setattr(backends.Backend, "is_available", lambda _self: True)


def read(content: bytes, backend: str) -> Extraction:
    return extract(content, file_name="a.pdf", backends_by_type={"pdf": backend})


# --- opendataloader ---------------------------------------------------------------------------------------------------


def java_writes(monkeypatch: pytest.MonkeyPatch, text: str | Exception) -> list[dict[str, Any]]:
    """Put a library in place that writes this, or fails so; returns the options that it is called with."""
    calls: list[dict[str, Any]] = []

    def convert(source: str, *, output_dir: str, **options: Any) -> None:
        calls.append(options)
        if isinstance(text, Exception):
            raise text
        Path(output_dir, Path(source).with_suffix(".md").name).write_text(text)

    library = ModuleType("opendataloader_pdf")
    library.convert = convert  # type: ignore[attr-defined]
    stand_in(monkeypatch, {"opendataloader_pdf": library})
    monkeypatch.setattr(opendataloader, "missing_java", lambda: "")
    return calls


def test_the_pages_of_opendataloader_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page begins where its mark is; nothing is written but text, headers and footers with it."""
    mark = opendataloader._PAGE.replace("%page-number%", "{}").format
    calls = java_writes(monkeypatch, f"{mark(1)}\n\n# One\n\n|a|b|\n|---|---|\n\n{mark(2)}\n\n# Two\n")
    found = read(TWO_PAGES, "opendataloader")
    assert found.markdown == "# One\n\n|a|b|\n|---|---|\n\n# Two\n"
    assert (found.backend, found.pages, found.page_starts) == ("opendataloader", 2, [0, 24])
    assert calls[0]["image_output"] == "off"
    assert calls[0]["include_header_footer"] is True


def test_what_java_says_of_a_file_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that fails is a reason with a hint; a file without text is empty; a locked one is not given to it."""
    java_writes(monkeypatch, subprocess.CalledProcessError(1, ["java"], stderr="no such table"))
    with pytest.raises(ProcessingError, match="no such table") as caught:
        read(TWO_PAGES, "opendataloader")
    assert caught.value.hint
    java_writes(monkeypatch, "")
    with pytest.raises(EmptyDocumentError, match="no text"):
        read(TWO_PAGES, "opendataloader")
    with pytest.raises(ItemRejectedError, match="password"):
        read(locked_pdf(), "opendataloader")


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ('openjdk version "17.0.15" 2025-04-15', ""),
        ('java version "1.8.0_202"', "Java is 8"),
        ("Could not reserve enough space", "not reserve enough space"),
        (None, "there is no Java"),
        (OSError("no memory"), "cannot be started"),
    ],
)
def test_java_is_looked_for_first(monkeypatch: pytest.MonkeyPatch, answer: str | OSError | None, missing: str) -> None:
    """Without a Java that is new enough no file is tried, and the hint names it."""
    stand_in(monkeypatch, {})
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: "/usr/bin/java" if answer else None)

    def run(*_args: Any, **_options: Any) -> SimpleNamespace:
        if isinstance(answer, OSError):
            raise answer
        return SimpleNamespace(stderr=answer, stdout="")

    monkeypatch.setattr(subprocess, "run", run)
    assert missing in opendataloader.missing_java()
    if missing:
        with pytest.raises(MissingDependencyError, match="needs Java") as caught:
            read(TWO_PAGES, "opendataloader")
        assert "Java 11" in caught.value.hint


# --- docling ----------------------------------------------------------------------------------------------------------


class Converter:
    """Converts as docling does, without looking at the file."""

    made: list[Any]

    def __init__(self, **options: Any) -> None:
        self.options = options
        Converter.made.append(self)

    def convert(self, source: SimpleNamespace) -> SimpleNamespace:
        if not source.stream.read().startswith(b"%PDF"):
            raise ValueError("no PDF")
        return SimpleNamespace(
            document=SimpleNamespace(
                export_to_markdown=lambda page_no: f"## Page {page_no}\n" if page_no < 3 else 1 / 0
            )
        )


def docling_is_here(monkeypatch: pytest.MonkeyPatch, models: str) -> None:
    Converter.made = []
    monkeypatch.setenv(docling.MODELS_VARIABLE, models)
    namespace = SimpleNamespace
    stand_in(
        monkeypatch,
        {
            "docling.datamodel.base_models": namespace(InputFormat=namespace(PDF="pdf"), DocumentStream=namespace),
            "docling.datamodel.pipeline_options": namespace(PdfPipelineOptions=namespace),
            "docling.document_converter": namespace(PdfFormatOption=namespace, DocumentConverter=Converter),
        },
    )


def test_docling_reads_page_by_page_with_the_models_of_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its models are those of the folder that is named, loaded once; it does no OCR."""
    (tmp_path / "model").touch()
    docling_is_here(monkeypatch, str(tmp_path))
    assert read(TWO_PAGES, "docling").markdown == "## Page 1\n\n## Page 2\n"
    assert read(TWO_PAGES, "docling").page_starts == [0, 11]
    [converter] = Converter.made
    options = converter.options["format_options"]["pdf"].pipeline_options
    assert (options.artifacts_path, options.do_ocr) == (str(tmp_path), False)


def test_what_docling_says_of_a_file_is_an_outcome(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever its library raises is a reason with a hint."""
    (tmp_path / "model").touch()
    docling_is_here(monkeypatch, str(tmp_path))
    with pytest.raises(ProcessingError, match="docling cannot read it") as caught:
        read(drawn_pdf(*[DrawnPage().prose(700, 1)] * 3), "docling")
    assert "pypdfium2" in caught.value.hint


@pytest.mark.parametrize(("models", "missing"), [("", "does not name"), ("/nonexistent", "names no folder")])
def test_without_models_docling_is_not_started(monkeypatch: pytest.MonkeyPatch, models: str, missing: str) -> None:
    """It would try to fetch them."""
    docling_is_here(monkeypatch, models)
    with pytest.raises(ProcessingError, match=missing) as caught:
        read(TWO_PAGES, "docling")
    assert caught.value.reason == "missing_model"
    assert docling.MODELS_VARIABLE in caught.value.hint
    assert Converter.made == []


def test_an_empty_folder_of_models_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that is there and holds nothing is one whose download never ran."""
    monkeypatch.setenv(docling.MODELS_VARIABLE, str(tmp_path))
    assert "is empty" in docling.missing_models()


def test_only_folders_of_models_are_passed_to_a_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is not absolute would mean another folder there."""
    monkeypatch.setenv(docling.MODELS_VARIABLE, "models")
    assert model_folders() == {}
    monkeypatch.setenv(docling.MODELS_VARIABLE, "/srv/models")
    assert model_folders() == {docling.MODELS_VARIABLE: "/srv/models"}


def test_the_extra_of_a_chosen_backend_is_named() -> None:
    """Where its library is not installed, the outcome has the command that installs it."""
    for name in ("docling", "opendataloader"):
        if not backends.BACKENDS[name].is_available():
            with pytest.raises(MissingDependencyError) as caught:
                read(TWO_PAGES, name)
            assert f"ingest-tui[{name}]" in caught.value.hint
