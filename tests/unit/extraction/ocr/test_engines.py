"""The engines and what they need: RapidOCR with a stand-in, HEIC with and without its library, lines to text."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ingest_tui.extraction.ocr.engine import engine_for
from ingest_tui.extraction.ocr.lines import OcrLine, page_of
from ingest_tui.extraction.ocr.page_cache import cached_page, entry_path
from ingest_tui.extraction.ocr.page_image import PageImage
from ingest_tui.extraction.ocr.tessdata import installed_languages, tessdata_folder
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import MissingDependencyError
from tests.made_images import ocr_request

HEIC = Path(__file__).with_name("apples.heic")


def test_a_photo_of_a_phone_is_read() -> None:
    """HEIC is opened by its own library."""
    assert extract(HEIC.read_bytes(), file_name="a.heic", ocr=ocr_request()).markdown == "Apples are round\n"


def test_without_its_library_heic_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What brings the library is in the hint."""
    genuine = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "pi_heif" else genuine(name, *rest)
    )
    with pytest.raises(MissingDependencyError) as caught:
        extract(HEIC.read_bytes(), file_name="a.heic", ocr=ocr_request())
    assert caught.value.hint == 'pip install "ingest-tui[heic]"'


class Reader:
    """What RapidOCR is to its callers."""

    def __init__(self, params: dict[str, Any]) -> None:
        assert params["EngineConfig.onnxruntime.intra_op_num_threads"] == 1

    def __call__(self, shades: Any) -> Any:
        assert shades.shape == (2, 3)
        boxes = [[(0, 10), (9, 10), (9, 30), (0, 30)], [(0, 32), (9, 32), (9, 52), (0, 52)]]
        return SimpleNamespace(txts=("Apples", "are round"), scores=(0.9, 0.8), boxes=boxes)


def test_rapidocr_reads_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its lines become a page, and its models are part of what stands for it."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "rec.onnx").touch()
    for name in ("rapidocr", "onnxruntime"):
        made = ModuleType(name)
        made.__spec__ = ModuleSpec(name, None)
        made.__dict__.update(RapidOCR=Reader, __file__=str(tmp_path / "__init__.py"))
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "3.10.0")
    engine_for.cache_clear()
    engine = engine_for("rapidocr", ("eng",), "")
    engine_for.cache_clear()
    assert engine.identity == "rapidocr 3.10.0 rec.onnx"
    found = engine.read(PageImage(3, 2, bytes(6)))
    assert found.text == "Apples\nare round"
    assert found.confidence == pytest.approx(0.84, abs=0.01)


def test_rapidocr_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is not here is an error with the command that brings it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    engine_for.cache_clear()
    with pytest.raises(MissingDependencyError) as caught:
        engine_for("rapidocr", ("eng",), "")
    assert caught.value.hint == 'pip install "ingest-tui[rapidocr]"'


def line(text: str, top: float, confidence: float = 0.9) -> OcrLine:
    """Return a line of usual height."""
    return OcrLine(text, confidence, top, 20)


def test_lines_become_paragraphs_without_noise() -> None:
    """Space divides paragraphs, words that a line end cuts are joined, and what the engine doubts most is left out."""
    lines = [line("Ein Ap-", 0), line("fel fiel", 24), line("Neuer Absatz", 90), line("~;", 114, 0.1), line("Top", 0)]
    assert page_of(lines) == ("Ein Apfel fiel\n\nNeuer Absatz\n\nTop", 0.9)
    assert page_of([line("~;", 0, 0.1)]) == ("", 0.0)


def test_data_is_looked_for_where_it_is_named_first(tmp_path: Path) -> None:
    """TESSDATA_PREFIX may name the folder, or the one above it; a folder without data is none."""
    data = tmp_path / "share" / "tessdata"
    data.mkdir(parents=True)
    (data / "swe.traineddata").write_bytes(b"x")
    (data / "osd.traineddata").write_bytes(b"x")
    for named in (data, data.parent):
        assert tessdata_folder({"TESSDATA_PREFIX": str(named)}) == str(data)
    assert installed_languages(str(data)) == ["swe"]
    assert tessdata_folder({"TESSDATA_PREFIX": str(tmp_path)}) != str(tmp_path)


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"text": "a"}', b'{"text": "a", "confidence": "x"}'])
def test_a_damaged_entry_of_the_cache_is_none(tmp_path: Path, kept: bytes) -> None:
    """What cannot be read is read again."""
    path = Path(entry_path(str(tmp_path), "ab" * 32))
    path.parent.mkdir()
    path.write_bytes(kept)
    assert cached_page(str(tmp_path), "ab" * 32) is None
