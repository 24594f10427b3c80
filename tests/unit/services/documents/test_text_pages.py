"""The text of a document in pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents import text_pages
from ingest_tui.services.documents.documents import document_folder, document_text, get_document
from ingest_tui.services.documents.text_pages import document_text_page

TEXT = "Grüße aus Zürich.\n🌧 and 日本 follow.\n" * 5


def with_document(home: Path) -> WorkspaceHandle:
    """Return an open workspace with the text in a document."""
    (home / "docs").mkdir()
    (home / "docs" / "a.txt").write_text(TEXT)
    handle = open_workspace(home / "workspace")
    handle.add_source("docs", path=str(home / "docs"))
    handle.sync("docs")
    return handle


def test_pages_make_the_text_wherever_they_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long pages are, and the pieces in which a file is read: each character is in one page, in order."""
    with with_document(tmp_path) as handle:
        whole = document_text(handle.workspace, "a.txt")
        for piece, limit in ((1, 1), (7, 3), (3, 7), (10, 10), (1_000_000, 50), (16, 1_000_000)):
            monkeypatch.setattr(text_pages, "_PIECE", piece)
            text, offset = "", 0
            while offset is not None:
                page = document_text_page(handle.workspace, "a.txt", offset=offset, limit=limit)
                assert (page.offset, page.total) == (offset, len(whole))
                assert page.text == whole[offset : offset + limit]
                text, offset = text + page.text, page.next_offset  # type: ignore[assignment] # None ends it
            assert text == whole


def test_beyond_the_end_there_is_none(tmp_path: Path) -> None:
    """At the end there is an empty page, after it an error that says how long the text is."""
    with with_document(tmp_path) as handle:
        length = len(document_text(handle.workspace, "a.txt"))
        assert document_text_page(handle.workspace, "a.txt", offset=length, limit=5).text == ""
        with pytest.raises(UsageError, match=f"has {length} characters"):
            document_text_page(handle.workspace, "a.txt", offset=length + 1, limit=5)


def test_a_lost_text_says_how_it_comes_back(tmp_path: Path) -> None:
    """As for the whole text."""
    with with_document(tmp_path) as handle:
        document = get_document(handle.workspace, "a.txt")
        (document_folder(handle.workspace, document) / "normalized.md").unlink()
        with pytest.raises(NotFoundError, match="lost its text"):
            document_text_page(handle.workspace, "a.txt", limit=5)
