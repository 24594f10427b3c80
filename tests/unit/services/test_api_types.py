"""The Python API with values of wrong types, and on a catalogue that contradicts itself: errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import (
    IngestedDocument,
    compute_content_hash,
    extract_text,
    get_connector,
    open_workspace,
    parse_document_content,
)
from ingest_tui.model.argument_types import check_types, checks_types
from ingest_tui.model.errors import IngestError, ValidationError
from ingest_tui.services.api import WorkspaceHandle
from tests.copied_workspace import copied_workspace

SOME: Any = "1"
FIVE: Any = 5
NONE: Any = None
WRONG: dict[str, tuple[Callable[[WorkspaceHandle], object], str]] = {
    "hash of None": (lambda _: compute_content_hash(NONE), "content must be text or bytes, not None"),
    "hash of a number": (lambda _: compute_content_hash(FIVE), "content must be text or bytes, not int"),
    "text of None": (lambda _: extract_text(NONE, "md"), "content must be bytes or text, not None"),
    "a type of None": (lambda _: extract_text("x", NONE), "file_extension must be text, not None"),
    "parsing None": (lambda _: parse_document_content(NONE, "md"), "content must be bytes or text"),
    "metadata of a list": (lambda _: parse_document_content("x", "md", FIVE), "metadata must be a dict or None"),
    "a connector of 5": (lambda _: get_connector(FIVE, {}), "source_type must be text, not int"),
    "settings of None": (lambda _: get_connector("local", NONE), "config must be a dict, not None"),
    "a size of text": (lambda _: get_connector("local", {}, max_size=SOME), "max_size must be a whole number or None"),
    "fetching None": (lambda _: get_connector("local", {"path": "/"}).fetch(NONE), "descriptor must be Descriptor"),
    "workspace 5": (lambda _: open_workspace(FIVE), "path must be text or a path, not int"),
    "workspace None": (lambda _: open_workspace(NONE), "path must be text or a path, not None"),
    "credentials 5": (lambda _: open_workspace("w", credentials=FIVE), "credentials must be text or a path or None"),
    "a document of bytes": (lambda _: IngestedDocument(FIVE, "u", "s"), "content of a document must be text, not int"),
    "a document of a path": (
        lambda _: IngestedDocument("x", "u", "s", file_path=FIVE), "file_path of a document must be text or None",
    ),
    "a source without a name": (lambda one: one.add_source(NONE), "name must be text, not None"),
    "a collection 5": (lambda one: one.add_source("a", collection=FIVE), "collection must be text, not int"),
    "syncing None": (lambda one: one.sync(NONE), "source must be text, not None"),
    "a progress of text": (lambda one: one.sync("a", progress=SOME), "progress must be a function or None, not str"),
    "a force of text": (lambda one: one.sync("a", force=SOME), "force must be True or False, not str"),
    "searching 5": (lambda one: one.search(FIVE), "query must be text, not int"),
    "a limit of text": (lambda one: one.search("a", limit=SOME), "limit must be a whole number, not str"),
    "a limit of True": (lambda one: one.search("a", limit=True), "limit must be a whole number, not bool"),
    "text of document 5": (lambda one: one.text(FIVE), "document_id must be text, not int"),
    "a version of text": (lambda one: one.text("a", SOME), "version must be a whole number or None"),
    "registering text": (lambda one: one.register("default", SOME), "ingested must be IngestedDocument, not str"),
    "registering for 5": (
        lambda one: one.register("default", IngestedDocument("x", "u", "s"), source_id=FIVE),
        "source_id must be text or None",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two documents."""
    home = tmp_path_factory.mktemp("synced")
    (home / "docs").mkdir()
    for name in ("one", "two"):
        (home / "docs" / f"{name}.txt").write_text(f"the walrus of {name}")
    with open_workspace(home / "workspace") as handle:
        handle.add_source("docs", path=str(home / "docs"))
        handle.sync("docs")
    return home / "workspace"


@pytest.fixture
def handle(synced: Path, tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A copy of that workspace."""
    with copied_workspace(synced, tmp_path / "workspace") as handle:
        yield handle


def test_wrong_types_are_named(tmp_path: Path) -> None:
    """Each public function says what was given and what is needed, as an error of ours that is a TypeError too."""
    with open_workspace(tmp_path / "workspace") as handle:
        for way, (call, words) in WRONG.items():
            with pytest.raises(ValidationError) as caught:
                call(handle)
            assert words in caught.value.message, way
            assert isinstance(caught.value, TypeError), way
            assert caught.value.hint, way


def test_what_is_checked_follows_from_annotations() -> None:
    """Numbers may be whole where any will do; what is not annotated, or may be anything, is not looked at."""

    def plain(size: float, of: Any = None, *others: int, unknown=(), **more: str) -> float:  # type: ignore[no-untyped-def]
        del of, others, unknown, more
        return size

    measured: Any = checks_types(plain)
    assert measured(5, object(), "x", unknown=5, other=5) == 5
    with pytest.raises(TypeError, match="size must be a number, not str") as caught:
        measured("5")
    assert "plain(size: float" in caught.value.hint  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        measured()
    check_types(measured, {"nobody": 5})


CONTRADICTIONS = {
    "documents removed": "DELETE FROM documents",
    "a state that cannot be": "UPDATE documents SET state = 'zombie'",
    "a collection that cannot be": "UPDATE documents SET collection_id = 'no/where'",
    "an id that leads elsewhere": "UPDATE documents SET document_id = '../../x' WHERE key = 'one.txt'",
    "a version that is text": "UPDATE documents SET version = 'x'",
    "a version that is none": "UPDATE documents SET version = 99",
    "versions removed": "DELETE FROM versions",
    "places without text": "UPDATE locations SET uri = x'ff00'",
    "a column dropped": "ALTER TABLE locations DROP COLUMN parsers",
    "a table dropped": "DROP TABLE words_data",
}


@pytest.mark.parametrize("way", CONTRADICTIONS)
def test_a_contradicting_catalogue_is_an_error_of_ours(handle: WorkspaceHandle, way: str) -> None:
    """Whatever is asked of a catalogue that was changed by hand fails with an `IngestError` and a hint, or works."""
    document_id = handle.documents[0].document_id
    with sqlite3.connect(handle.workspace.layout.catalogue) as catalogue:
        catalogue.execute(CONTRADICTIONS[way])
    calls: tuple[Callable[[], object], ...] = (
        lambda: handle.documents, lambda: handle.sources, lambda: handle.jobs, lambda: handle.search("walrus"),
        lambda: handle.text(document_id), lambda: handle.text("two.txt"),
        lambda: handle.register("default", IngestedDocument("the walrus of one", "u", "s")),
        lambda: handle.register("default", IngestedDocument("another walrus", "file:///two.txt", "s")),
        lambda: handle.add_source("again", path="/nowhere"), lambda: handle.sync("again"),
    )  # fmt: skip
    for call in calls:
        error = failure_of(call)
        assert error is None or error.hint, error


def failure_of(call: Callable[[], object]) -> IngestError | None:
    """Return the error of ours that a call raises; None when it works."""
    try:
        call()
    except IngestError as error:
        return error
    return None


def test_a_key_error_is_explained(handle: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare KeyError comes out as the contradiction that it follows from; without one it stays what it is."""

    def missing(*_arguments: object, **_values: object) -> object:
        raise KeyError("gone")

    assert handle.documents  # what was not opened is no reason for anything
    monkeypatch.setattr("ingest_tui.services.documents.documents.list_documents", missing)
    with pytest.raises(KeyError):
        _ = handle.documents
    with sqlite3.connect(handle.workspace.layout.catalogue) as catalogue:
        catalogue.execute("DELETE FROM documents")
    with pytest.raises(IngestError, match="contradicts itself") as caught:
        _ = handle.documents
    assert "rebuild" in caught.value.hint
