"""One batch on its way into the store: what each item is, what is written for it, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ingest_tui.model.chunking import HEADING_SEPARATOR, split_into_chunks
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.outcome import Outcome, OutcomeName, short_warnings
from ingest_tui.model.plan import ARCHIVED, KILL_REASONS, PERMANENT_FAILURES
from ingest_tui.pipeline.commit.ingestion_record import extraction_differs, ingestion_record, version_row
from ingest_tui.pipeline.commit.known_content import Decision, FetchedItem, KnownContent, as_place_of
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.rules import parsers_of, ruleset_of
from ingest_tui.pipeline.stage import StagedItem, outcome_of_fetch_error
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import KillRow, LocationRow
from ingest_tui.store.change import PlacedVersion, StoreChange, StoreWriter


@dataclass(slots=True)
class Writes(StoreChange):
    """The change that a batch makes, with the outcomes of its items and those that have to be parsed after all."""

    unparsed: list[StagedItem] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class CommitBatch:
    """Commits batches of one job. Used by one thread."""

    def __init__(self, job: JobContext, catalogue: Catalogue, vanished: dict[str, set[str]]) -> None:
        self._job = job
        self._catalogue = catalogue
        self._documents = job.workspace.document_store
        self._source = job.source
        self._known = KnownContent(
            catalogue, collection_id=job.source.collection_id, source_id=job.source.source_id, vanished=vanished
        )
        self._is_asked_for = job.manifest.kind == "upload" or bool(job.manifest.options.get("force"))
        self._ruleset = ruleset_of(job.source)
        self._at = rfc3339_now()

    def commit(self, writer: StoreWriter, items: list[StagedItem]) -> tuple[list[Outcome], list[StagedItem]]:
        """Bring the items into the store.

        Returns their outcomes, which the caller writes to the journal, and the items that went unparsed because their
        bytes were known, but are needed as documents after all: the caller has them parsed and brings them again.
        """
        self._at = rfc3339_now()  # once for all: what is committed together happened at one time
        writes = Writes(at=self._at, by=self._job.manifest.job_id)
        self._look_up(items)
        for item in items:
            self._decide(item, writes)
        writer.carry_out(writes)
        placed = {folder for folder, _document in writes.placed}
        for item in items:
            if item.raw_path and item not in writes.unparsed and self._job.staging.folder(item.item_id) not in placed:
                self._job.staging.drop(item.item_id)
        self._job.manifest.counters.chunks_written += len(writes.chunks)
        return writes.outcomes, writes.unparsed

    # What is known of the items of a batch

    def _look_up(self, items: Iterable[StagedItem]) -> None:
        items = list(items)
        self._found = {item.item_id: _fetched(item) for item in items}
        self._known.look_up(list(self._found.values()))
        self._kills = self._catalogue.kills(self._source.source_id, [item.key for item in items])

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
        decision = self._known.decide(self._found[item.item_id], asked=self._is_asked_for, differs=self._differs(item))
        what = decision.classification
        if what.kind in {"new", "changed", "detached", "returned"}:
            self._ingest(item, decision, writes)
        elif what.kind == "removed":
            self._leave_removed(item, writes)
        elif what.kind == "same":
            document = self._known.documents[what.document_id or ""]
            self._put_places(item, decision, writes, document.document_id)
            self._settle(
                item, writes, "unchanged", "same_content", what.detail,
                document_id=document.document_id, version=document.version,
            )  # fmt: skip
        else:
            self._link(item, decision, writes)

    def _differs(self, item: StagedItem) -> Callable[[Document], bool]:
        """Return what compares an item that was read again on request with the text and metadata of a document."""
        result = item.result
        if result is None or not self._job.forced:
            return lambda _document: False

        def differs(document: Document) -> bool:
            folder = self._documents.folder(document.collection_id, document.document_id, document.version)
            try:
                return extraction_differs(item, result, self._documents.ingestion(folder))
            except IngestError:  # the record is damaged: a new version has one
                return True

        return differs

    def _killed(self, item: StagedItem, reason: str) -> KillRow:
        """Count that an item, as it is, killed its parser, as that is."""
        fingerprint = item.line.fingerprint
        before = self._kills.get(item.key)
        is_same = before is not None and (before.fingerprint, before.parsers) == (fingerprint, self._parsers)
        kills = 1 + before.kills if before is not None and is_same else 1
        return KillRow(self._source.source_id, item.key, fingerprint, reason, kills, self._parsers)

    @cached_property
    def _parsers(self) -> str:
        return parsers_of(self._source, self._job.workspace.settings)

    def _ingest(self, item: StagedItem, decision: Decision, writes: Writes) -> None:
        result = item.result
        if result is None:  # the document whose bytes it has was changed or removed meanwhile
            writes.unparsed.append(item)
            return
        what = decision.classification
        previous = self._known.previous(decision, item.key)
        document = self._document_row(item, result, previous)
        chunks = self._chunks(item, result)
        document = document._replace(chunks=len(chunks))
        folder = self._job.staging.folder(item.item_id)
        record = ingestion_record(item, document, self._job.connector)
        self._documents.write_ingestion(folder, record)
        writes.placed.append(PlacedVersion(folder, document))
        writes.documents[document.document_id] = document
        writes.versions.append(version_row(document))
        if previous is not None:
            writes.rechunked.add(document.document_id)
            writes.chunks = [row for row in writes.chunks if row[0] != document.document_id]
        if what.kind == "returned":
            writes.returned.add(document.document_id)
        writes.chunks += [(document.document_id, ordinal, path, text) for ordinal, (path, text) in enumerate(chunks)]
        self._known.put_document(document)
        self._put_places(item, decision, writes, document.document_id, version=document.version)
        planned = "changed" if item.line.reason in {"upload", "new"} else item.line.reason
        reason = {"new": "new", "detached": "changed", "returned": "returned"}.get(what.kind, planned)
        self._settle(
            item,
            writes,
            "ingested",
            reason,
            what.detail,
            document_id=document.document_id,
            version=document.version,
        )

    def _link(self, item: StagedItem, decision: Decision, writes: Writes) -> None:
        """A duplicate or a moved document: another place for a document that is here."""
        what = decision.classification
        document_id = what.document_id or ""
        document = self._known.documents[document_id]
        name: OutcomeName = "duplicate"
        detail = what.detail
        if what.kind == "moved":
            name = "moved"
            writes.forgotten |= {(self._source.source_id, key) for key in self._known.drop_places(document_id)}
            detail = f"was {document.key}; {what.detail}"
            moved = document.placed_at(self._source.source_id, item.key, item.line.uri, self._at)
            writes.documents[document_id] = moved
            self._known.put_document(moved)
        writes.noted.add(document_id)
        self._put_places(item, decision, writes, document_id, version=document.version)
        self._settle(item, writes, name, "same_content", detail, document_id=document_id, version=document.version)

    def _put_places(
        self, item: StagedItem, decision: Decision, writes: Writes, document_id: str, *, version: int | None = None
    ) -> None:
        """Give a document the item's place, and what else is known at its address; note which documents lose theirs."""
        placing = self._known.put_places(self._found[item.item_id], decision, document_id)
        for row in placing.moved:
            place = (row.source_id, row.key)
            writes.locations[place] = as_place_of(writes.locations.get(place, row), document_id, version)
        if decision.companions or decision.classification.kind in {"same", "returned"}:
            writes.noted.add(document_id)
        writes.left |= placing.losers

    def _leave_removed(self, item: StagedItem, writes: Writes) -> None:
        """A person removed this content: its place is known, so that the next sync need not look at it again."""
        removal = self._known.removal_of(self._found[item.item_id])
        detail = removal.detail if removal is not None else ""
        self._settle(item, writes, "unchanged", "removed", f"{detail}; the content is the same")
        place = (self._source.source_id, item.key)
        writes.locations[place] = writes.locations[place]._replace(
            outcome="retired",
            reason="removed",
            detail=detail,
            removed_sha256=item.raw_sha256,
            removed_content_hash=self._found[item.item_id].content_hash
            or (removal.removed_content_hash if removal else ""),
        )

    # Rows and records

    def _document_row(self, item: StagedItem, result: ParseResult, previous: Document | None) -> Document:
        at = self._at
        source = self._source
        document_id = previous.document_id if previous else self._known.new_document_id(item.key)
        return Document(
            document_id=document_id,
            collection_id=source.collection_id,
            source_id=source.source_id,
            source_type=source.source_type,
            uri=item.line.uri,
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
            writes.cleared_kills.add((self._source.source_id, item.key))
        known = self._known.locations.get(item.key)
        if document_id is None and known is not None:
            # What was searchable stays so: its last good version is kept.
            document_id, version = known.document_id, known.version
        elif version is None and known is not None:
            version = known.version
        at = self._at
        # Never unchanged: what failed in a way that may pass, or was found to be archived only when it was asked for.
        failed_for_good = name == "failed" and phase == "extract" and reason in PERMANENT_FAILURES
        is_settled = failed_for_good or not (name == "failed" or reason == ARCHIVED)
        location = LocationRow(
            self._source.source_id,
            item.key,
            line.uri,
            self._source.collection_id,
            document_id,
            line.fingerprint if is_settled else "",
            line.size,
            line.modified_ns,
            name,
            reason,
            detail,
            self._ruleset,
            self._job.manifest.job_id,
            at,
            version,
            parsers=self._parsers if failed_for_good else "",
            removed_sha256=known.removed_sha256 if known is not None and document_id is None else "",
            removed_content_hash=known.removed_content_hash if known is not None and document_id is None else "",
        )
        writes.put_location(location)
        writes.outcomes.append(
            Outcome(
                line.uri,
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
                item.size if item.raw_sha256 else line.size,
                (result.media_type or None) if result else None,
                (result.backend or None) if result else None,
                round(result.milliseconds) if result else None,
                phase,
                short_warnings([finding.message for finding in result.validation]) if result else (),
            )
        )


def _fetched(item: StagedItem) -> FetchedItem:
    content_hash = item.result.content_hash if item.result else ""
    return FetchedItem(item.key, item.line.uri, item.raw_sha256, content_hash)
