"""Writing a backup: version folders from where they are, then all that is in the snapshot, then the list of it.

Versions that are deleted while it runs are deleted from the copy of the catalogue too, which is written after them.
What an earlier backup has is named instead of written again.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.backup.archive import ArchiveWriter, checked_name
from ingest_tui.store.backup.contents import CarriedVersions, Content, ContentsWriter, version_key
from ingest_tui.store.backup.header import BACKUP, CONTENTS, CREDENTIALS, WORKSPACE, BackupHeader, EarlierBackup
from ingest_tui.store.backup.progress import BackupProgress
from ingest_tui.store.backup.snapshot import NOT_OF_JOBS, Snapshot, files_below
from ingest_tui.store.catalogue import schema
from ingest_tui.store.catalogue.consistency import KnownDocument, known_documents_after
from ingest_tui.store.catalogue.queries import count_documents
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.documents import DocumentStore, places_note
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.layout import DOCUMENT, INGESTION, RAW_STEM, RETIRED, Layout, version_name
from ingest_tui.store.upgrade import SCHEMA_VERSION
from ingest_tui.store.workspace import Workspace

_AT_ONCE = 200
_MOST_PROBLEMS = 100
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier backup, and the files that it names."""

    header: BackupHeader
    contents: Iterator[Content]
    file_name: str

    @property
    def chain(self) -> list[EarlierBackup]:
        """What is known of this backup and of those that it rests on, the latest first."""
        own = EarlierBackup(
            backup_id=self.header.backup_id, file_name=self.file_name, created_at=self.header.created_at
        )
        return [own, *self.header.earlier]


@dataclass(slots=True)
class BackupReport:
    """What is in a backup. ``carried``: files that an earlier one has. ``problems``: what is not as the catalogue says.

    ``erased`` versions were deleted while it was written, and are not in it.
    """

    backup_id: str
    base: str = ""
    documents: int = 0
    versions: int = 0
    files: int = 0
    bytes: int = 0
    carried: int = 0
    erased: int = 0
    problems: list[str] = field(default_factory=list)
    problems_total: int = 0

    def problem(self, what: str) -> None:
        """Note something that is not in the backup as it should be."""
        self.problems_total += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(safe_display(what))

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


class BackupWriter:
    """Writes one backup of a workspace to a stream."""

    def __init__(
        self, workspace: Workspace, snapshot: Snapshot, scratch: Path, stream: BinaryIO, base: Base | None = None
    ) -> None:
        self._workspace = workspace
        self._snapshot = snapshot
        self._store = DocumentStore(workspace.layout)
        self._list_path = scratch / CONTENTS
        self._archive = ArchiveWriter(stream)
        self._base = base
        self._carried = CarriedVersions(base.contents if base is not None else iter(()))
        self.header = BackupHeader(
            backup_id=uuid.uuid4().hex,
            rests_on=[] if base is None else [base.header.backup_id, *base.header.rests_on],
            earlier=[] if base is None else base.chain,
            created_at=rfc3339_now(),
            workspace=safe_display(str(workspace.root)),
            workspace_schema=SCHEMA_VERSION,
            catalogue_schema=schema.SCHEMA_VERSION,
        )
        self.report = BackupReport(self.header.backup_id, "" if base is None else base.header.backup_id)

    def write(self, on_progress: BackupProgress, credentials: Path | None = None) -> BackupReport:
        """Write all of it. ``credentials``: the registry of credentials, where it is to be in the backup too."""
        try:
            return self._write_all(on_progress, credentials)
        except BaseException:
            self._archive.give_up()
            raise

    def _write_all(self, on_progress: BackupProgress, credentials: Path | None) -> BackupReport:
        self._add_bytes(BACKUP, encode_json(self.header.model_dump(mode="json"), indent=True))
        with ContentsWriter(self._list_path) as self._list:
            self._documents(on_progress)
            on_progress("jobs", 0, len(self._snapshot.ended))
            self._ended_jobs()
            self._files_of(self._workspace.layout.quarantine)
            self._snapshot.end()
            on_progress("records", 0, 0)
            for path in self._snapshot.files():
                self._add(str(path.relative_to(self._snapshot.root)), path)
            self._list.end()
        if credentials is not None:
            self._add_bytes(CREDENTIALS, credentials.read_bytes())
        self.report.files = self._list.files
        with self._list_path.open("rb") as contents:
            self._archive.add(CONTENTS, contents, size=self._list_path.stat().st_size)
        self._archive.close()
        return self.report

    # Documents

    def _documents(self, on_progress: BackupProgress) -> None:
        catalogue = self._snapshot.catalogue
        total, last = count_documents(catalogue, state=None), ""
        while known := known_documents_after(catalogue, last, limit=_AT_ONCE):
            for one in known:
                self._document(one)
            last = known[-1].document.document_id
            on_progress("documents", self.report.documents, total)

    def _document(self, known: KnownDocument) -> None:
        gone = [row for row in known.versions if not self._version(known, row)]
        document_id = known.document.document_id
        erased = {row.version for row in gone if not self._workspace.reading.has_version(document_id, row.version)}
        self.report.erased += len(erased)
        for row in gone:
            if row.version not in erased:
                self.report.problem(f"{document_id} {version_name(row.version)} has no folder")
        catalogue = self._snapshot.catalogue
        if erased and not self._workspace.reading.documents([document_id]):
            with catalogue.transaction():
                catalogue.purge_documents([document_id])
            return
        if erased:
            with catalogue.transaction():
                catalogue.forget_versions((document_id, version) for version in erased)
        self.report.documents += 1
        if len(gone) < len(known.versions):
            self._notes(known)

    def _version(self, known: KnownDocument, row: VersionRow) -> bool:
        """Write the files of a version; returns whether there is a folder of it, here or in the trash."""
        document = known.document
        with ExitStack() as opened:
            files = self._opened(known, row.version, opened)
            if files is None:
                return False
            folder = self._folder_in_backup(known) + f"/{version_name(row.version)}"
            key = version_key(document.document_id, row.version)
            earlier = self._carried.of(key)
            is_same = self._is_carried(files, earlier)
            raw = ""
            for name, file in files.items():
                size = os.fstat(file.fileno()).st_size
                if is_same and name in earlier and earlier[name].size == size and self._may_carry(name, file, earlier):
                    content = earlier[name]._replace(path=f"{folder}/{name}", version=key)
                    self._list.add(content)
                    self.report.carried += 1
                else:
                    content = self._write(f"{folder}/{name}", file, size, key)
                raw = content.sha256 if name.startswith(f"{RAW_STEM}.") else raw
        self.report.versions += 1
        if row.raw_sha256 and raw != row.raw_sha256:
            named = f"{document.document_id} {version_name(row.version)}"
            self.report.problem(f"{named}: the raw file is {'not what was fetched' if raw else 'missing'}")
        return True

    def _opened(self, known: KnownDocument, version: int, opened: ExitStack) -> dict[str, BinaryIO] | None:
        """Open all files of a version before one is read: what is moved or deleted meanwhile can still be read then."""
        document = known.document
        for _try in range(_TRIES):
            for retired in (document.state != "active", document.state == "active"):
                folder = self._store.folder(document.collection_id, document.document_id, version, retired=retired)
                with suppress(FileNotFoundError, NotADirectoryError):
                    return {name: opened.enter_context(open_regular(folder / name)) for name in regular_names(folder)}
        return None

    def _is_carried(self, files: dict[str, BinaryIO], earlier: dict[str, Content]) -> bool:
        """Whether an earlier backup has this version: the record of both is the same, which names the hashes of all."""
        record = files.get(INGESTION)
        if record is None or INGESTION not in earlier:
            return False
        return _hash_of(record) == earlier[INGESTION].sha256

    def _may_carry(self, name: str, file: BinaryIO, earlier: dict[str, Content]) -> bool:
        """Raw file and text are named by the record; other files are small, and are compared."""
        if name.startswith(f"{RAW_STEM}.") or name == "normalized.md":
            return True
        return _hash_of(file) == earlier[name].sha256

    def _folder_in_backup(self, known: KnownDocument) -> str:
        document, layout = known.document, Layout(Path(WORKSPACE))
        if document.state == "active":
            return str(layout.document(document.collection_id, document.document_id).relative_to(WORKSPACE))
        return str(layout.trashed(document.collection_id, document.document_id).relative_to(WORKSPACE))

    def _notes(self, known: KnownDocument) -> None:
        """Write the notes of a document as they were at the time of the snapshot: of its places, of its retirement."""
        document, here = known.document, self._folder_in_backup(known)
        is_active = document.state == "active"
        found = self._notes_on_disk(known)
        if DOCUMENT in found:
            note = places_note(document, known.places) if is_active else found[DOCUMENT]
            self._add(f"{here}/{DOCUMENT}", note)
        if not is_active:
            missing = {"schema_version": 1, "retired_at": document.updated_at, "reason": "repaired", "by": ""}
            self._add(f"{here}/{RETIRED}", found.get(RETIRED) or encode_json(missing, indent=True))

    def _notes_on_disk(self, known: KnownDocument) -> dict[str, bytes]:
        document, layout = known.document, self._workspace.layout
        for folder in (
            layout.document(document.collection_id, document.document_id),
            layout.trashed(document.collection_id, document.document_id),
        ):
            found = {}
            for name in (DOCUMENT, RETIRED):
                with suppress(FileNotFoundError, NotADirectoryError), open_regular(folder / name) as note:
                    found[name] = note.read()
            if found or folder.is_dir():
                return found
        return {}

    # All the rest

    def _ended_jobs(self) -> None:
        for manifest in self._snapshot.ended:
            paths = self._workspace.jobs.paths(manifest.job_id)
            if not paths.folder.is_dir():  # pruned meanwhile
                for path in list(files_below(self._snapshot.layout.job(manifest.job_id).folder)):
                    path.unlink()
                continue
            self._files_of(paths.folder, without=(*NOT_OF_JOBS, "manifest.json", "requests"))
            if manifest.keeps_uploaded_files:
                self._files_of(paths.staging)

    def _files_of(self, folder: Path, *, without: Iterable[str] = ()) -> None:
        patterns = tuple(without)
        for path in files_below(folder):
            first = path.relative_to(folder).parts[0]
            if any(fnmatch.fnmatchcase(first, pattern) for pattern in patterns):
                continue
            with suppress(FileNotFoundError):
                self._add(str(path.relative_to(self._workspace.root)), path)

    def _add(self, path: str, content: bytes | Path) -> None:
        try:
            checked_name(path).encode("utf-8")
        except (IngestError, UnicodeEncodeError):
            self.report.problem(f"{path} has a name that no backup takes")
            return
        if isinstance(content, bytes):
            self._write(path, io.BytesIO(content), len(content))
            return
        with open_regular(content) as file:
            self._write(path, file, os.fstat(file.fileno()).st_size)

    def _write(self, path: str, file: BinaryIO, size: int, version: str = "") -> Content:
        written = self._archive.add(f"{WORKSPACE}/{path}", file, size=size)
        content = Content(path, size, written.sha256, self.header.backup_id, path, version)
        self._list.add(content)
        self.report.bytes += size
        return content

    def _add_bytes(self, name: str, data: bytes) -> None:
        self._archive.add(name, io.BytesIO(data), size=len(data))


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read it, never through a link."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb")


def regular_names(folder: Path) -> list[str]:
    """Return the names of the regular files in a folder, sorted; raises `FileNotFoundError` where there is none."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_file(follow_symlinks=False) and not entry.name.startswith(TEMPORARY_PREFIX)
        )


def _hash_of(file: BinaryIO) -> str:
    """Return the SHA-256 of an open file, which is at its beginning again afterwards."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return digest
