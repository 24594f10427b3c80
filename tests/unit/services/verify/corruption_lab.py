"""A workspace with content of all kinds, and what may happen to it: each corruption with the code that names it."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import orjson

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.embedders import add_embedder
from ingest_tui.services.embedding import choose_embedder, enqueue_embedding
from ingest_tui.services.jobs.jobs import enqueue_sync
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.engine import Engine
from tests.made_models import make_static_model

WORDS = ("quick", "invoice", "payment", "bucket", "gauge", "netto", "handbook", "policy")


def run_queue(workspace: Workspace) -> None:
    """Be a worker until nothing can be started any more."""
    with Engine(workspace) as engine:
        while engine.start_ready_jobs() or engine.running:
            engine.wait(5.0)


def make_workspace(home: Path) -> Path:
    """Make a workspace with versions, twins, moves, members, uploads, registered and retired documents, and vectors."""
    docs = home / "docs"
    docs.mkdir()
    for number, word in enumerate(WORDS[:6]):
        text = f"# Note {number}\n\nthe {word} of document {number}\n\n## More\n\nrain gauge\n"
        (docs / f"{number}.md").write_text(text)
    page = "<html><title>Policy</title><body><h1>Policy</h1><p>handbook policy</p></body></html>"
    (docs / "page.html").write_text(page)
    (docs / "table.csv").write_text("name,amount\nnetto,30\ninvoice,4711\n")
    (docs / "broken.docx").write_bytes(b"PK\x03\x04 no document")
    with zipfile.ZipFile(docs / "pack.zip", "w") as pack:
        pack.writestr("inside.md", "# Inside\n\nthe handbook in an archive\n")
    upload = home / "upload.txt"
    upload.write_text("a payment that somebody uploaded")
    make_static_model(home / "tiny")
    with open_workspace(home / "workspace") as handle:
        workspace = handle.workspace
        add_embedder(workspace, backend="static", name="tiny", settings={"path": str(home / "tiny")})
        choose_embedder(workspace, "default", "tiny", is_automatic=True)
        handle.add_source("docs", "local", path=str(docs))
        handle.sync("docs")
        (docs / "0.md").write_text("# Note 0\n\nthe quick second version\n")
        shutil.copy(docs / "1.md", docs / "twin.md")
        (docs / "2.md").rename(docs / "moved.md")
        (docs / "3.md").unlink()
        handle.sync("docs")
        handle.upload(upload)
        handle.register("default", IngestedDocument("a registered netto text", "script:1", "script"))
        removed = next(document for document in handle.documents if document.key == "4.md")
        remove_documents(workspace, [removed.document_id])
        enqueue_embedding(workspace, "default")
        run_queue(workspace)
        enqueue_sync(workspace, "docs")
    return home / "workspace"


@dataclass
class Place:
    """A copy of the workspace in which something is about to be damaged."""

    root: Path

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement as somebody does who has the file."""
        connection = apsw.Connection(str(self.root / "catalogue.db"))
        try:
            return list(connection.execute(statement, values))
        finally:
            connection.close()

    def folder(self, which: str) -> Path:
        """Return the folder of a document, by the end of its key."""
        [(document_id, collection_id, state)] = self.sql(
            "SELECT document_id, collection_id, state FROM documents WHERE key LIKE ? LIMIT 1", f"%{which}"
        )
        if state == "retired":
            return self.root / "trash" / str(collection_id) / str(document_id)
        return self.root / "documents" / str(collection_id) / str(document_id)[:2] / str(document_id)

    def version(self, which: str) -> Path:
        """Return the folder of a version: the newest of a document, or the one behind ``@``."""
        name, _, number = which.partition("@")
        folder = self.folder(name)
        return folder / (f"v{int(number):04d}" if number else max(p.name for p in folder.iterdir() if p.name[0] == "v"))

    def raw(self, which: str) -> Path:
        """Return the raw file of a version."""
        return next(self.version(which).glob("raw.*"))

    def job(self, kind: str = "sync") -> Path:
        """Return the folder of the first job of a kind that has ended."""
        manifests = [orjson.loads(path.read_bytes()) for path in sorted(self.root.glob("jobs/*/manifest.json"))]
        ended = [one for one in manifests if not (self.root / "queue" / one["job_id"]).exists()]
        return self.root / "jobs" / next(str(one["job_id"]) for one in ended if one["kind"] == kind)

    def queued(self) -> Path:
        """Return the folder of the job in the queue."""
        return self.root / "jobs" / next((self.root / "queue").iterdir()).name


class Corruption(NamedTuple):
    """What is done, and one of the codes of what is found then."""

    name: str
    code: str
    do: Callable[[Place], object]


def _changed_json(path: Path, **changes: Any) -> None:
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | changes))


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _without_member(path: Path, name: str) -> None:
    record = orjson.loads(path.read_bytes())
    del record[name]
    path.write_bytes(orjson.dumps(record))


def _without(folder: Path, *patterns: str) -> None:
    for path in [path for pattern in patterns for path in folder.glob(pattern)]:
        path.unlink()


def _without_line(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[number]
    path.write_bytes(b"".join(lines))


def _torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 9)


def _linked(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _old(path: Path) -> None:
    os.utime(path, (1, 1))


VERSION_DAMAGES: dict[str, tuple[str, Callable[[Place, str], object]]] = {
    "raw missing": ("version_damaged", lambda place, which: place.raw(which).unlink()),
    "raw flipped": ("version_damaged", lambda place, which: _flipped(place.raw(which))),
    "raw cut": ("version_damaged", lambda place, which: os.truncate(place.raw(which), 3)),
    "raw twice": ("version_damaged", lambda place, which: (place.version(which) / "raw.aa").write_text("another")),
    "text missing": ("version_damaged", lambda place, which: (place.version(which) / "normalized.md").unlink()),
    "text flipped": ("version_damaged", lambda place, which: _flipped(place.version(which) / "normalized.md")),
    "text empty": ("version_damaged", lambda place, which: (place.version(which) / "normalized.md").write_text("")),
    "record missing": ("version_damaged", lambda place, which: (place.version(which) / "ingestion.json").unlink()),
    "record cut": ("version_damaged", lambda place, which: os.truncate(place.version(which) / "ingestion.json", 40)),
    "record lacks origin": (
        "version_damaged", lambda place, which: _without_member(place.version(which) / "ingestion.json", "origin")),
    "record with another kind of key": (
        "version_damaged", lambda place, which: _changed_json(place.version(which) / "ingestion.json", key={})),
    "record with several sources": (
        "version_damaged",
        lambda place, which: _changed_json(place.version(which) / "ingestion.json", source_id=["x"])),
    "record of other bytes": (
        "version_damaged",
        lambda place, which: _changed_json(place.version(which) / "ingestion.json", raw_sha256="0" * 64)),
    "all but raw gone": (
        "version_damaged",
        lambda place, which: _without(place.version(which), "normalized.md", "ingestion.json")),
    "version missing": ("versions_differ", lambda place, which: shutil.rmtree(place.version(which))),
}  # fmt: skip
TARGETS = {"newest": "0.md", "earlier": "0.md@1", "moved": "moved.md", "member": "inside.md", "upload": "upload.txt",
           "registered": "script:1", "retired": "4.md"}  # fmt: skip
FOLDERS: list[Corruption] = [
    Corruption("folder missing", "folder_missing", lambda place: shutil.rmtree(place.folder("5.md"))),
    Corruption("folder of an upload missing", "folder_missing", lambda place: shutil.rmtree(
        place.folder("upload.txt"))),
    Corruption("folder of a retired one missing", "folder_missing", lambda place: shutil.rmtree(place.folder("3.md"))),
    Corruption("moved to the trash", "folder_missing", lambda place: place.folder("5.md").rename(
        place.root / "trash" / "default" / place.folder("5.md").name)),
    Corruption("moved out of the trash", "folder_missing", lambda place: _to_documents(place, "4.md")),
    Corruption("copied to the trash", "unknown_folder", lambda place: shutil.copytree(
        place.folder("5.md"), place.root / "trash" / "default" / place.folder("5.md").name)),
    Corruption("copied under another name", "unknown_folder", lambda place: shutil.copytree(
        place.folder("5.md"), place.folder("5.md").with_name("ab" * 13))),
    Corruption("an empty folder", "unknown_folder", lambda place: (
        place.root / "documents" / "default" / "zz" / ("zz" * 13)).mkdir(parents=True, mode=0o700)),
    Corruption("a file in a document", "unknown_file", lambda place: (
        place.folder("5.md") / "note.txt").write_text("x")),
    Corruption("a version set aside", "unknown_file", lambda place: shutil.copytree(
        place.version("5.md"), place.folder("5.md") / "v0001.incomplete.12345678")),
    Corruption("a file among collections", "unknown_file", lambda place: (
        place.root / "documents" / "notes.txt").write_text("x")),
    Corruption("a version that nobody knows", "versions_differ", lambda place: shutil.copytree(
        place.version("5.md"), place.folder("5.md") / "v0007")),
    Corruption("a write that was not ended", "leftover", lambda place: (
        place.folder("5.md") / ".tmp.document.json").write_text("{")),
    Corruption("retired.json in an active one", "retired_note_differs", lambda place: (
        place.folder("5.md") / "retired.json").write_text("{}")),
    Corruption("no retired.json", "retired_note_differs", lambda place: (
        place.folder("4.md") / "retired.json").unlink()),
    Corruption("retired.json cut", "retired_note_differs", lambda place: (
        place.folder("3.md") / "retired.json").write_text("{")),
    Corruption("document.json cut", "note_damaged", lambda place: (
        place.folder("moved.md") / "document.json").write_text("{")),
    Corruption("document.json missing", "noted_places_differ", lambda place: (
        place.folder("moved.md") / "document.json").unlink()),
    Corruption("document.json of a twin missing", "noted_places_differ", lambda place: (
        place.folder("1.md") / "document.json").unlink()),
    Corruption("a link in documents/", "planted_link", lambda place: _linked(place.folder("5.md"))),
    Corruption("raw is a link", "planted_link", lambda place: _linked(place.raw("5.md"))),
    Corruption("a link among records", "planted_link", lambda place: (
        place.root / "sources" / "x.json").symlink_to("/x")),
    Corruption("a pipe", "planted_link", lambda place: os.mkfifo(place.root / "documents" / "default" / "pipe", 0o600)),
]  # fmt: skip


def _to_documents(place: Place, which: str) -> None:
    folder = place.folder(which)
    target = place.root / "documents" / "default" / folder.name[:2] / folder.name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    folder.rename(target)


_CHUNK_TWICE = (
    "INSERT INTO chunks (document_id, ordinal, heading, text) SELECT document_id, ordinal, heading, text"
    " FROM chunks LIMIT 1"
)
_ROWS = {
    "place gone": ("document_without_place", "DELETE FROM locations WHERE key = '5.md'"),
    "primary place": ("primary_place_unknown", "UPDATE documents SET key = 'elsewhere' WHERE key = '5.md'"),
    "place of nobody": ("place_without_document", "UPDATE locations SET document_id = 'nobody' WHERE key = '5.md'"),
    "other collection": ("place_in_other_collection", "UPDATE locations SET collection_id = 'x' WHERE key = '5.md'"),
    "place renamed": ("primary_place_unknown", "UPDATE locations SET key = 'x.md' WHERE key = '5.md'"),
    "same bytes": ("same_content", "UPDATE documents SET raw_sha256 = 'x' WHERE key IN ('5.md', '0.md')"),
    "same text": ("same_content", "UPDATE documents SET content_hash = 'x' WHERE key IN ('5.md', '0.md')"),
    "same address": ("same_address", "UPDATE locations SET uri = 'file:///x' WHERE key IN ('5.md', '0.md')"),
    "chunks gone": ("chunks_differ", "DELETE FROM chunks"),
    "chunks of one gone": ("chunks_differ",
        "DELETE FROM chunks WHERE document_id = (SELECT document_id FROM documents WHERE key = '0.md')"),
    "chunk number": ("chunks_differ", "UPDATE documents SET chunks = 9 WHERE key = '5.md'"),
    "chunk of nobody": ("chunks_without_document", "UPDATE chunks SET document_id = 'nobody' WHERE ordinal = 1"),
    "chunk twice": ("chunks_differ", _CHUNK_TWICE),
    "chunk text": ("chunk_text_differs", "UPDATE chunks SET text = 'swordfish' WHERE ordinal = 1"),
    "words gone": ("full_text_differs", "DELETE FROM words WHERE rowid IN (SELECT id FROM chunks)"),
    "document gone": ("version_without_document", "DELETE FROM documents WHERE key = '5.md'"),
    "retired one gone": ("unknown_folder", "DELETE FROM documents WHERE key = '4.md'"),
    "all documents gone": ("contradiction", "DELETE FROM documents"),
    "all active": ("folder_missing", "UPDATE documents SET state = 'active'"),
    "retired": ("folder_missing", "UPDATE documents SET state = 'retired' WHERE key = '5.md'"),
    "neither": ("contradiction", "UPDATE documents SET state = 'x' WHERE key = '5.md'"),
    "version number": ("versions_differ", "UPDATE documents SET version = 7 WHERE key = '5.md'"),
    "hashes": ("current_version_differs", "UPDATE documents SET raw_sha256 = document_id WHERE key = '5.md'"),
    "no hashes": ("current_version_differs", "UPDATE documents SET raw_sha256 = '' WHERE key = '5.md'"),
    "version hashes": ("version_damaged", "UPDATE versions SET raw_sha256 = 'x' WHERE version = 1"),
    "versions gone": ("versions_differ", "DELETE FROM versions"),
    "kind of file": ("current_version_differs", "UPDATE documents SET media_type = 'x/y' WHERE key = '5.md'"),
    "job of a document": ("current_version_differs", "UPDATE documents SET job_id = 'x' WHERE key = '5.md'"),
    "job of a version": ("version_damaged", "UPDATE versions SET job_id = 'x' WHERE version = 1"),
    "kind of a version": ("version_damaged", "UPDATE versions SET media_type = 'x/y' WHERE version = 1"),
    "garbage": ("contradiction", "UPDATE documents SET bytes = 'many' WHERE key = '5.md'"),
    "title": ("current_version_differs", "UPDATE documents SET title = 'x' WHERE key = '5.md'"),
    "title of a moved one": ("current_version_differs", "UPDATE documents SET title = 'x' WHERE key = 'moved.md'"),
    "title of a retired one": ("current_version_differs", "UPDATE documents SET title = 'x' WHERE key = '4.md'"),
    "when it was made": ("current_version_differs", "UPDATE documents SET created_at = 'x' WHERE key = '5.md'"),
    "kind of source": ("current_version_differs", "UPDATE documents SET source_type = 'x' WHERE key = '5.md'"),
    "one version gone": ("versions_differ",
        "DELETE FROM versions WHERE (document_id, version) = (SELECT document_id, 1 FROM documents WHERE key = '0.md')"
    ),
    "one chunk gone": ("chunks_differ", "DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks)"),
    "words of one gone": ("full_text_differs", "DELETE FROM words WHERE rowid = (SELECT max(id) FROM chunks)"),
    "place of a twin gone": ("noted_places_differ", "DELETE FROM locations WHERE key = 'twin.md'"),
    "last change gone": ("feed_has_gaps", "DELETE FROM changes WHERE sequence = (SELECT max(sequence) FROM changes)"),
    "feed differs": ("feed_differs", "UPDATE changes SET version = 9 WHERE kind = 'updated'"),
    "feed has gaps": ("feed_has_gaps", "DELETE FROM changes WHERE sequence = 3"),
    "no trigger": ("feed_not_written", "DROP TRIGGER document_changed"),
    "no epoch": ("catalogue_damaged", "DELETE FROM meta"),
    "no table": ("catalogue_damaged", "DROP TABLE versions"),
}  # fmt: skip


def _running(sql: str) -> Callable[[Place], object]:
    return lambda place: place.sql(sql)


def _damaging(do: Callable[[Place, str], object], which: str) -> Callable[[Place], object]:
    return lambda place: do(place, which)


ROWS = [Corruption(f"row: {name}", code, _running(sql)) for name, (code, sql) in _ROWS.items()]


def _private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def _noted(place: Place, text: str) -> None:
    _private(place.root / "notices" / f"{place.job().name}.json", text)


def _staged(place: Place) -> None:
    folder = place.job() / "staging" / "item"
    folder.mkdir(parents=True, mode=0o700)
    _private(folder / "raw.md", "fetched")


def _half_a_job(place: Place) -> None:
    folder = place.root / "jobs" / "20200101-000000-x-2222"
    folder.mkdir(mode=0o700)
    _private(folder / "being-made", "")


def _vectors(place: Place) -> Path:
    return next(place.version("5.md").glob("vectors-*"))


def _log(place: Place, name: str) -> Path:
    return next(place.root.glob(f"vectors/default/*/{name}"))


def _changed_generation(place: Place, **values: Any) -> None:
    path = place.root / "generations" / "default.json"
    record = orjson.loads(path.read_bytes())
    record["generations"][0] |= values
    path.write_bytes(orjson.dumps(record))


def _flipped_rows(name: str) -> Corruption:
    return Corruption(f"{name} flipped", "vector_index_damaged", lambda place: _flipped(_log(place, name)))


OTHERS: list[Corruption] = [
    Corruption("vectors flipped", "vectors_damaged", lambda place: _flipped(_vectors(place))),
    Corruption("vectors cut", "vectors_damaged", lambda place: os.truncate(_vectors(place), 20)),
    Corruption("vectors empty", "vectors_damaged", lambda place: os.truncate(_vectors(place), 0)),
    Corruption("state of vectors cut", "vector_index_damaged", lambda place: os.truncate(_log(place, "state.json"), 9)),
    Corruption("rows of vectors cut", "vector_index_damaged", lambda place: os.truncate(_log(place, "vectors.f16"), 9)),
    Corruption("entries of vectors missing", "vector_index_damaged", lambda place: _log(place, "entries.bin").unlink()),
    *[_flipped_rows(name) for name in ("vectors.f16", "entries.bin", "documents.bin", "sums.bin")],
    Corruption("sums of vectors missing", "vector_index_damaged", lambda place: _log(place, "sums.bin").unlink()),
    Corruption("state of vectors ahead", "vector_index_damaged", lambda place: _changed_json(
        _log(place, "state.json"), sequence=10_000)),
    Corruption("key of a generation", "record_damaged", lambda place: _changed_generation(place, key="0" * 12)),
    Corruption("catalogue missing", "catalogue_damaged", lambda place: _without(
        place.root, "catalogue.db*")),
    Corruption("catalogue cut", "catalogue_damaged", lambda place: os.truncate(place.root / "catalogue.db", 9000)),
    Corruption("catalogue is text", "catalogue_damaged", lambda place: (
        place.root / "catalogue.db").write_text("x" * 9000)),
    Corruption("catalogue is empty", "catalogue_damaged", lambda place: (place.root / "catalogue.db").write_bytes(b"")),
    Corruption("manifest missing", "manifest_damaged", lambda place: (place.job() / "manifest.json").unlink()),
    Corruption("manifest cut", "manifest_damaged", lambda place: os.truncate(place.job() / "manifest.json", 30)),
    Corruption("manifest of another", "manifest_damaged", lambda place: _changed_json(
        place.job() / "manifest.json", job_id="20200101-000000-x-2222")),
    Corruption("manifest of a queued job", "queued_job_damaged", lambda place: os.truncate(
        place.queued() / "manifest.json", 30)),
    Corruption("another end", "manifest_contradicts", lambda place: _changed_json(
        place.job() / "manifest.json", state="failed")),
    Corruption("no end", "job_not_queued", lambda place: _changed_json(
        place.job("upload") / "manifest.json", state="running")),
    Corruption("counters", "counters_differ", lambda place: _counted(place, 2)),
    Corruption("plan cut", "plan_damaged", lambda place: os.truncate(place.job() / "plan.jsonl", 200)),
    Corruption("plan flipped", "plan_damaged", lambda place: _flipped(place.job() / "plan.jsonl")),
    Corruption("outcomes flipped", "journal_damaged", lambda place: _flipped(place.job() / "outcomes.jsonl")),
    Corruption("plan missing", "plan_missing", lambda place: (place.job() / "plan.jsonl").unlink()),
    Corruption("plan lacks a line", "plan_damaged", lambda place: _without_line(place.job() / "plan.jsonl", 1)),
    Corruption("outcomes lack a line", "outcomes_missing", lambda place: _without_line(
        place.job() / "outcomes.jsonl", 1)),
    Corruption("outcomes of an upload lack a line", "outcomes_missing", lambda place: _without_line(
        place.job("upload") / "outcomes.jsonl", 0)),
    Corruption("outcomes of vectors lack a line", "outcomes_missing", lambda place: _without_line(
        place.job("embed") / "outcomes.jsonl", 0)),
    Corruption("outcomes torn at the end", "outcomes_missing", lambda place: _torn(place.job() / "outcomes.jsonl")),
    Corruption("stray in a job", "stray_file", lambda place: _private(place.job() / "notes.txt", "mine")),
    Corruption("stray among jobs", "stray_file", lambda place: _private(place.root / "jobs" / "notes.txt", "mine")),
    Corruption("stray in the workspace", "stray_file", lambda place: _private(place.root / "notes.txt", "mine")),
    Corruption("stray folder", "stray_file", lambda place: (place.root / "mine").mkdir(mode=0o700)),
    Corruption("stray among sources", "stray_file", lambda place: _private(
        place.root / "sources" / "docs.json.bak", "{}")),
    Corruption("outcomes missing", "outcomes_missing", lambda place: (place.job() / "outcomes.jsonl").unlink()),
    Corruption("log line", "log_damaged", lambda place: (place.job() / "log.jsonl").write_text("{no\n")),
    Corruption("notice cut", "notice_damaged", lambda place: _noted(place, "{")),
    Corruption("notice of another job", "notice_damaged", lambda place: _noted(place, orjson.dumps(
        {"schema_version": 1, "job_id": "other", "noted_at": "", "event": {}, "waiting": []}).decode())),
    Corruption("staged files", "staged_files_left", _staged),
    Corruption("ended and queued", "ended_job_queued", lambda place: (
        place.root / "queue" / place.job().name).touch(mode=0o600)),
    Corruption("queue without job", "queue_entry_without_job", lambda place: (
        place.root / "queue" / "20200101-000000-x-2222").touch(mode=0o600)),
    Corruption("lost from the queue", "job_not_queued", lambda place: (
        place.root / "queue" / place.queued().name).unlink()),
    Corruption("queue missing", "folder_of_workspace_missing", lambda place: shutil.rmtree(place.root / "queue")),
    Corruption("half a job", "leftover", _half_a_job),
    Corruption("source missing", "record_damaged", lambda place: (place.root / "sources" / "docs.json").unlink()),
    Corruption("source cut", "record_damaged", lambda place: os.truncate(place.root / "sources" / "docs.json", 9)),
    Corruption("collection cut", "record_damaged", lambda place: os.truncate(
        place.root / "collections" / "default.json", 9)),
    Corruption("tokens of the server torn", "record_damaged", lambda place: (
        place.root / "server-tokens.json").write_text('{"schema_ver')),
    Corruption("collection missing", "collection_unknown", lambda place: (
        place.root / "collections" / "default.json").unlink()),
    Corruption("embedder cut", "record_damaged", lambda place: os.truncate(place.root / "embedders" / "tiny.json", 9)),
    Corruption("look cut", "remembered_damaged", lambda place: os.truncate(place.root / "looks" / "docs.json", 3)),
    Corruption("tui.json cut", "remembered_damaged", lambda place: _private(place.root / "tui.json", "{")),
    Corruption("audit head garbled", "audit_head_damaged", lambda place: _private(
        place.root / "locks" / "audit.head", "x")),
    Corruption("audit head missing", "audit_head_damaged", lambda place: (
        place.root / "locks" / "audit.head").unlink()),
    Corruption("audit lacks its last line", "audit_chain_broken", lambda place: _without_line(
        place.root / "audit.jsonl", -1)),
    Corruption("removals missing", "removals_missing", lambda place: (place.root / "removals.jsonl").unlink()),
    Corruption("removals lack a line", "removals_missing", lambda place: _without_line(
        place.root / "removals.jsonl", -1)),
    Corruption("removals flipped", "journal_damaged", lambda place: _flipped(place.root / "removals.jsonl")),
    Corruption("ignored garbled", "journal_damaged", lambda place: _private(place.root / "ignored.jsonl", "no line\n")),
    Corruption("audit cut", "audit_chain_broken", lambda place: os.truncate(place.root / "audit.jsonl", 200)),
    Corruption("audit flipped", "audit_chain_broken", lambda place: _flipped(place.root / "audit.jsonl")),
    Corruption("text is open", "too_open", lambda place: (place.version("5.md") / "normalized.md").chmod(0o644)),
    Corruption("folder is open", "too_open", lambda place: place.folder("5.md").chmod(0o755)),
    Corruption("catalogue is open", "too_open", lambda place: (place.root / "catalogue.db").chmod(0o666)),
    Corruption("workspace is open", "too_open", lambda place: place.root.chmod(0o711)),
    Corruption("old temporary", "leftover", lambda place: _old(_private(place.root / "sources" / ".tmp.x", "x"))),
    Corruption("half a rebuild", "leftover", lambda place: _private(place.root / "catalogue.rebuild.db", "x")),
]  # fmt: skip


def _counted(place: Place, number: int) -> None:
    path = place.job() / "manifest.json"
    manifest = orjson.loads(path.read_bytes())
    manifest["counters"]["items_ingested"] -= number
    path.write_bytes(orjson.dumps(manifest))


def corruptions() -> Iterator[Corruption]:
    """Yield all of them."""
    for target, which in TARGETS.items():
        for damage, (code, do) in VERSION_DAMAGES.items():
            yield Corruption(f"{target}: {damage}", code, _damaging(do, which))
    yield from FOLDERS
    yield from ROWS
    yield from OTHERS
