"""Make the catalogue again from documents/ and trash/, as if nothing had happened to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.chunking import HEADING_SEPARATOR, split_into_chunks
from ingest_tui.model.errors import StoreError
from ingest_tui.model.naming import file_name_of
from ingest_tui.store.atomic import sync_folder
from ingest_tui.store.catalogue import Catalogue, DocumentRow, LocationRow, VersionRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.layout import DOCUMENT, Layout

_BATCH = 500


class Rebuilder:
    """Fills a new catalogue beside the old one; the caller holds the commit lock and swaps them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._store = DocumentStore(layout)
        self.documents = 0
        self.versions = 0
        self.problems: list[str] = []

    def run(self, on_progress: Callable[[int], None] | None = None) -> None:
        """Rebuild and swap. The old catalogue stays until the new one is whole; rejected items are forgotten."""
        target = self._layout.catalogue
        fresh = target.with_name("catalogue.rebuild.db")
        _remove(fresh)
        catalogue = Catalogue(fresh)
        try:
            for retired in (False, True):
                self._add_all(catalogue, retired=retired, on_progress=on_progress)
            catalogue.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            catalogue.execute("PRAGMA journal_mode = DELETE")
        finally:
            catalogue.close()
        _remove(target, keep_main=True)
        fresh.rename(target)
        sync_folder(target.parent)

    def _add_all(self, catalogue: Catalogue, *, retired: bool, on_progress: Callable[[int], None] | None) -> None:
        pending: list[tuple[str, str, Path]] = []
        for place in self._store.walk(retired=retired):
            pending.append(place)
            if len(pending) >= _BATCH:
                self._add_batch(catalogue, pending, retired=retired)
                pending.clear()
                if on_progress:
                    on_progress(self.documents)
        self._add_batch(catalogue, pending, retired=retired)

    def _add_batch(self, catalogue: Catalogue, places: list[tuple[str, str, Path]], *, retired: bool) -> None:
        with catalogue.transaction():
            for collection_id, document_id, folder in places:
                try:
                    self._add(catalogue, collection_id, document_id, folder, retired=retired)
                except (StoreError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
                    self.problems.append(f"{collection_id}/{document_id}: {error}")

    def _add(self, catalogue: Catalogue, collection_id: str, document_id: str, folder: Path, *, retired: bool) -> None:
        records = [(number, path, self._store.ingestion(path)) for number, path in self._store.versions(folder)]
        if not records:
            return
        number, newest_folder, newest = records[-1]
        chunks = split_into_chunks(self._store.normalized(newest_folder))
        note = _note(folder)
        locations = _locations(note, newest)
        primary = _primary(locations, note, newest)
        document = DocumentRow(
            document_id=document_id,
            collection_id=collection_id,
            source_id=primary.source_id,
            source_type=newest["source_type"],
            uri=primary.uri,
            key=primary.key,
            title=newest["title"] if newest["title"] != newest["file_name"] else file_name_of(primary.key),
            file_name=file_name_of(primary.key),
            media_type=newest["mime_type"],
            version=number,
            raw_sha256=newest["raw_sha256"],
            content_hash=newest["content_hash"],
            bytes=newest["file_size"],
            chunks=len(chunks),
            backend=f"{newest['backend']} {newest['backend_version']}".strip(),
            state="retired" if retired else "active",
            created_at=newest["created_at"],
            updated_at=max(newest["ingested_at"], note.get("updated_at", "")),
            job_id=newest["job_id"],
        )
        catalogue.put_documents([document])
        catalogue.put_versions(_version(document_id, number, record) for number, _path, record in records)
        if not retired:
            catalogue.put_locations(locations)
            catalogue.add_chunks(
                (document_id, ordinal, HEADING_SEPARATOR.join(chunk.heading_path), chunk.text)
                for ordinal, chunk in enumerate(chunks)
            )
        self.documents += 1
        self.versions += len(records)


def _note(folder: Path) -> dict[str, Any]:
    path = folder / DOCUMENT
    return dict(orjson.loads(path.read_bytes())) if path.exists() else {}


def _locations(note: dict[str, Any], newest: dict[str, Any]) -> list[LocationRow]:
    """Return all places of a document: those noted, and that of the newest version when it is newer than the note."""
    noted = [LocationRow(**place) for place in note.get("locations", ())]
    places = {(row.source_id, row.key): row for row in noted}
    noted_version = max((row.version or 0 for row in noted), default=0)
    if newest["version"] > noted_version:
        origin = newest["origin"]
        places[(newest["source_id"], newest["key"])] = LocationRow(
            newest["source_id"],
            newest["key"],
            newest["uri"],
            newest["collection_id"],
            newest["document_id"],
            origin["fingerprint"],
            origin["size"],
            origin["modified_ns"],
            "ingested",
            "rebuilt",
            "",
            "",
            newest["job_id"],
            newest["ingested_at"],
            newest["version"],
        )
    return list(places.values())


def _primary(locations: list[LocationRow], note: dict[str, Any], newest: dict[str, Any]) -> LocationRow:
    by_place = {(row.source_id, row.key): row for row in locations}
    noted = note.get("primary", {})
    newest_place = (newest["source_id"], newest["key"])
    noted_place = (noted.get("source_id"), noted.get("key"))
    first, second = (
        (newest_place, noted_place) if newest_place in by_place and not note else (noted_place, newest_place)
    )
    return by_place.get(first) or by_place.get(second) or locations[0]


def _version(document_id: str, number: int, record: dict[str, Any]) -> VersionRow:
    return VersionRow(
        document_id,
        number,
        record["raw_sha256"],
        record["content_hash"],
        record["file_size"],
        record["mime_type"],
        f"{record['backend']} {record['backend_version']}".strip(),
        record["uri"],
        record["job_id"],
        record["ingested_at"],
    )


def _remove(path: Path, *, keep_main: bool = False) -> None:
    for suffix in ("-wal", "-shm") if keep_main else ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
