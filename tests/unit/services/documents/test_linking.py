"""Links between the documents of a workspace, from the files to the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.cli.main import run
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.export import Export
from ingest_tui.services.documents.links import broken_links, document_links, incoming_links
from ingest_tui.services.workspaces import rebuild

GUIDE = """# Guide

See [the set-up](setup.md#first), [the site](https://example.org/), ![a picture](picture.png) and [what was](gone.md).
"""
FILES = {
    "guide/start.md": GUIDE,
    "guide/setup.md": "# Set up\n\nBack to [the guide](start.md).\n",
    "index.html": "<html><body><p><a href='guide/start.md'>Begin here</a></p></body></html>",
    "guide/picture.png": "no picture",
}


class Desk:
    """A workspace with a folder of linked files."""

    def __init__(self, home: Path, handle: WorkspaceHandle) -> None:
        self.docs, self.handle, self.workspace = home / "docs", handle, handle.workspace
        for name, text in FILES.items():
            (self.docs / name).parent.mkdir(parents=True, exist_ok=True)
            (self.docs / name).write_text(text)
        handle.add_source("docs", path=str(self.docs))
        self.sync()

    def sync(self) -> None:
        """Sync the folder; a file that is no picture is an item that failed."""
        self.handle.sync("docs")

    def id_of(self, name: str) -> str:
        """Return the document of a file."""
        return next(one.document_id for one in self.handle.documents if one.key == name)

    def links(self, name: str) -> dict[str, tuple[str, str | None]]:
        """Return where the links of a file lead: target → state and document."""
        found = document_links(self.workspace, self.id_of(name))
        return {one.link.target: (one.state, one.document_id) for one in found}

    def incoming(self, name: str) -> dict[str, str]:
        """Return which documents link to a file, and with which text."""
        found = incoming_links(self.workspace, self.id_of(name))
        return {one.source.key: one.resolved.link.text for one in found.links}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A folder with links, synced."""
    with open_workspace(tmp_path / "ws") as handle:
        yield Desk(tmp_path, handle)


def test_links_lead_where_their_files_are(desk: Desk) -> None:
    """Each link has its text and the place that it has in the kept text, and what it leads to."""
    assert desk.links("guide/start.md") == {
        "setup.md#first": ("document", desk.id_of("guide/setup.md")),
        "https://example.org/": ("external", None),
        "picture.png": ("item", None),
        "gone.md": ("broken", None),
    }
    assert desk.incoming("guide/start.md") == {"guide/setup.md": "the guide", "index.html": "Begin here"}
    text = desk.handle.text(desk.id_of("guide/start.md"))
    for one in document_links(desk.workspace, desk.id_of("guide/start.md")):
        assert one.link.start is not None
        assert text.startswith(f"[{one.link.text}]({one.link.target})", one.link.start)
    broken = broken_links(desk.workspace)
    assert [(one.source.key, one.resolved.link.target) for one in broken.links] == [("guide/start.md", "gone.md")]


def test_a_link_that_was_broken_is_none_once_its_target_comes(desk: Desk) -> None:
    """Nothing that was resolved is kept: what comes and goes is seen at once, without reading the linking file."""
    (desk.docs / "guide/gone.md").write_text("It is here.")
    desk.sync()
    assert broken_links(desk.workspace).links == []
    assert list(desk.incoming("guide/gone.md")) == ["guide/start.md"]
    remove_documents(desk.workspace, [desk.id_of("guide/gone.md")])
    assert desk.links("guide/start.md")["gone.md"][0] != "document"


def test_links_follow_documents_that_move(desk: Desk) -> None:
    """A target that moved alone is still linked to, and so are those of a file that moved itself, or of both."""
    setup = desk.id_of("guide/setup.md")
    (desk.docs / "guide/setup.md").rename(desk.docs / "setup-of-old.md")
    desk.sync()
    assert desk.id_of("setup-of-old.md") == setup
    assert desk.links("guide/start.md")["setup.md#first"] == ("document", setup)
    assert "guide/start.md" in desk.incoming("setup-of-old.md")
    shutil.move(desk.docs / "guide", desk.docs / "manual")
    desk.sync()
    assert desk.links("manual/start.md")["setup.md#first"] == ("document", setup)
    assert desk.links("index.html")["guide/start.md"] == ("document", desk.id_of("manual/start.md"))
    assert desk.incoming("manual/start.md") == {"setup-of-old.md": "the guide", "index.html": "Begin here"}


def test_links_survive_a_rebuild_and_records_of_earlier_programs(desk: Desk) -> None:
    """They are in the records; of old ones the targets alone are known."""
    store = desk.workspace.document_store
    folder = store.folder("default", desk.id_of("guide/start.md"), 1)
    record = orjson.loads((folder / "ingestion.json").read_bytes())
    record["links"] = [one["target"] for one in record["links"]]
    (folder / "ingestion.json").write_bytes(orjson.dumps(record))
    rebuild(desk.workspace)
    assert desk.links("guide/start.md")["setup.md#first"][0] == "document"
    assert [one.link.text for one in document_links(desk.workspace, desk.id_of("guide/start.md"))] == [""] * 4


def test_a_record_that_cannot_be_read_is_named(desk: Desk) -> None:
    """Its links are missing, and whoever asks is told so."""
    document_id = desk.id_of("guide/start.md")
    folder = desk.workspace.document_store.folder("default", document_id, 1)
    (folder / "ingestion.json").write_text("{")
    assert broken_links(desk.workspace).unreadable == [document_id]


def test_a_link_leads_to_the_document_of_its_own_collection(desk: Desk) -> None:
    """Two collections may have a document of one address each."""
    add_collection(desk.workspace, "other")
    desk.handle.add_source("again", path=str(desk.docs), collection="other")
    desk.handle.sync("again")
    for collection in ("default", "other"):
        mine = {one.key: one.document_id for one in desk.handle.documents if one.collection_id == collection}
        found = document_links(desk.workspace, mine["guide/start.md"])
        assert found[0].document_id == mine["guide/setup.md"]


def test_links_of_registered_texts_and_exports(desk: Desk) -> None:
    """What scripts register has links too; an export has them as they are resolved now."""
    address = (desk.docs / "guide/setup.md").as_uri()
    desk.handle.register("default", IngestedDocument(f"Read [this]({address}).", "note-1", "script"))
    assert desk.incoming("guide/setup.md")["default/note-1"] == "this"
    lines = [json.loads(line) for line in Export(desk.workspace, form="jsonl").lines()]
    (guide,) = [line for line in lines if line["document"]["key"] == "guide/start.md"]
    assert [one["state"] for one in guide["links"]] == ["document", "external", "item", "broken"]
    assert guide["links"][0]["document_id"] == desk.id_of("guide/setup.md")


def test_the_command_prints_links(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of a document, those that lead to it, and the broken ones of all."""
    command = ["-w", str(desk.workspace.root), "doc", "links"]
    guide = str(desk.docs / "guide/start.md")
    assert run([*command, guide]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["STATE", "document", "external", "item", "broken"]
    assert run([*command, guide, "--broken", "--json"]) == 0
    assert [one["target"] for one in json.loads(capsys.readouterr().out)["links"]] == ["gone.md"]
    assert run([*command, guide, "--incoming"]) == 0
    assert "Begin here" in capsys.readouterr().out
    assert run([*command, "--broken", "--json"]) == 0
    (broken,) = json.loads(capsys.readouterr().out)["links"]
    assert (broken["source_uri"], broken["target"], broken["state"]) == (f"file://{guide}", "gone.md", "broken")
    for wrong in ([], ["--incoming"], [guide, "--incoming", "--broken"], [guide, "--collection", "default"]):
        assert run([*command, *wrong]) == 2
