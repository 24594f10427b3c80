"""One batch on its way into the store: what each item is, what is written for it, and its outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ingest_tui.model.chunking import HEADING_SEPARATOR, split_into_chunks
from ingest_tui.model.classify import Classification, Holder, classify
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.naming import file_name_of
from ingest_tui.model.outcome import Outcome, OutcomeName, short_warnings
from ingest_tui.model.plan import ARCHIVED, KILL_REASONS
from ingest_tui.pipeline.job_run import JobRun, now
from ingest_tui.pipeline.planning import parsers_of, ruleset_of
from ingest_tui.pipeline.records import ingestion_record, version_row
from ingest_tui.pipeline.retire import settle_documents_without_places
from ingest_tui.pipeline.stage import StagedItem, outcome_of_fetch_error
from ingest_tui.store.catalogue import Catalogue, DocumentRow, KillRow, LocationRow, VersionRow, placed_at
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.journal import Journal


@dataclass(slots=True)
class Writes:
    """What a batch will write, gathered before anything is touched."""

    placed: list[tuple[StagedItem, DocumentRow]] = field(default_factory=list)
    documents: dict[str, DocumentRow] = field(default_factory=dict)
    versions: list[VersionRow] = field(default_factory=list)
    locations: dict[str, LocationRow] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    chunks: list[tuple[str, int, str, str]] = field(default_factory=list)
    rechunked: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    kills: list[KillRow] = field(default_factory=list)
    tamed: list[str] = field(default_factory=list)
    unparsed: list[StagedItem] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class CommitBatch:
    """Commits batches of one job. Used by one thread, which holds the commit lock meanwhile."""

    def __init__(
        self,
        job: JobRun,
        catalogue: Catalogue,
        documents: DocumentStore,
        intents: Journal,
        vanished: dict[str, set[str]],
    ) -> None:
        self._job = job
        self._catalogue = catalogue
        self._documents = documents
        self._intents = intents
        self._vanished = vanished
        self._source = job.source
        self._ruleset = ruleset_of(job.source)
        self._at = now()

    def commit(self, items: list[StagedItem]) -> tuple[list[Outcome], list[StagedItem]]:
        """Bring the items into the store.

        Returns their outcomes, which the caller writes to the journal, and the items that went unparsed because their
        bytes were known, but are needed as documents after all: the caller has them parsed and brings them again.
        """
        writes = Writes()
        at = self._at = now()  # once for all: what is committed together happened at one time
        self._look_up(items)
        for item in items:
            self._decide(item, writes)
        if writes.placed or writes.returned:
            self._place(writes)
        with self._catalogue.transaction():
            self._catalogue.remove_chunks(writes.rechunked)
            self._catalogue.put_documents(writes.documents.values())
            self._catalogue.put_versions(writes.versions)
            self._catalogue.put_locations(writes.locations.values())
            self._catalogue.forget_locations(self._source.source_id, writes.forgotten)
            self._catalogue.add_chunks(writes.chunks)
            self._catalogue.put_kills(writes.kills)
            self._catalogue.forget_kills(self._source.source_id, writes.tamed)
            retired, kept = settle_documents_without_places(self._catalogue, writes.left, at)
            # Before the catalogue commits: a note ahead of it is true, a note that is missing would never be written.
            self._note_places(writes.noted | {document.document_id for document in kept})
        for document in retired:
            self._documents.retire(
                document.collection_id, document.document_id, reason="replaced", at=at, by=self._job.manifest.job_id
            )
        for item in items:
            if item.raw_path and item not in writes.unparsed:
                self._job.staging.drop(item.item_id)
        self._job.manifest.counters.chunks_written += len(writes.chunks)
        return writes.outcomes, writes.unparsed

    def _note_places(self, document_ids: set[str]) -> None:
        documents = self._catalogue.documents(document_ids).values()
        self._documents.note_locations(
            (document, self._catalogue.locations_of(document.document_id)) for document in documents
        )

    def _place(self, writes: Writes) -> None:
        """Steps (1) and (2): durable in staging, intent durable, then renamed, then that durable."""
        collection_id = self._source.collection_id
        for document_id in writes.returned:
            self._documents.bring_back(collection_id, document_id)
        for item, document in writes.placed:
            record = ingestion_record(item, document, self._job.connector)
            self._documents.write_ingestion(self._job.staging.folder(item.item_id), record)
        self._intents.append(
            (
                {
                    "document_id": document.document_id,
                    "version": document.version,
                    "collection_id": collection_id,
                    "item_id": item.item_id,
                }
                for item, document in writes.placed
            ),
            durable=False,
        )
        self._documents.sync()
        for item, document in writes.placed:
            folder = self._job.staging.folder(item.item_id)
            self._documents.place(folder, collection_id, document.document_id, document.version)
            item.raw_path = ""
        self._documents.sync()

    # What is known of the items of a batch

    def _look_up(self, items: Iterable[StagedItem]) -> None:
        source, collection = self._source.source_id, self._source.collection_id
        keys = [item.key for item in items]
        self._known = self._catalogue.locations(source, keys)
        here = {location.document_id for location in self._known.values() if location.document_id}
        self._here = self._catalogue.documents(here)
        new_keys = [key for key in keys if key not in self._known]
        self._returning = self._catalogue.retired_at(source, new_keys)
        hashes = [item.result.content_hash for item in items if item.result and item.result.content_hash]
        raw = (item.raw_sha256 for item in items if item.raw_sha256)
        self._twins: dict[str, list[str]] = {}
        for document in self._catalogue.documents_matching(collection, "raw_sha256", raw):
            self._twins.setdefault(document.raw_sha256, []).append(document.document_id)
            self._here.setdefault(document.document_id, document)
        for document in self._catalogue.documents_matching(collection, "content_hash", hashes):
            self._twins.setdefault(document.content_hash, []).append(document.document_id)
            self._here.setdefault(document.document_id, document)
        self._kills = self._catalogue.kills(source, keys)
        self._taken_ids: set[str] = set()
        self._places: dict[str, set[tuple[str, str]]] = {}

    def _places_of(self, document_id: str) -> set[tuple[str, str]]:
        places = self._places.get(document_id)
        if places is None:
            rows = self._catalogue.locations_of(document_id)
            places = self._places[document_id] = {(row.source_id, row.key) for row in rows}
        return places

    def _holder(self, document: DocumentRow, key: str) -> Holder:
        places = self._places_of(document.document_id)
        gone = {(self._source.source_id, key) for key in self._vanished.get(document.document_id, ())}
        return Holder(
            document.document_id,
            document.raw_sha256,
            document.content_hash,
            is_primary_here=(document.source_id, document.key) == (self._source.source_id, key),
            places=len(places),
            all_places_vanished=bool(places) and places <= gone,
        )

    # Decisions

    def _decide(self, item: StagedItem, writes: Writes) -> None:
        if item.error is not None:
            hint = item.error.hint
            name: OutcomeName = "rejected" if outcome_of_fetch_error(item.error) == "rejected" else "failed"
            self._settle(item, writes, name, item.error.reason, item.error.message, hint=hint, phase="stage")
            return
        result = item.result
        if result is not None and result.status != "parsed":
            names: dict[str, OutcomeName] = {"empty": "empty", "rejected": "rejected", "failed": "failed"}
            name = names[result.status]
            if result.reason in KILL_REASONS:
                writes.kills.append(self._killed(item, result.reason))
            self._settle(item, writes, name, result.reason, result.detail, hint=result.hint, phase="extract")
            return
        decision = self._classify(item)
        if decision.kind in {"new", "changed", "detached", "returned"}:
            self._ingest(item, decision, writes)
        elif decision.kind == "same":
            writes.noted.add(decision.document_id or "")
            self._settle(item, writes, "unchanged", "same_content", decision.detail, document_id=decision.document_id)
        else:
            self._link(item, decision, writes)

    def _killed(self, item: StagedItem, reason: str) -> KillRow:
        """Count that an item, as it is, killed its parser, as that is."""
        fingerprint = item.line.get("fingerprint", "")
        before = self._kills.get(item.key)
        is_same = before is not None and (before.fingerprint, before.parsers) == (fingerprint, self._parsers)
        kills = 1 + before.kills if before is not None and is_same else 1
        return KillRow(self._source.source_id, item.key, fingerprint, reason, kills, self._parsers)

    @cached_property
    def _parsers(self) -> str:
        return parsers_of(self._source, self._job.workspace.settings)

    def _classify(self, item: StagedItem) -> Classification:
        location = self._known.get(item.key)
        here = self._here.get(location.document_id) if location and location.document_id else None
        if here is not None and here.state != "active":
            here = None
        content_hash = item.result.content_hash if item.result else ""
        twin = self._twin(item.raw_sha256, content_hash, besides=here)
        forced = self._job.manifest.options.get("force")
        if forced and here is not None and item.result and here.content_hash != content_hash:
            return Classification("changed", here.document_id, "extracted anew")
        returning = self._returning.get(item.key)
        return classify(
            item.raw_sha256,
            content_hash,
            here=self._holder(here, item.key) if here else None,
            twin=self._holder(twin, item.key) if twin else None,
            returning=self._holder(returning, item.key) if returning else None,
        )

    def _twin(self, raw_sha256: str, content_hash: str, *, besides: DocumentRow | None) -> DocumentRow | None:
        """Return a document with the same bytes, else one with the same text, as things stand within this batch."""
        for wanted, column in ((raw_sha256, "raw_sha256"), (content_hash, "content_hash")):
            for document_id in self._twins.get(wanted, ()) if wanted else ():
                document = self._here[document_id]
                is_other = besides is None or document_id != besides.document_id
                if is_other and document.state == "active" and getattr(document, column) == wanted:
                    return document
        return None

    def _ingest(self, item: StagedItem, decision: Classification, writes: Writes) -> None:
        result = item.result
        if result is None:  # the document whose bytes it has was changed or removed meanwhile
            writes.unparsed.append(item)
            return
        previous = self._here.get(decision.document_id or "") or self._returning.get(item.key)
        if decision.document_id is None:
            previous = None
        document = self._document_row(item, result, previous)
        chunks = self._chunks(item, result)
        document = document._replace(chunks=len(chunks))
        writes.placed.append((item, document))
        writes.documents[document.document_id] = document
        writes.versions.append(version_row(document))
        if previous is not None:
            writes.rechunked.add(document.document_id)
            writes.chunks = [row for row in writes.chunks if row[0] != document.document_id]
        if decision.kind == "returned":
            writes.returned.add(document.document_id)
        writes.chunks += [(document.document_id, ordinal, path, text) for ordinal, (path, text) in enumerate(chunks)]
        self._here[document.document_id] = document
        self._twins.setdefault(document.raw_sha256, []).append(document.document_id)
        self._twins.setdefault(document.content_hash, []).append(document.document_id)
        self._leave(item, writes, unless=document.document_id)
        self._places.setdefault(document.document_id, set()).add((self._source.source_id, item.key))
        planned = "changed" if item.line["reason"] in {"upload", "new"} else item.line["reason"]
        reason = {"new": "new", "detached": "changed", "returned": "returned"}.get(decision.kind, planned)
        self._settle(
            item,
            writes,
            "ingested",
            reason,
            decision.detail,
            document_id=document.document_id,
            version=document.version,
        )

    def _link(self, item: StagedItem, decision: Classification, writes: Writes) -> None:
        """A duplicate or a moved document: another place for a document that is here."""
        document_id = decision.document_id or ""
        document = self._here[document_id]
        old_places = set(self._places_of(document_id))
        self._places[document_id].add((self._source.source_id, item.key))
        name: OutcomeName = "duplicate"
        detail = decision.detail
        if decision.kind == "moved":
            name = "moved"
            gone = {key for source_id, key in old_places if source_id == self._source.source_id}
            writes.forgotten |= gone
            self._places[document_id] = {(self._source.source_id, item.key)}
            self._vanished.pop(document_id, None)
            detail = f"was {document.key}; {decision.detail}"
            moved = placed_at(document, self._source.source_id, item.key, item.line["uri"], self._at)
            writes.documents[document_id] = moved
            self._here[document_id] = moved
        else:
            self._leave(item, writes, unless=document_id)
        writes.noted.add(document_id)
        self._settle(item, writes, name, "same_content", detail, document_id=document_id, version=document.version)

    def _leave(self, item: StagedItem, writes: Writes, *, unless: str) -> None:
        """Note that the document which was known at the item's place has lost it."""
        location = self._known.get(item.key)
        if location is None or location.document_id in {None, unless}:
            return
        writes.left.add(location.document_id or "")
        self._places_of(location.document_id or "").discard((self._source.source_id, item.key))

    # Rows and records

    def _document_row(self, item: StagedItem, result: ParseResult, previous: DocumentRow | None) -> DocumentRow:
        at = self._at
        source = self._source
        document_id = (
            previous.document_id
            if previous
            else self._catalogue.new_document_id(
                source.collection_id, source.source_id, item.key, taken=self._taken_ids
            )
        )
        return DocumentRow(
            document_id=document_id,
            collection_id=source.collection_id,
            source_id=source.source_id,
            source_type=source.source_type,
            uri=item.line["uri"],
            key=item.key,
            title=result.title or file_name_of(item.key),
            file_name=file_name_of(item.key),
            media_type=result.media_type,
            version=previous.version + 1 if previous else 1,
            raw_sha256=item.raw_sha256,
            content_hash=result.content_hash,
            bytes=item.size,
            chunks=0,
            backend=f"{result.backend} {result.backend_version}".strip(),
            state="active",
            created_at=previous.created_at if previous else at,
            updated_at=at,
            job_id=self._job.manifest.job_id,
        )

    def _chunks(self, item: StagedItem, result: ParseResult) -> list[tuple[str, str]]:
        if result.chunks is not None:
            return [(HEADING_SEPARATOR.join(path), text) for path, text in result.chunks]
        text = Path(self._job.staging.normalized(item.item_id)).read_text(encoding="utf-8")
        return [(HEADING_SEPARATOR.join(path), chunk) for path, chunk in split_into_chunks(text)]

    def _settle(
        self,
        item: StagedItem,
        writes: Writes,
        name: OutcomeName,
        reason: str,
        detail: str = "",
        *,
        hint: str = "",
        document_id: str | None = None,
        version: int | None = None,
        phase: str = "commit",
    ) -> None:
        """Note what is known from now on of the item's place, and its outcome."""
        line, result = item.line, item.result
        if item.key in self._kills and name != "failed":
            writes.tamed.append(item.key)
        known = self._known.get(item.key)
        if document_id is None and known is not None:
            # What was searchable stays so: its last good version is kept.
            document_id, version = known.document_id, known.version
        elif version is None and known is not None:
            version = known.version
        at = self._at
        location = LocationRow(
            self._source.source_id,
            item.key,
            line["uri"],
            self._source.collection_id,
            document_id,
            # What failed, or was found to be archived only when it was asked for, is never unchanged next time.
            "" if name == "failed" or reason == ARCHIVED else line.get("fingerprint", ""),
            line.get("size"),
            line.get("modified_ns"),
            name,
            reason,
            detail,
            self._ruleset,
            self._job.manifest.job_id,
            at,
            version,
        )
        writes.locations[item.key] = location
        writes.outcomes.append(
            Outcome(
                line["uri"],
                item.key,
                name,
                reason,
                at,
                detail,
                hint,
                document_id,
                version,
                item.raw_sha256 or None,
                (result.content_hash or None) if result else None,
                item.size if item.raw_sha256 else line.get("size"),
                (result.media_type or None) if result else None,
                (result.backend or None) if result else None,
                round(result.milliseconds) if result else None,
                phase,
                short_warnings([finding.message for finding in result.validation]) if result else (),
            )
        )
