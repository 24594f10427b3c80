"""Random histories of a collection: what people and sources do, in any order, and what holds after each step.

The world is one folder with a few files, two sources over it, uploads and registered documents. Contents are few, so
that equal ones meet by every way: by edit, copy, two sources, upload, register, restore and reading again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents.documents import ingestion_record, remove_documents, restore_document
from ingest_tui.services.documents.pruning import prune_documents, versions_to_prune
from ingest_tui.services.documents.registration import register_document
from ingest_tui.services.documents.rollback import roll_back_document
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.holds import approve_job
from ingest_tui.services.sources.sources import add_source, edit_source, remove_source
from ingest_tui.store.catalogue.queries import find_documents, search_text
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import init_workspace
from ingest_tui.worker.submit import submit_sync
from tests.faults.crash_lab import UNREADABLE, InlinePool, run_queue

NAMES = ("a.txt", "b.txt", "c.loud", "deep/d.txt")
WORDS = ("heron", "otter", "egret")
# The second has the text of the first in other bytes; the last two make no document.
CONTENTS = ("heron here\n", "heron here\r\n", "otter here\n", "egret here\n", "", UNREADABLE)
SOURCES = ("docs", "twin")
AT = "2026-01-01T00:00:00.000Z"


class NamedPool(InlinePool):
    """Reads some names in another way, as another parser would: the same bytes have another text then.

    ``replaced``: texts that a newer parser reads differently.
    """

    replaced: ClassVar[dict[str, str]] = {}

    def submit(self, task: ParseTask, on_result: Any) -> None:
        def read_in_another_way(result: ParseResult) -> None:
            if result.status == "parsed":
                text = Path(task.output_path).read_text(encoding="utf-8")
                text = text.upper() if task.file_name.endswith(".loud") else self.replaced.get(text, text)
                Path(task.output_path).write_text(text, encoding="utf-8")
                result = replace(result, content_hash=compute_content_hash(text))
            on_result(result)

        super().submit(task, read_in_another_way)


@dataclass
class World:
    """A workspace, the folder of its sources, and what was seen of it so far."""

    root: Path
    steps: list[str] = field(default_factory=list)
    versions: set[tuple[str, int]] = field(default_factory=set)
    pruned: set[tuple[str, int]] = field(default_factory=set)
    removed: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.root / "folder"
        (self.folder / "deep").mkdir(parents=True)
        self.workspace, _ = init_workspace(self.root / "ws")
        add_collection(self.workspace, "archive")
        self.ticks = 0

    def close(self) -> None:
        self.workspace.close()

    # Files

    def write(self, name: str, content: str) -> None:
        self._stamped(name, content.encode())

    def touch(self, name: str) -> None:
        if self.content(name) is not None:
            self._stamped(name, self.content(name) or b"")

    def copy(self, name: str, other: str) -> None:
        content = self.content(name)
        if content is not None:
            self._stamped(other, content)

    def move(self, name: str, other: str) -> None:
        if self.content(name) is not None:
            (self.folder / name).rename(self.folder / other)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def content(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def text_hash(self, name: str) -> str:
        text = (self.content(name) or b"").decode()
        return compute_content_hash(text.upper() if name.endswith(".loud") else text)

    def _stamped(self, name: str, content: bytes) -> None:
        """Write a file with a time of its own, in the past: no step waits for clocks."""
        self.ticks += 1
        path = self.folder / name
        path.write_bytes(content)
        os.utime(path, ns=(self.ticks * 10**9, self.ticks * 10**9))

    # Sources and jobs

    def add(self, source_id: str) -> None:
        if not self.workspace.sources.exists(source_id):
            add_source(self.workspace, source_type="local", name=source_id, config={"path": str(self.folder)})

    def remove_source(self, source_id: str, *, keep: bool) -> None:
        if self.workspace.sources.exists(source_id):
            remove_source(self.workspace, source_id, keep_documents=keep)

    def exclude(self, source_id: str, patterns: list[str]) -> None:
        if self.workspace.sources.exists(source_id):
            edit_source(self.workspace, source_id, config={"exclude": patterns})

    def sync(self, source_id: str, *, force: bool = False, check: bool = True) -> None:
        """Sync a source, approving what is held, and check that each of its files is where it says."""
        if not self.workspace.sources.exists(source_id):
            return
        manifest = self._run(submit_sync(self.workspace, self.workspace.sources.get(source_id), trigger="manual",
                                         by="test", force=force))  # fmt: skip
        if manifest.held is not None:
            manifest = self._run(approve_job(self.workspace, manifest.job_id))
        assert manifest.held is None
        if check:
            self.check_files(source_id)

    def _run(self, queued: Manifest) -> Manifest:
        run_queue(self.workspace)
        manifest = self.workspace.jobs.load(queued.job_id)
        assert manifest.state in {JobState.SUCCEEDED, JobState.PARTIAL}, manifest.errors
        assert manifest.counters.descriptors_listed == manifest.counters.listed_accounted_for
        return manifest

    def upload(
        self,
        name: str,
        collection_id: str = "default",
        *,
        label: str = "",
        replace: bool = False,
        chunk_size: int | None = None,
    ) -> None:
        """Upload a file of the folder; one that replaces leaves no version of its document before its own."""
        if self.content(name) is None:
            return
        before = self._versions()
        try:
            queued = upload_files(
                self.workspace,
                [self.folder / name],
                collection_id=collection_id,
                label=label,
                replace=replace,
                overrides=None if chunk_size is None else {"chunk_size": chunk_size},
            )
        except UsageError:
            assert self.content(name) in {b"", UNREADABLE.encode()}
            return
        self._run(queued)
        self.pruned |= before - self._versions() if replace else set()

    def register(self, unique_id: str, content: str, source_id: str | None, collection_id: str = "default") -> None:
        ingested = IngestedDocument(content=content, unique_id=unique_id, source_type="api")
        try:
            answer = register_document(self.workspace, collection_id, ingested, source_id=source_id, at=AT)
        except UsageError as error:  # its source has it in another collection
            assert error.context["collection_id"] != collection_id  # noqa: PT017
            return
        document = self.workspace.catalogue.documents([answer["document_id"]])[answer["document_id"]]
        assert document.state == "active"  # the same bytes may have been read by another parser
        assert ingested.content_hash in {document.content_hash, document.raw_sha256}

    # Documents

    def documents(self, state: str) -> list[str]:
        return [document.document_id for document in find_documents(self.workspace.catalogue, state=state)]

    def remove(self, number: int) -> None:
        active = self.documents("active")
        if active:
            document_id = active[number % len(active)]
            remove_documents(self.workspace, [document_id])
            assert document_id not in self.documents("active")

    def roll_back(self, number: int) -> None:
        """Go back to the version before: it is the newest then; or the answer says why not."""
        active = self.documents("active")
        if not active:
            return
        document_id = active[number % len(active)]
        try:
            document = roll_back_document(self.workspace, document_id)
        except IngestError as error:
            assert error.hint  # noqa: PT017
            return
        record = ingestion_record(self.workspace, document_id)
        assert record["version"] == document.version == record["rolled_back"]["from"] + 1

    def prune(self, number: int) -> None:
        active = self.documents("active")
        if active:
            chosen = versions_to_prune(self.workspace, [active[number % len(active)]], keep=1)
            self.pruned |= {(one.document_id, one.version) for one in prune_documents(self.workspace, chosen)}

    def prefer(self, chunk_size: int, collection_id: str = "default") -> None:
        """Choose another size of chunks: what is read, restored or rolled back from then on is cut by it."""
        collection = self.workspace.collections.get(collection_id)
        preferences = collection.preferences.model_copy(update={"chunk_size": chunk_size})
        self.workspace.collections.save(collection.model_copy(update={"preferences": preferences}), collection)

    def restore(self, number: int) -> None:
        """Bring a document back: it, or the one that has its content, is here then; or the answer says why not."""
        retired = self.documents("retired")
        if not retired:
            return
        document_id = retired[number % len(retired)]
        before = self.workspace.catalogue.documents([document_id])[document_id]
        try:
            restored = restore_document(self.workspace, document_id)
        except IngestError as error:
            assert error.hint  # noqa: PT017 - refusing is an answer; the store is checked after it
            return
        assert restored.state == "active"
        assert before.content_hash == restored.content_hash or before.raw_sha256 == restored.raw_sha256

    # What holds

    def check(self) -> None:
        """Search, places, folders and trash agree, each content is there once, and no version is ever lost."""
        catalogue = self.workspace.catalogue
        contradictions = verify_store(self.workspace.layout, catalogue, deep=True)
        assert contradictions == [], contradictions
        versions = self._versions()
        assert versions >= self.versions - self.pruned
        self.versions = versions
        sql = "SELECT 1 FROM documents WHERE state = 'active' GROUP BY collection_id, {} HAVING count(*) > 1"
        for column in ("raw_sha256", "content_hash"):
            assert catalogue.execute(sql.format(column)) == [], f"two documents of a collection have one {column}"
        for word in WORDS:
            found = [hit.document_id for hit in search_text(catalogue, word)]
            assert len(found) == len(set(found))

    def _versions(self) -> set[tuple[str, int]]:
        return {
            (row[0], row[1]) for row in self.workspace.catalogue.execute("SELECT document_id, version FROM versions")
        }

    def check_files(self, source_id: str) -> None:
        """Each file that a source has just looked at is found as it is, unless a person removed this content."""
        catalogue = self.workspace.catalogue
        excluded = self.workspace.sources.get(source_id).source_config.get("exclude") or []
        listed = [name for name in NAMES if self.content(name) is not None and name not in excluded]
        places = catalogue.locations(source_id, NAMES)
        for name in listed:
            content, place = self.content(name) or b"", places[name]
            if content in {b"", UNREADABLE.encode()}:
                continue
            if place.document_id is None:
                assert place.outcome == "retired", name
                removed = (place.removed_sha256, place.removed_content_hash)
                assert removed[0] == compute_content_hash(content) or removed[1] == self.text_hash(name), name
                continue
            document = catalogue.documents([place.document_id])[place.document_id]
            left = (place.removed_sha256, place.removed_content_hash)
            if compute_content_hash(content) == left[0] or self.text_hash(name) == left[1]:
                continue  # a person went back from it
            same = (
                document.raw_sha256 == compute_content_hash(content),
                document.content_hash == self.text_hash(name),
            )
            assert any(same), f"{name} is not what {source_id} saw"
        for name in set(NAMES) - set(listed):
            assert name not in places or places[name].document_id is None, f"{name} is gone from {source_id}"
