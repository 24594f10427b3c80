"""What a document folder says of itself: rows of the catalogue from its files, each compared with its hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.document import Chunk, Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.pages import page_starts_of
from ingest_tui.model.place import KnownPlace
from ingest_tui.store.catalogue.rows import VersionRow
from ingest_tui.store.documents import DocumentStore, title_of_record
from ingest_tui.store.layout import DOCUMENT, INGESTION, NORMALIZED, RETIRED
from ingest_tui.store.version_chunks import TextFile, VersionChunks

REMOVED_BY_PERSON = "removed"
"""The reason in retired.json of what a person removed: its places stay known, so that no sync brings it back."""
_UNREADABLE = (IngestError, KeyError, TypeError, ValueError, AttributeError, OSError)
_PIECE = 1 << 20


class FolderProblem(NamedTuple):
    """A folder, relative to the workspace, that is not what was committed, and how. It stays as it is."""

    folder: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return self._asdict()


@dataclass(slots=True)
class FoundDocument:
    """The rows of one document; ``document`` is None where no version of it can be read."""

    document: Document | None = None
    versions: list[VersionRow] = field(default_factory=list)
    places: list[KnownPlace] = field(default_factory=list)
    chunks: Iterable[Chunk] = ()
    problems: list[FolderProblem] = field(default_factory=list)


class _Version(NamedTuple):
    number: int
    folder: Path
    record: dict[str, Any]
    row: VersionRow
    text: TextFile | None
    """None where it is not the one that was committed."""
    is_intact: bool


class FolderReader:
    """Reads document folders of one workspace."""

    def __init__(
        self, root: Path, store: DocumentStore, limits_of: Callable[[str, str, dict[str, Any]], ChunkLimits]
    ) -> None:
        """``limits_of`` returns the limits of chunks, from collection, source and ingestion record of a document."""
        self._root = root
        self._store = store
        self._limits_of = limits_of

    def read(self, collection_id: str, document_id: str, folder: Path, *, retired: bool) -> FoundDocument:
        """Return what a document folder holds.

        A version whose record cannot be read is left out. One whose bytes or text are not those that were committed is
        kept but not trusted: its document has no hash and its place no fingerprint, so that the next sync reads the
        source again and makes a version of it.
        """
        found = FoundDocument()
        for path in self._store.set_aside(folder):
            self._add_problem(found, path, "it was not whole, and was set aside for a version that was read again")
        versions = self._versions(collection_id, document_id, folder, found)
        if not versions:
            if not found.problems and _holds_anything(folder):
                self._add_problem(found, folder, "there is no version in it")
            return found
        newest = versions[-1]
        is_trusted = newest.is_intact and newest.number == self._store.highest_version(folder)
        note = self._note(folder / DOCUMENT, found)
        removal = self._note(folder / RETIRED, found) if retired else {}
        try:
            self._fill(found, newest, note, removal, is_trusted=is_trusted, retired=retired)
        except _UNREADABLE as error:
            self._add_problem(found, newest.folder, _described(error))
            return FoundDocument(problems=found.problems)
        found.versions = [version.row for version in versions]
        return found

    def _fill(
        self,
        found: FoundDocument,
        newest: _Version,
        note: dict[str, Any],
        removal: dict[str, Any],
        *,
        is_trusted: bool,
        retired: bool,
    ) -> None:
        places = self._places(note, newest, found)
        primary = _primary(places, note, newest.record)
        record, document_id = newest.record, newest.row.document_id
        file_name = file_name_of(primary.key, is_member=bool(primary.container))
        limits = self._limits_of(record["collection_id"], primary.source_id, record)
        chunks = _chunks_of(newest, newest.text, limits) if newest.text is not None else ()
        found.document = Document(
            document_id=document_id,
            collection_id=record["collection_id"],
            source_id=primary.source_id,
            source_type=record["source_type"],
            uri=primary.uri,
            key=primary.key,
            title=title_of_record(record, file_name),
            file_name=file_name,
            media_type=record["mime_type"],
            version=newest.number,
            raw_sha256=newest.row.raw_sha256 if is_trusted else "",
            content_hash=newest.row.content_hash if is_trusted else "",
            bytes=record["file_size"],
            chunks=len(chunks),
            backend=newest.row.backend,
            state="retired" if retired else "active",
            created_at=record["created_at"],
            updated_at=max(record["ingested_at"], note.get("updated_at", ""), removal.get("retired_at", "")),
            job_id=record["job_id"],
        )
        if retired:
            found.places = _removed_places(places, removal, newest.row)
            return
        found.places = [place if is_trusted else place._replace(fingerprint="") for place in places]
        found.chunks = chunks

    # Versions

    def _versions(self, collection_id: str, document_id: str, folder: Path, found: FoundDocument) -> list[_Version]:
        versions: list[_Version] = []
        for number, path in self._store.version_folders(folder):
            try:
                record = self._store.ingestion(path)
                row = VersionRow.of_record(record)
                expected = (collection_id, document_id, number)
                if (record["collection_id"], row.document_id, row.version) != expected:
                    raise ValueError("its ingestion.json is of another document or version")
            except _UNREADABLE as error:
                self._add_problem(found, path, _described(error))
                continue
            damage, text = self._compare(path, row)
            if damage:
                self._add_problem(found, path, damage)
            versions.append(_Version(number, path, record, row, text, is_intact=not damage))
        return versions

    def _compare(self, folder: Path, row: VersionRow) -> tuple[str, TextFile | None]:
        """Return how a version is not what was committed, empty when it is, and its text where that is."""
        damage = []
        text: TextFile | None = TextFile(self._store.normalized_path(folder))
        try:
            if text is not None and text.content_hash() != row.content_hash:
                text = None
                damage.append(f"the content hash of {NORMALIZED} is not the one that was committed")
        except OSError as error:
            text = None
            damage.append(f"{NORMALIZED} cannot be read ({error.strerror})")
        try:
            raw = self._store.raw(folder)
            if raw is None:
                damage.append("the original file is missing")
            elif _sha256_of(raw) != row.raw_sha256:
                damage.append(f"the SHA-256 of {raw.name} is not the one that was committed")
        except OSError as error:
            damage.append(f"the original file cannot be read ({error.strerror})")
        return "; ".join(damage), text

    # Places

    def _places(self, note: dict[str, Any], newest: _Version, found: FoundDocument) -> list[KnownPlace]:
        """Return all places: those noted, and that of the newest version when it is newer than the note."""
        noted = []
        for place in note.get("locations", ()):
            try:
                noted.append(KnownPlace(**place))
            except TypeError as error:
                self._add_problem(found, newest.folder.parent / DOCUMENT, _described(error))
        places = {row.place_key: row for row in noted}
        if not noted or newest.number > self._store.noted_version(note):
            place = _place_of_version(newest.record)
            places[place.place_key] = place
        return list(places.values())

    def _note(self, path: Path, found: FoundDocument) -> dict[str, Any]:
        """Return a note that lies next to the versions; an empty one where there is none, or none that is readable."""
        try:
            return dict(orjson.loads(path.read_bytes()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            self._add_problem(found, path, _described(error))
            return {}

    def problem(self, path: Path, reason: str) -> FolderProblem:
        """Return a problem of a folder or a file below the workspace."""
        return FolderProblem(str(path.relative_to(self._root)), reason)

    def _add_problem(self, found: FoundDocument, path: Path, reason: str) -> None:
        found.problems.append(self.problem(path, reason))


def _chunks_of(version: _Version, text: TextFile, limits: ChunkLimits) -> VersionChunks:
    record = version.record
    language = record.get("language") or text.language()
    return VersionChunks(version.row.document_id, version.number, text, page_starts_of(record), language, limits)


def _place_of_version(record: dict[str, Any]) -> KnownPlace:
    origin = record["origin"]
    return KnownPlace(
        record["source_id"],
        record["key"],
        record["uri"],
        record["collection_id"],
        record["document_id"],
        origin["fingerprint"],
        origin["size"],
        origin["modified_ns"],
        "ingested",
        "rebuilt",
        "",
        "",
        record["job_id"],
        record["ingested_at"],
        record["version"],
        container=record.get("container", ""),
    )


def _removed_places(places: list[KnownPlace], removal: dict[str, Any], newest: VersionRow) -> list[KnownPlace]:
    """Return what stays known of the places of a retired document: only of one that a person removed."""
    if removal.get("reason") != REMOVED_BY_PERSON:
        return []
    noted = removal.get("locations")
    if noted is not None:
        return [KnownPlace(**place) for place in noted]
    detail = f"removed by {removal.get('by', 'somebody')}"
    return [
        place._replace(
            document_id=None,
            outcome="retired",
            reason=REMOVED_BY_PERSON,
            detail=detail,
            at=removal.get("retired_at", place.at),
            removed_sha256=newest.raw_sha256,
            removed_content_hash=newest.content_hash,
        )
        for place in places
    ]


def _primary(places: list[KnownPlace], note: dict[str, Any], newest: dict[str, Any]) -> KnownPlace:
    by_place = {row.place_key: row for row in places}
    noted = note.get("primary", {})
    newest_place = (newest["source_id"], newest["key"])
    noted_place = (noted.get("source_id"), noted.get("key"))
    first, second = (newest_place, noted_place) if not note else (noted_place, newest_place)
    return by_place.get(first) or by_place.get(second) or places[0]


def _holds_anything(folder: Path) -> bool:
    """Whether a document folder without versions is more than what a crash left of placing the first."""
    try:
        return any(folder.iterdir())
    except FileNotFoundError:
        return False


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _described(error: BaseException) -> str:
    if isinstance(error, IngestError):
        return error.message
    if isinstance(error, KeyError):
        return f"{INGESTION} lacks {error}"
    return str(error) or type(error).__name__
