"""Exports: what is in them, where they may be written, and what an interrupted or damaged one leaves behind."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import IngestedDocument, compute_content_hash, open_workspace
from ingest_tui.model.errors import NotFoundError, RefusedError, UsageError
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents.documents import ingestion_record, list_documents, remove_documents
from ingest_tui.services.documents.export import Export, ExportFormat, document_content, export_document

TEXTS = {"rain.md": "# Rain\n\nIt rained.\n", "../../snow.md": "It snowed: \u202e\x9b31m\x7f日本\n", "=wind()": "wind"}


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with three documents in ``default`` and one in ``other``."""
    with open_workspace(tmp_path / "workspace") as opened:
        for name, text in TEXTS.items():
            opened.register("default", IngestedDocument(content=text, unique_id=name, source_type="api"))
        add_collection(opened.workspace, "other")
        opened.register("other", IngestedDocument(content="elsewhere", unique_id="x", source_type="api"))
        yield opened


def lines_of(handle: WorkspaceHandle, form: ExportFormat = "jsonl", **choice: Any) -> list[str]:
    """Return the lines of an export to nowhere."""
    return list(Export(handle.workspace, form=form, **choice).lines())


def last_audit(handle: WorkspaceHandle) -> dict[str, Any]:
    """Return the newest line of the audit log."""
    return list(handle.workspace.audit.entries())[-1]


def test_a_line_has_all_that_is_known_and_the_text(handle: WorkspaceHandle) -> None:
    """Each line of JSON is the document, its ingestion record and the very text that its hash was made of."""
    records = [json.loads(line) for line in lines_of(handle, collection_id="default")]
    assert [record["document"]["uri"] for record in records] == sorted(TEXTS)
    for record in records:
        assert record["text"] == TEXTS[record["document"]["uri"]]
        assert compute_content_hash(record["text"]) == record["document"]["content_hash"]
        assert record["ingestion"] == ingestion_record(handle.workspace, record["document"]["document_id"])


def test_no_line_acts_on_a_terminal(handle: WorkspaceHandle) -> None:
    """What acts on a terminal is escaped in JSON and CSV alike, and nothing else is."""
    for form in ("jsonl", "csv"):
        for line in lines_of(handle, form):
            assert line.endswith("\n")
            assert not any(mark in line[:-1] for mark in "\n\x9b\x7f\u202e")
    assert "日本" in "".join(lines_of(handle))


def test_a_choice_is_kept(handle: WorkspaceHandle) -> None:
    """Only the documents of the named collection and source are exported; unknown ones are refused."""
    assert len(lines_of(handle)) == len(TEXTS) + 1
    assert len(lines_of(handle, collection_id="other")) == 1
    with pytest.raises(NotFoundError):
        Export(handle.workspace, form="jsonl", collection_id="nowhere")
    with pytest.raises(NotFoundError):
        Export(handle.workspace, form="jsonl", source_id="nobody")


def test_retired_documents_are_not_exported(handle: WorkspaceHandle) -> None:
    """What is in the trash stays out."""
    remove_documents(handle.workspace, [list_documents(handle.workspace, contains="rain")[0].document_id])
    assert "rain" not in "".join(lines_of(handle))


def test_a_cell_is_never_a_formula(handle: WorkspaceHandle) -> None:
    """A table has one row a document, and what a spreadsheet would compute is behind an apostrophe."""
    rows = list(csv.DictReader(io.StringIO("".join(lines_of(handle, "csv", collection_id="default")))))
    assert [row["key"] for row in rows] == [f"default/{name}" for name in sorted(TEXTS)]
    assert [row["title"] for row in rows] == ["snow.md", "'=wind()", "rain.md"]
    assert not any((value or "").startswith(tuple("=+-@\t\r")) for row in rows for value in row.values())


def test_a_folder_has_a_file_for_each_text(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """The index names a file for each document, and the file is its text to the byte."""
    report = Export(handle.workspace, form="folder").write(tmp_path / "out")
    index = [json.loads(line) for line in (tmp_path / "out" / "index.jsonl").read_text().splitlines()]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"index.jsonl", *(line["file"] for line in index)}
    assert report.documents == len(index) == len(TEXTS) + 1
    for line in index:
        path = tmp_path / "out" / line["file"]
        assert compute_content_hash(path.read_bytes()) == line["document"]["content_hash"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert report.bytes == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())


def test_names_that_begin_alike_do_not_meet(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Two documents of one name whose short ids are equal get their whole ids."""
    first, second = "0" * 25 + "a", "0" * 25 + "b"
    catalogue = handle.workspace.catalogue
    for document_id, uri in ((first, "rain.md"), (second, "../../snow.md")):
        old = catalogue.value("SELECT document_id FROM documents WHERE uri = ?", (uri,))
        folder = handle.workspace.layout.document("default", old)
        target = handle.workspace.layout.document("default", document_id)
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
        catalogue.execute("UPDATE documents SET document_id = ?, file_name = 'same' WHERE uri = ?", (document_id, uri))
    Export(handle.workspace, form="folder", collection_id="default").write(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {f"same--{second[:12]}.md", f"same--{first}.md"} < names or {
        f"same--{first[:12]}.md",
        f"same--{second}.md",
    } < names


@pytest.mark.parametrize("form", ["jsonl", "csv", "folder"])
def test_what_is_there_is_kept_unless_it_is_to_be_replaced(
    handle: WorkspaceHandle, tmp_path: Path, form: ExportFormat
) -> None:
    """A second export to the same place is refused, and replaces the first when that is asked for."""
    target = tmp_path / "out"
    Export(handle.workspace, form=form).write(target)
    with pytest.raises(RefusedError):
        Export(handle.workspace, form=form).write(target)
    handle.register("other", IngestedDocument(content="one more", unique_id="y", source_type="api"))
    report = Export(handle.workspace, form=form).write(target, replace=True)
    index = (target / "index.jsonl" if form == "folder" else target).read_text()
    assert len(index.splitlines()) - (form == "csv") == report.documents == len(TEXTS) + 2
    assert {path.name for path in tmp_path.iterdir()} == {"out", "workspace"}, "something temporary was left"


def test_a_folder_of_other_things_is_never_replaced(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Even when told to replace it, a folder that holds anything else than an export stays."""
    target = tmp_path / "home"
    Export(handle.workspace, form="folder").write(target)
    (target / "precious.txt").write_text("mine")
    with pytest.raises(RefusedError, match="other things"):
        Export(handle.workspace, form="folder").write(target, replace=True)
    assert (target / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ("jsonl", "workspace"),
        ("jsonl", "workspace/audit.jsonl"),
        ("jsonl", "link/out.jsonl"),
        ("folder", "workspace/documents/out"),
        ("folder", "."),
        ("jsonl", "folder"),
        ("folder", "file"),
        ("jsonl", "pipe"),
        ("jsonl", "/dev/null"),
    ],
)
def test_places_where_no_export_can_be(handle: WorkspaceHandle, tmp_path: Path, form: ExportFormat, place: str) -> None:
    """The workspace, what holds it, links into it, and what is no plain file or folder are refused, also by force."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("workspace")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError):
        Export(handle.workspace, form=form).write(tmp_path / place, replace=True)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_a_missing_folder_is_named(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """An export does not make the folders above its place."""
    with pytest.raises(NotFoundError, match="there is no folder"):
        Export(handle.workspace, form="jsonl").write(tmp_path / "a" / "b")


@pytest.mark.parametrize("form", ["jsonl", "folder"])
def test_a_failed_export_leaves_the_old_one(
    handle: WorkspaceHandle, tmp_path: Path, form: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full the place holds what it held before, nothing temporary stays, and the audit log says so."""
    target = tmp_path / "out"
    Export(handle.workspace, form=form).write(target)
    before = {path: path.read_bytes() for path in tmp_path.glob("out/*")} or target.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ingest_tui.store.fs.atomic.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        Export(handle.workspace, form=form).write(target, replace=True)
    assert before == ({path: path.read_bytes() for path in tmp_path.glob("out/*")} or target.read_bytes())
    assert {path.name for path in tmp_path.iterdir()} == {"out", "workspace"}
    assert (last_audit(handle)["target"], last_audit(handle)["outcome"]) == (str(target), "interrupted")


def test_a_damaged_document_is_left_out_and_told(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """One unreadable document costs itself; the report and the audit log count it."""
    damaged = list_documents(handle.workspace, contains="rain")[0]
    folder = handle.workspace.layout.version("default", damaged.document_id, 1)
    (folder / "normalized.md").unlink()
    report = Export(handle.workspace, form="jsonl").write(tmp_path / "out")
    assert (report.documents, report.left_out_total) == (len(TEXTS), 1)
    assert report.left_out[0]["document_id"] == damaged.document_id
    assert last_audit(handle)["details"]["left_out"] == 1


def test_exports_are_in_the_audit_log(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Who took what out, where to and whether it came to its end is reported, for one document too."""
    Export(handle.workspace, form="csv", collection_id="default").write(tmp_path / "out.csv")
    line = last_audit(handle)
    assert (line["action"], line["target"], line["outcome"]) == ("export", str(tmp_path / "out.csv"), "done")
    assert line["details"] == {"format": "csv", "documents": 3, "left_out": 0, "collection_id": "default"}
    stream = Export(handle.workspace, form="jsonl").lines()
    next(stream)
    del stream
    assert (last_audit(handle)["target"], last_audit(handle)["outcome"]) == ("stdout", "interrupted")
    document_id = list_documents(handle.workspace)[0].document_id
    export_document(handle.workspace, document_id, tmp_path / "one")
    assert (last_audit(handle)["action"], last_audit(handle)["target"]) == ("document.export", document_id)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_documents(handle: WorkspaceHandle) -> None:
    """Fifty documents of 200 kB are streamed without holding more than a few of them."""
    for number in range(50):
        text = f"number {number} " + "x" * 200_000
        handle.register("other", IngestedDocument(content=text, unique_id=f"{number}", source_type="api"))
    tracemalloc.start()
    try:
        for line in Export(handle.workspace, form="jsonl", collection_id="other").lines():
            del line
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000, peak


@pytest.mark.parametrize(("what", "name"), [("text", "normalized.md"), ("raw", "raw.md"), ("record", "ingestion.json")])
def test_one_document_comes_out_as_it_is_kept(handle: WorkspaceHandle, tmp_path: Path, what: Any, name: str) -> None:
    """The text and the raw file of a version are written byte for byte, the record with the same values."""
    document_id = str(handle.register("other", IngestedDocument(TEXTS["../../snow.md"], "z", "api"))["document_id"])
    handle.register("other", IngestedDocument("a second version", "z", "api"))
    kept = (handle.workspace.layout.version("other", document_id, 1) / name).read_bytes()
    told = export_document(handle.workspace, document_id, tmp_path / "one", what=what, version=1)
    written = (tmp_path / "one").read_bytes()
    assert (told["bytes"], told["version"]) == (len(written), 1)
    assert (json.loads(written) == json.loads(kept)) if what == "record" else (written == kept)
    if what == "text":
        assert b"".join(document_content(handle.workspace, document_id).pieces) == b"a second version"


def test_one_document_is_not_written_over_another_file(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """An existing file is refused, a missing document or version is reported, and then nothing is written."""
    document_id = list_documents(handle.workspace)[0].document_id
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(RefusedError):
        export_document(handle.workspace, document_id, tmp_path / "mine")
    with pytest.raises(NotFoundError):
        export_document(handle.workspace, document_id, tmp_path / "new", version=9)
    with pytest.raises(NotFoundError):
        export_document(handle.workspace, "no such document", tmp_path / "new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "new").exists()
