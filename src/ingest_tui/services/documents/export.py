"""Taking documents out: all of a choice as JSON lines, as CSV or as a folder of texts; or what is kept of one."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Unpack

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError, NotFoundError, RefusedError, UsageError
from ingest_tui.model.file_names import export_name
from ingest_tui.model.links import links_of
from ingest_tui.model.safe_text import safe_cell, safe_display
from ingest_tui.services.documents.documents import check_choice, document_folder, get_document, lost_content
from ingest_tui.services.documents.links import LinkResolver
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.queries import DocumentChoice
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.fs.atomic import filled_folder, write_new, write_pieces_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

ExportFormat = Literal["jsonl", "csv", "folder"]
ContentKind = Literal["text", "raw", "record"]
INDEX = "index.jsonl"
_PIECE = 1 << 20
_EXPORTED_TEXT = re.compile(r".+--[0-9a-f]{12,}\.md\Z", re.DOTALL)
_MOST_NAMED = 100

# The columns of a CSV export: first those of the catalogue, then those of the ingestion record.
_DOCUMENT_COLUMNS = (
    "document_id", "collection_id", "source_id", "source_type", "uri", "key", "title", "file_name", "media_type",
    "version", "bytes", "chunks", "created_at", "updated_at", "raw_sha256", "content_hash", "backend", "job_id",
)  # fmt: skip
_RECORD_COLUMNS = ("language", "pages")


@dataclass(slots=True)
class ExportReport:
    """What came of an export. ``left_out`` names the first documents that could not be read, and why."""

    format: ExportFormat
    to: str
    documents: int = 0
    bytes: int = 0
    left_out_total: int = 0
    left_out: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True, frozen=True)
class DocumentContent:
    """What is kept of one version of a document: its ``pieces`` are read as they are asked for."""

    document: Document
    version: int
    what: ContentKind
    pieces: Iterator[bytes]


class Export:
    """One export of the active documents of a choice; without one, of all.

    ``progress`` is called with how many are done and how many there are. Documents come in the order of their
    addresses, one at a time, so that memory does not grow with their texts; of all documents it holds the addresses,
    once one has links. A document that cannot be read is left out and named in ``report``. Every export leaves a line
    in the audit log. Raises `NotFoundError` for a collection or source that does not exist.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        form: ExportFormat,
        progress: Callable[[int, int], None] | None = None,
        **choice: Unpack[DocumentChoice],
    ) -> None:
        check_choice(workspace, choice)
        self._workspace = workspace
        self._store = DocumentStore(workspace.layout)
        self._choice = choice
        self._progress = progress
        self._resolver = LinkResolver(workspace)
        self.report = ExportReport(form, "stdout")

    def lines(self) -> Iterator[str]:
        """Yield the lines of a JSON lines or CSV export, each with its line feed and safe to show.

        A line of JSON is ``{"document", "ingestion", "text", "links"}``: what `doc show --json` prints, the normalised
        text, and what `doc links --json` prints.
        """
        finished = False
        try:
            for line in self._lines():
                self.report.bytes += len(line.encode())
                yield line
            finished = True
        finally:
            self._note(finished=finished)

    def write(self, target: Path, *, replace: bool = False) -> ExportReport:
        """Write the export to a file or folder: whole, durable, or not at all.

        Raises `RefusedError` when ``target`` is there and ``replace`` is not given, or is a folder that no export
        made; `UsageError` for a place where an export cannot be, such as inside the workspace.
        """
        is_folder = self.report.format == "folder"
        target = checked_target(self._workspace, target, replace=replace, is_folder=is_folder)
        self.report.to = safe_display(str(target))
        finished = False
        try:
            if is_folder:
                with filled_folder(target) as folder:
                    self._fill(folder)
            else:
                self.report.bytes = write_pieces_durably(target, (line.encode() for line in self._lines()))
            finished = True
        finally:
            self._note(finished=finished)
        return self.report

    # What is written

    def _lines(self) -> Iterator[str]:
        is_table = self.report.format == "csv"
        if is_table:
            yield _csv_line((*_DOCUMENT_COLUMNS, *_RECORD_COLUMNS))
        for document in self._documents():
            try:
                record = self._record(document)
                line = _csv_row(document, record) if is_table else self._json_line(document, record)
            except (IngestError, OSError) as error:
                self._leave_out(document, error)
                continue
            self.report.documents += 1
            yield line

    def _json_line(self, document: Document, record: dict[str, Any]) -> str:
        text = self._store.normalized(self._folder(document))
        line = {"document": document.as_dict(), "ingestion": record, "text": text}
        return encode_json(line | self._links(document, record)).decode() + "\n"

    def _links(self, document: Document, record: dict[str, Any]) -> dict[str, Any]:
        return {"links": [one.as_dict() for one in self._resolver.resolve(document, record, links_of(record))]}

    def _fill(self, folder: Path) -> None:
        def index() -> Iterator[bytes]:
            for document in self._documents():
                try:
                    record = self._record(document)
                    text = self._store.normalized(self._folder(document)).encode()
                except (IngestError, OSError) as error:
                    self._leave_out(document, error)
                    continue
                name = _write_text(folder, document, text)
                self.report.documents += 1
                self.report.bytes += len(text)
                line = {"file": name, "document": document.as_dict(), "ingestion": record}
                yield encode_json(line | self._links(document, record)) + b"\n"

        index_size = write_pieces_durably(folder / INDEX, index())
        self.report.bytes += index_size

    def _documents(self) -> Iterator[Document]:
        """Yield the documents of the choice, reporting how far it is."""
        total = queries.count_documents(self._workspace.reading, **self._choice) if self._progress else 0
        for number, document in enumerate(queries.stream_documents(self._workspace.reading, **self._choice), 1):
            yield document
            if self._progress is not None:
                self._progress(number, max(number, total))

    def _record(self, document: Document) -> dict[str, Any]:
        return self._store.ingestion(self._folder(document))

    def _folder(self, document: Document) -> Path:
        """Return where the version is; in the trash when it was retired since the export began."""
        place = (document.collection_id, document.document_id, document.version)
        folder = self._store.folder(*place)
        return folder if folder.exists() else self._store.folder(*place, retired=True)

    # What is reported

    def _leave_out(self, document: Document, error: Exception) -> None:
        self.report.left_out_total += 1
        if len(self.report.left_out) < _MOST_NAMED:
            message = error.message if isinstance(error, IngestError) else f"its text cannot be read: {error}"
            self.report.left_out.append(
                {"document_id": document.document_id, "uri": document.uri, "message": safe_display(message)}
            )

    def _note(self, *, finished: bool) -> None:
        report = self.report
        chosen = {name: _as_audited(value) for name, value in self._choice.items() if value is not None}
        _audit(
            self._workspace,
            "export",
            report.to,
            outcome="done" if finished else "interrupted",
            format=report.format,
            documents=report.documents,
            left_out=report.left_out_total,
            **chosen,
        )


def _as_audited(value: Any) -> Any:
    """Return a part of a choice as the audit log keeps it: of many documents only the first."""
    return value if isinstance(value, str) else [*value][:_MOST_NAMED]


def export_documents(
    workspace: Workspace,
    target: Path,
    *,
    form: ExportFormat,
    progress: Callable[[int, int], None] | None = None,
    **choice: Unpack[DocumentChoice],
) -> ExportReport:
    """Write the documents of a choice to a place, see `Export`."""
    return Export(workspace, form=form, progress=progress, **choice).write(target)


def export_document(
    workspace: Workspace,
    target: str,
    to: Path,
    *,
    what: ContentKind = "text",
    version: int | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Write the text, the raw file or the record of a document to a file, whole or not at all.

    Returns ``{"document_id", "version", "what", "to", "bytes"}``. Raises `NotFoundError` for an unknown document or
    version, `RefusedError` when the file is there and ``replace`` is not given.
    """
    place = checked_target(workspace, to, replace=replace, is_folder=False)
    content = document_content(workspace, target, what=what, version=version)
    summary = written_content(content, place)
    note_document_export(workspace, content, to=summary["to"])
    return summary


def written_content(content: DocumentContent, place: Path) -> dict[str, Any]:
    """Write what is kept of a version to a file, whole or not at all; returns what `export_document` does."""
    size = write_pieces_durably(place, content.pieces)
    return {
        "document_id": content.document.document_id,
        "version": content.version,
        "what": content.what,
        "to": safe_display(str(place)),
        "bytes": size,
    }


def document_content(
    workspace: Workspace, target: str, *, what: ContentKind = "text", version: int | None = None
) -> DocumentContent:
    """Return what is kept of a version (default: the current one), in pieces; raises `NotFoundError`.

    ``text`` and ``raw`` come byte for byte, ``record`` as JSON that is safe to show.
    """
    document = get_document(workspace, target)
    number = document.version if version is None else version
    folder = document_folder(workspace, document, number)
    store = DocumentStore(workspace.layout)
    if what == "record":
        return DocumentContent(document, number, what, iter([shown_record(store.ingestion(folder))]))
    path = store.normalized_path(folder) if what == "text" else store.raw(folder)
    if path is None or not path.is_file():
        raise lost_content(document, what, number)
    return DocumentContent(document, number, what, _pieces_of(path))


def shown_record(record: dict[str, Any]) -> bytes:
    """Return a record as JSON that is safe to show."""
    return encode_json(record, indent=True) + b"\n"


def note_document_export(workspace: Workspace, content: DocumentContent, *, to: str) -> None:
    """Write to the audit log who took a document out. Called once the content is where it was to go."""
    document = content.document
    details = {"uri": document.uri, "version": content.version, "what": content.what, "to": to}
    _audit(workspace, "document.export", document.document_id, **details)


def _audit(workspace: Workspace, action: str, target: str, **details: Any) -> None:
    workspace.audit.add_or_warn(at=rfc3339_now(), by=requester(), action=action, target=target, **details)


def checked_target(workspace: Workspace, target: Path, *, replace: bool, is_folder: bool) -> Path:
    """Return where something may be written, absolute and with links followed, or raise why not."""
    place = _real_place(target)
    shown = safe_display(str(place))
    root = Path(os.path.realpath(workspace.root))
    if place == root or root in place.parents or (is_folder and place in root.parents):
        raise UsageError(f"{shown} belongs to the workspace", hint="name a place outside of it")
    if place == Path(os.path.realpath(workspace.credentials_path)):
        raise UsageError(f"{shown} is the credentials file", hint="name another place")
    return checked_place(place, replace=replace, is_folder=is_folder)


def checked_place(target: Path, *, replace: bool, is_folder: bool = False) -> Path:
    """Return where something may be written whatever workspace it is of, or raise why not."""
    place = _real_place(target)
    shown = safe_display(str(place))
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        return place
    if is_folder != stat.S_ISDIR(mode) or not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        wanted = "a folder" if is_folder else "a file"
        raise UsageError(f"{shown} is there and is not {wanted}", hint="name another place")
    if not replace:
        raise RefusedError(f"{shown} is there already", hint="--force replaces it")
    if is_folder and not _is_earlier_export(place):
        raise RefusedError(f"{shown} holds other things than an export", hint="name another place; nothing was changed")
    return place


def _real_place(target: Path) -> Path:
    """Return a place as the system finds it: ``..`` after a folder that is not there leads nowhere."""
    try:
        return Path(os.path.realpath(target, strict=True))
    except FileNotFoundError:
        pass
    try:
        return Path(os.path.realpath(target.parent, strict=True)) / target.name
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"there is no folder {safe_display(str(target.parent))}", hint="make it first") from None


def _is_earlier_export(folder: Path) -> bool:
    """Whether a folder holds nothing but what an export writes: only that may be removed for a new one."""
    with os.scandir(folder) as entries:
        return all(
            entry.is_file(follow_symlinks=False) and (entry.name == INDEX or _EXPORTED_TEXT.match(entry.name))
            for entry in entries
        )


def _write_text(folder: Path, document: Document, text: bytes) -> str:
    """Write the text of a document into an export folder; returns the name of its file."""
    name = export_name(document.file_name, document.document_id)
    try:
        write_new(folder / name, text)
    except FileExistsError:  # two documents of one name whose ids begin alike
        name = export_name(document.file_name, document.document_id, id_length=len(document.document_id))
        write_new(folder / name, text)
    return name


def _pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            yield piece


def _csv_row(document: Document, record: dict[str, Any]) -> str:
    cells = [getattr(document, name) for name in _DOCUMENT_COLUMNS] + [record.get(name) for name in _RECORD_COLUMNS]
    return _csv_line(safe_cell(cell) if isinstance(cell, str) else cell for cell in cells)


def _csv_line(cells: Iterable[Any]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()
