"""The pages that OCR has read, kept in a workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest_tui.extraction.ocr.page_cache import cached_page
from ingest_tui.model.ocr import OcrPage
from ingest_tui.store import ocr_pages
from ingest_tui.store.layout import Layout
from ingest_tui.store.ocr_pages import keep_pages


def key(number: int) -> str:
    """Return a key of the same folder."""
    return f"aa{number:062x}"


def test_kept_pages_are_found(tmp_path: Path) -> None:
    """A parser process finds what the worker has kept."""
    layout = Layout(tmp_path)
    page = OcrPage(key(1), "Grüße \ud800 aus", 0.5)
    keep_pages(layout, [page])
    assert cached_page(str(layout.ocr_pages), key(1)) == page


@pytest.mark.parametrize("position", range(0, 100, 9))
def test_an_entry_with_a_changed_bit_is_read_again(tmp_path: Path, position: int) -> None:
    """A page that is not what was written is none; one of a program of before, without a checksum, is believed."""
    layout = Layout(tmp_path)
    keep_pages(layout, [OcrPage(key(1), "The quick brown fox jumps over the lazy dog, and so on.", 0.75)])
    path = layout.ocr_pages / "aa" / f"{key(1)}.json"
    kept = json.loads(path.read_bytes())
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    found = cached_page(str(layout.ocr_pages), key(1))
    assert found is None or found.text == kept["text"]
    path.write_text(json.dumps({"text": "as it was", "confidence": 1}))
    assert cached_page(str(layout.ocr_pages), key(1)) == OcrPage(key(1), "as it was", 1.0)


def test_a_full_folder_loses_its_older_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more than so many; the newest is among them."""
    monkeypatch.setattr(ocr_pages, "MOST_IN_A_FOLDER", 4)
    layout = Layout(tmp_path)
    for number in range(9):
        keep_pages(layout, [OcrPage(key(number), "text", 1.0)])
        assert len(list((layout.ocr_pages / "aa").iterdir())) <= 4
        assert cached_page(str(layout.ocr_pages), key(number)) is not None


def test_keys_that_are_no_hashes_name_no_file(tmp_path: Path) -> None:
    """A key comes from a parser process, which may be under the control of a document."""
    layout = Layout(tmp_path)
    keep_pages(layout, [OcrPage("../../escaped", "text", 1.0), OcrPage("AA" * 32, "text", 1.0)])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """What is not kept is read again; nothing is written elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    layout = Layout(tmp_path / "ws")
    layout.root.mkdir()
    layout.ocr_pages.symlink_to(elsewhere)
    keep_pages(layout, [OcrPage(key(1), "text", 1.0)])
    assert list(elsewhere.iterdir()) == []
