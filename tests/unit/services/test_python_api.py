"""The Python API of the contract, as a script uses it."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydantic
import pytest

import ingest_tui
from ingest_tui import (
    BaseConnector,
    IngestedDocument,
    compute_content_hash,
    extract_text,
    get_connector,
    open_workspace,
    parse_document_content,
)
from ingest_tui.connectors.base import Listing
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError, ItemError, NotFoundError, SourceAccessError
from ingest_tui.model.source import Source
from ingest_tui.services.collections.collections import add_collection

ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class MemoryConnector(BaseConnector):
    """A source in memory: one page, texts by key."""

    source_type = "memory"

    class config_model(pydantic.BaseModel):  # noqa: N801 - the name is the contract
        """Its settings."""

        texts: dict[str, str]

    async def authenticate(self) -> bool:
        return True

    def list(self, cursor: str | None = None) -> Listing:
        yield ListingPage(
            [Descriptor(key, f"memory://{key}", key, len(text)) for key, text in self.config.texts.items()]
        )
        return ListingEnd(complete=True)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        text = self.config.texts[descriptor.key]
        if text == "gone":
            raise ItemError("it is gone", code="not_found")
        yield iter([text.encode()])


async def documents_of(connector: BaseConnector) -> list[IngestedDocument]:
    """Gather what a connector loads."""
    return [document async for document in connector.load_documents()]


def test_every_public_name_is_there() -> None:
    """The names of the contract can be imported from the package, are listed, and have docstrings."""
    for name in ingest_tui.__all__:
        thing = getattr(ingest_tui, name)
        if name != "__version__":
            assert inspect.getdoc(thing), name
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ingest_tui.nonsense


def test_content_hashes_ignore_line_ends_only() -> None:
    """Text hashes as UTF-8 with line feeds, bytes as they are, both as 64 lower-case hex digits."""
    assert compute_content_hash("abc") == compute_content_hash(b"abc") == ABC_SHA256
    assert compute_content_hash("a\r\nb\rc") == compute_content_hash("a\nb\nc")
    assert compute_content_hash(b"a\r\nb") != compute_content_hash(b"a\nb")
    assert compute_content_hash("é") == compute_content_hash("é".encode())
    assert compute_content_hash("a ") != compute_content_hash("a")


def test_documents_refuse_a_bad_hash() -> None:
    """An IngestedDocument computes its hash, and refuses one that is not 64 lower-case hex digits."""
    document = IngestedDocument("abc", "id", "memory")
    assert (document.content_hash, document.metadata, document.file_path) == (ABC_SHA256, {}, None)
    for bad in (
        "abc",
        ABC_SHA256.upper(),
        ABC_SHA256 + "0",
        ABC_SHA256[:-1] + "g",
        " " + ABC_SHA256[1:],
        ABC_SHA256 + "\n",
    ):
        with pytest.raises(IngestError, match="64"):
            IngestedDocument("abc", "id", "memory", content_hash=bad)


def test_parsing_from_memory_merges_metadata() -> None:
    """parse_document_content takes bytes or text, with or without the dot, and keeps the connector's metadata."""
    for extension in ("md", ".md", "MD"):
        elements = parse_document_content("# Title\n\nwords", extension, {"author": "me"})
        assert "words" in "\n".join(text for text, _ in elements)
        assert all(metadata["author"] == "me" for _, metadata in elements)
    assert parse_document_content(b"plain", "txt")
    assert "words" in extract_text(b"<html><body><h1>T</h1><p>words</p></body></html>", "html")
    with pytest.raises(ItemError):
        parse_document_content(bytes(range(256)) * 8, "bin")


def test_unknown_connectors_name_the_known_ones() -> None:
    """get_connector raises ValueError that lists the known types, and a ValidationError for wrong settings."""
    with pytest.raises(ValueError, match=r"'gopher'.*directory.*local"):
        get_connector("gopher", {})
    with pytest.raises(IngestError, match="path"):
        get_connector("local", {})
    with pytest.raises(IngestError, match="colour"):
        get_connector("local", {"path": "/", "colour": "red"})


def test_a_connector_of_ones_own_loads_documents() -> None:
    """A subclass of BaseConnector gets load_documents for nothing; an item that is gone is passed over."""
    connector = MemoryConnector({"texts": {"a.txt": "alpha", "b.txt": "gone", "c.md": "# Gamma"}})
    connector.validate_config()
    documents = asyncio.run(documents_of(connector))
    assert [(item.unique_id, item.content.strip(), item.source_type) for item in documents] == [
        ("memory://a.txt", "alpha", "memory"),
        ("memory://c.md", "# Gamma", "memory"),
    ]


def test_the_local_connector_loads_documents(tmp_path: Path) -> None:
    """The local connector yields each readable file once, with its path; what cannot be read is passed over."""
    (tmp_path / "a.txt").write_text("alpha")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)) * 8)
    connector = get_connector("directory", {"path": str(tmp_path)})
    [document] = asyncio.run(documents_of(connector))
    assert document.file_path == str(tmp_path / "a.txt")
    assert document.content_hash == compute_content_hash(document.content)
    with pytest.raises(SourceAccessError, match="does not exist"):
        asyncio.run(get_connector("local", {"path": str(tmp_path / "no")}).authenticate())


def test_connector_takes_a_bare_source_path(tmp_path: Path) -> None:
    """The legacy name of the folder works for the connector as it does for a source; with both, the new one counts."""
    assert get_connector("directory", {"source_path": str(tmp_path)}).config.path == str(tmp_path)
    with pytest.warns(UserWarning, match="path is used"):
        both = get_connector("directory", {"source_path": "/old", "path": str(tmp_path)})
    assert both.config.path == str(tmp_path)


def test_a_bare_source_path_is_a_directory_source() -> None:
    """The legacy form means a directory; given together with source_config it loses, with a warning."""
    legacy = {"source_id": "old", "name": "Old", "source_path": "/srv/docs"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = Source.model_validate(legacy)
    assert (source.source_type, source.source_config) == ("directory", {"path": "/srv/docs"})
    with pytest.warns(UserWarning, match="source_config is used"):
        both = Source.model_validate(legacy | {"source_config": {"path": "/other"}})
    assert both.source_config == {"path": "/other"}


def test_a_workspace_for_scripts(tmp_path: Path) -> None:
    """open_workspace makes a workspace, syncs a source, searches, and reads text again."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# Alpha\n\nsearchable words")
    with open_workspace(tmp_path / "ws") as workspace:
        assert (workspace.sources, workspace.jobs, workspace.documents) == ([], [], [])
        source = workspace.add_source("Docs", path=str(docs))
        manifest = workspace.sync(source.source_id)
        assert (manifest.state, manifest.counters.items_ingested) == ("succeeded", 1)
        [hit] = workspace.search("searchable")
        assert workspace.text(hit.document_id) == "# Alpha\n\nsearchable words"
        assert [document.title for document in workspace.documents] == ["Alpha"]
        with pytest.raises(NotFoundError):
            workspace.sync("nope")


def test_registering_is_idempotent(tmp_path: Path) -> None:
    """The same content in the same collection gives the same id, whatever it is called; changed content a version."""
    with open_workspace(tmp_path / "ws") as workspace:
        first = workspace.register("default", IngestedDocument("alpha words", "page-1", "wiki", {"title": "One"}))
        assert (first["is_new"], first["file_size"]) == (True, 11)
        again = workspace.register("default", IngestedDocument("alpha words", "page-1", "wiki"))
        assert again == first | {"is_new": False}
        changed = workspace.register("default", IngestedDocument("beta words", "page-1", "wiki"))
        assert (changed["is_new"], changed["document_id"]) == (True, first["document_id"])
        assert [hit.version for hit in workspace.search("beta")] == [2]
        assert workspace.search("alpha") == []
        assert workspace.text(first["document_id"], 1) == "alpha words"
        other = workspace.register("default", IngestedDocument("beta words", "page-2", "wiki"))
        assert other == changed | {"is_new": False}
        with pytest.raises(NotFoundError):
            workspace.register("nope", IngestedDocument("x", "y", "wiki"))


def test_registered_content_that_another_name_has_stays_with_that(tmp_path: Path) -> None:
    """As in a sync: a name whose content changes leaves a shared document to the others and gets one of its own."""
    with open_workspace(tmp_path / "ws") as workspace:
        first = workspace.register("default", IngestedDocument("alpha words", "page-1", "wiki"))
        workspace.register("default", IngestedDocument("alpha words", "page-2", "wiki"))
        changed = workspace.register("default", IngestedDocument("beta words", "page-1", "wiki"))
        assert changed["is_new"]
        assert changed["document_id"] != first["document_id"]
        assert [hit.document_id for hit in workspace.search("alpha")] == [first["document_id"]]
        assert [hit.document_id for hit in workspace.search("beta")] == [changed["document_id"]]


def test_what_was_registered_survives_a_rebuild(tmp_path: Path) -> None:
    """A registered document is in the catalogue that is made again from disk, as it was."""
    from ingest_tui.services.workspaces import rebuild

    with open_workspace(tmp_path / "ws") as workspace:
        workspace.register("default", IngestedDocument("alpha words", "page-1", "wiki", {"title": "One"}))
        before = (workspace.search("alpha"), workspace.documents)
        report = rebuild(workspace.workspace)
        assert (report.documents, report.problems) == (1, [])
        assert (workspace.search("alpha"), workspace.documents) == before


def test_a_retired_document_can_be_registered_again(tmp_path: Path) -> None:
    """Content whose document went to the trash is new again, and searchable."""
    from ingest_tui.services.documents.documents import remove_documents

    with open_workspace(tmp_path / "ws") as workspace:
        first = workspace.register("default", IngestedDocument("alpha words", "page-1", "wiki"))
        remove_documents(workspace.workspace, [first["document_id"]])
        assert workspace.search("alpha") == []
        assert workspace.register("default", IngestedDocument("alpha words", "page-1", "wiki"))["is_new"]
        assert len(workspace.search("alpha")) == 1


def _register(root: str, results: Any) -> None:
    with open_workspace(root) as workspace:
        results.put(workspace.register("default", IngestedDocument("raced words", "page", "wiki")))


@pytest.mark.slow
def test_racing_processes_register_once(tmp_path: Path) -> None:
    """Eight processes that register the same content at once get one id, and exactly one of them is the first."""
    open_workspace(tmp_path / "ws").close()
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    racers = [context.Process(target=_register, args=(str(tmp_path / "ws"), results)) for _ in range(8)]
    for racer in racers:
        racer.start()
    answers = [results.get(timeout=30) for _ in racers]
    for racer in racers:
        racer.join(10)
    assert sum(answer["is_new"] for answer in answers) == 1
    assert len({answer["document_id"] for answer in answers}) == 1
    with open_workspace(tmp_path / "ws") as workspace:
        assert len(workspace.documents) == len(workspace.search("raced")) == 1


def test_sync_shows_its_progress(tmp_path: Path) -> None:
    """`sync(progress=…)` calls back with the state of the job, at last with the ended one."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha")
    seen: list[str] = []
    with open_workspace(tmp_path / "workspace") as workspace:
        workspace.add_source("Docs", path=str(folder))
        workspace.sync("Docs", progress=lambda manifest: seen.append(manifest.state))
    assert seen[-1] == "succeeded"


def test_source_is_added_to_a_collection(tmp_path: Path) -> None:
    """`add_source(collection=…)` takes the name or the identifier of a collection, and refuses an unknown one."""
    (tmp_path / "docs").mkdir()
    with open_workspace(tmp_path / "workspace") as workspace:
        add_collection(workspace.workspace, "Our Papers")
        source = workspace.add_source("docs", path=str(tmp_path / "docs"), collection="Our Papers")
        assert source.collection_id == "our-papers"
        with pytest.raises(NotFoundError):
            workspace.add_source("more", path=str(tmp_path / "docs"), collection="nowhere")


def test_threads_share_one_workspace(tmp_path: Path) -> None:
    """One open workspace registers, searches, syncs and lists from nine threads at once."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("alpha words")
    with open_workspace(tmp_path / "ws") as workspace:
        workspace.add_source("docs", path=str(docs))

        def work(number: int) -> int:
            for turn in range(3):
                text = f"alpha {number} {turn}"
                workspace.register("default", IngestedDocument(text, f"{number}-{turn}", "script"))
                assert workspace.search("alpha")
                assert workspace.documents
                assert workspace.sources
                assert workspace.jobs is not None
            if number == 0:
                assert workspace.sync("docs").state == "succeeded"
            return number

        with ThreadPoolExecutor(9) as threads:
            assert list(threads.map(work, range(9))) == list(range(9))
        assert len(workspace.documents) == 28


_document: Any = IngestedDocument
"""The same for values that it does not take."""


@pytest.mark.parametrize(
    "call",
    [
        lambda workspace: workspace.search("alpha", limit=10**30),
        lambda workspace: workspace.search("alpha", limit="many"),
        lambda workspace: workspace.search(None),
        lambda workspace: workspace.search("alpha", collection_id=7),
        lambda workspace: workspace.text(None),
        lambda workspace: workspace.text("abc", version=10**30),
        lambda workspace: workspace.sync(None),
        lambda workspace: workspace.add_source(None),
        lambda workspace: workspace.register("default", None),
        lambda workspace: workspace.register(None, IngestedDocument("x", "y", "z")),
        lambda workspace: workspace.register("default", _document("x", "y", "z", metadata=None)),
        lambda workspace: workspace.register("default", _document(b"x", "y", "z")),
        lambda workspace: workspace.register("default", _document("x", 5, "z")),
        lambda workspace: workspace.register("default", IngestedDocument("x", "y", "z"), source_id=9),
    ],
)
def test_values_of_the_wrong_kind_are_clear_errors(tmp_path: Path, call: Callable[[Any], object]) -> None:
    """What a script gives that cannot be is refused with an error of ours and a hint, never a bare Python error."""
    with open_workspace(tmp_path / "ws") as workspace, pytest.raises(IngestError) as caught:
        call(workspace)
    assert caught.value.exit_code == 2
    assert caught.value.hint
