"""Pages, offsets and sizes of chunks, from the parser through the catalogue and back out of the folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.document import Chunk
from ingest_tui.model.errors import StoreError
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.documents import (
    document_chunks,
    document_text,
    remove_documents,
    restore_document,
)
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store.chunk_tokens import Tokens
from ingest_tui.store.verify import verify_store
from tests.copied_workspace import copied_workspace
from tests.made_files import pdf_of, pdf_pages
from tests.made_tokenizers import TOKENIZERS, write_tokenizer

PAGES = ["Apples are round " * 30, "", "Pears are long " * 30]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a PDF of three pages and a text that is too large to be cut by the parser."""
    home = tmp_path_factory.mktemp("synced")
    docs = home / "docs"
    docs.mkdir()
    (docs / "fruit.pdf").write_bytes(pdf_of(pdf_pages(*PAGES)))
    (docs / "large.md").write_text("# Long\n\n" + "word " * 60_000)
    with open_workspace(home / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        handle.sync("docs")
    return home


@pytest.fixture
def workspace(synced: Path, tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A copy of that workspace."""
    with copied_workspace(synced / "ws", tmp_path / "ws") as handle:
        yield handle


@pytest.fixture
def docs(synced: Path) -> Iterator[Path]:
    """The folder of its source; what a test adds there is taken away again."""
    before = set(synced.joinpath("docs").iterdir())
    yield synced / "docs"
    for path in set(synced.joinpath("docs").iterdir()) - before:
        path.unlink()


def all_chunks(workspace: WorkspaceHandle) -> dict[str, list[Chunk]]:
    return {one.document_id: document_chunks(workspace.workspace, one.document_id) for one in workspace.documents}


def test_chunks_know_their_page_and_their_place_in_the_text(workspace: WorkspaceHandle) -> None:
    """Hits and chunks name the page, and the offsets at which the kept text has their words."""
    (hit,) = workspace.search("pears")
    assert (hit.page, hit.title) == (3, "fruit.pdf")
    text = workspace.text(hit.document_id)
    assert hit.start is not None
    assert text[hit.start : hit.end] == hit.text
    for document_id, chunks in all_chunks(workspace).items():
        text = workspace.text(document_id)
        assert [text[chunk.start : chunk.end] for chunk in chunks] == [chunk.text for chunk in chunks]


def test_chunks_are_the_same_after_a_rebuild_and_out_of_the_trash(workspace: WorkspaceHandle) -> None:
    """Pages are kept with each version, so that what is read from the folders is as what was ingested."""
    before = all_chunks(workspace)
    rebuild(workspace.workspace)
    assert all_chunks(workspace) == before
    remove_documents(workspace.workspace, list(before))
    for document_id in before:
        restore_document(workspace.workspace, document_id)
    assert all_chunks(workspace) == before


def test_registered_texts_have_offsets_and_no_pages(workspace: WorkspaceHandle) -> None:
    """What a script hands over is one text."""
    document = IngestedDocument("# Plums\n\nPlums are blue", "plums", "script")
    document_id = workspace.register("default", document)["document_id"]
    (chunk,) = document_chunks(workspace.workspace, document_id)
    assert (chunk.page, chunk.start, chunk.end) == (None, 9, 23)


def test_a_forced_sync_adds_the_pages_that_an_earlier_program_did_not_know(workspace: WorkspaceHandle) -> None:
    """A document that was ingested without pages gets them when it is read again on request, and only then."""
    fruit = next(one for one in workspace.documents if one.file_name == "fruit.pdf")
    store = workspace.workspace.document_store
    folder = store.folder(fruit.collection_id, fruit.document_id, 1)
    record = orjson.loads((folder / "ingestion.json").read_bytes())
    del record["page_starts"]
    (folder / "ingestion.json").write_bytes(orjson.dumps(record))
    rebuild(workspace.workspace)
    assert {hit.page for hit in workspace.search("pears")} == {None}
    workspace.sync("docs", force=True)
    assert {(hit.page, hit.version) for hit in workspace.search("pears")} == {(3, 2)}
    assert {one.version for one in workspace.documents if one.file_name != "fruit.pdf"} == {1}


# What a collection says of its chunks


def prefer(workspace: WorkspaceHandle, **preferences: Any) -> None:
    """Write preferences into the file of the collection, as a person does with an editor."""
    path = workspace.workspace.layout.collection("default")
    record = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps(record | {"preferences": preferences}))


def largest(workspace: WorkspaceHandle) -> int:
    """Return how many characters the largest chunk has."""
    return max(len(chunk.text) for chunks in all_chunks(workspace).values() for chunk in chunks)


def test_chunks_have_the_size_that_their_collection_wants(workspace: WorkspaceHandle, docs: Path) -> None:
    """What is there stays until a rebuild; what comes, returns or is registered is cut as the collection says."""
    before = all_chunks(workspace)
    prefer(workspace, chunk_size=300, chunk_overlap=60)
    (docs / "new.md").write_text("Plums are blue. " * 100)
    workspace.sync("docs")
    after = all_chunks(workspace)
    assert {name: after[name] for name in before} == before
    (new,) = set(after) - set(before)
    assert 150 < max(len(chunk.text) for chunk in after[new]) <= 300
    assert after[new][1].text.startswith("Plums are blue. ")
    assert (after[new][0].end or 0) - (after[new][1].start or 0) == 47  # three whole sentences
    document_id = workspace.register("default", IngestedDocument("Cherries are red. " * 99, "c", "script"))[
        "document_id"
    ]
    assert max(len(chunk.text) for chunk in document_chunks(workspace.workspace, document_id)) <= 300
    fruit = next(one.document_id for one in workspace.documents if one.file_name == "fruit.pdf")
    remove_documents(workspace.workspace, [fruit])
    restore_document(workspace.workspace, fruit)
    assert max(len(chunk.text) for chunk in all_chunks(workspace)[fruit]) <= 300
    then = all_chunks(workspace)
    rebuild(workspace.workspace)
    rebuilt = all_chunks(workspace)
    assert largest(workspace) <= 300
    assert {name for name in rebuilt if rebuilt[name] != then[name]} == set(before) - {fruit}
    assert verify_store(workspace.workspace.layout, workspace.workspace.catalogue) == []


def test_a_forced_sync_cuts_what_is_there_by_the_new_rules(workspace: WorkspaceHandle) -> None:
    """Other chunks are a version of their own, so that no id of a chunk gets another text; once is enough."""
    prefer(workspace, chunk_size=300)
    workspace.sync("docs", force=True)
    assert largest(workspace) <= 300
    assert {one.version for one in workspace.documents} == {2}
    workspace.sync("docs", force=True)
    assert {one.version for one in workspace.documents} == {2}


def test_rows_are_texts_by_the_columns_that_the_collection_chose(workspace: WorkspaceHandle, docs: Path) -> None:
    """A sync, a forced one that comes after it, and a rebuild make the same texts of rows; the table stays readable."""
    prefer(workspace, text_columns=["note"], context_columns=["place"])
    (docs / "a.csv").write_text("id,place,note\n1,Ulm,pears\n2,Bonn,plums\n")
    workspace.sync("docs")
    (table,) = [one for one in workspace.documents if one.file_name == "a.csv"]
    texts = [chunk.text for chunk in document_chunks(workspace.workspace, table.document_id)]
    assert texts == ["place: Ulm\nnote: pears\n\nplace: Bonn\nnote: plums"]
    assert "| 2 | Bonn | plums |" in document_text(workspace.workspace, table.document_id)
    workspace.sync("docs", force=True)
    assert [one.version for one in workspace.documents if one.file_name == "a.csv"] == [1]
    rebuild(workspace.workspace)
    assert [chunk.text for chunk in document_chunks(workspace.workspace, table.document_id)] == texts


@pytest.mark.slow
def test_chunks_are_counted_in_tokens(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """The tokenizer is a file that the collection names; where it shortens texts for its model, that does not count."""
    tokenizer = write_tokenizer(tmp_path / "tokenizer.json", "words")
    prefer(workspace, chunk_unit="tokens", chunk_size=64, tokenizer=str(tokenizer))
    workspace.sync("docs", force=True)
    tokens = Tokens(TOKENIZERS["words"])
    sizes = [tokens.size(chunk.text) for chunks in all_chunks(workspace).values() for chunk in chunks]
    assert 40 < max(sizes) <= 64
    assert all_chunks(workspace)
    before = all_chunks(workspace)
    rebuild(workspace.workspace)
    assert all_chunks(workspace) == before


@pytest.mark.parametrize("damage", ["missing", "damaged", "folder", "pipe"])
def test_a_tokenizer_that_cannot_be_used_fails_the_job_and_not_a_rebuild(
    workspace: WorkspaceHandle, tmp_path: Path, damage: str
) -> None:
    """The job says which file and what to do; a rebuild is needed all the same, and reports what it did."""
    tokenizer = tmp_path / "tokenizer.json"
    if damage == "damaged":
        tokenizer.write_text('{"model": ')
    elif damage == "folder":
        tokenizer.mkdir()
    elif damage == "pipe":
        os.mkfifo(tokenizer)
    prefer(workspace, chunk_unit="tokens", chunk_size=64, tokenizer=str(tokenizer))
    manifest = workspace.sync("docs")
    assert manifest.state == "failed"
    (error,) = manifest.errors
    assert error.code == "tokenizer_unusable"
    assert "tokenizer.json" in error.message
    assert "preferences.tokenizer" in error.hint
    (problem,) = rebuild(workspace.workspace).problems
    assert problem.folder == "collections/default.json"
    assert "usual size" in problem.reason
    assert workspace.search("pears")


@pytest.mark.parametrize(
    ("preferences", "named"),
    [
        ({"chunk_size": 20}, "chunk_size must be from 200 to 100000 characters, not 20"),
        ({"chunk_size": "300"}, "chunk_size"),
        ({"chunk_size": True}, "chunk_size"),
        ({"chunk_overlap": -1}, "chunk_overlap"),
        ({"chunk_overlap": 900}, "at most half of chunk_size, 750, not 900"),
        ({"chunk_unit": "words"}, "chunk_unit"),
        ({"chunk_unit": "tokens"}, "needs tokenizer"),
        ({"chunk_unit": "tokens", "tokenizer": "models/t.json"}, "begins with /"),
    ],
)
def test_impossible_preferences_are_refused_by_their_name(
    workspace: WorkspaceHandle, preferences: dict[str, Any], named: str
) -> None:
    """Whoever edited the file reads which key is wrong and what it may be; nothing is ingested meanwhile."""
    prefer(workspace, **preferences)
    with pytest.raises(StoreError, match=re.escape(named)) as refused:
        workspace.workspace.collections.get("default")
    assert "collections/default.json" in refused.value.message
    assert workspace.sync("docs").state == "failed"


def test_preferences_of_other_programs_are_kept(workspace: WorkspaceHandle) -> None:
    """Keys that this program does not know come back as they were when the collection is saved."""
    prefer(workspace, chunk_size=400, columns=["title"], later={"deep": [1]})
    collection = workspace.workspace.collections.get("default")
    workspace.workspace.collections.save(collection.model_copy(update={"description": "x"}), collection)
    kept = orjson.loads(workspace.workspace.layout.collection("default").read_bytes())["preferences"]
    assert kept["columns"] == ["title"]
    assert kept["later"] == {"deep": [1]}
    assert kept["chunk_size"] == 400
