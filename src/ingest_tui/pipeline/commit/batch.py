"""One batch on its way into the store: what each item is, what is written for it, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ingest_tui.model.chunking import chunks_of_version
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.outcome import Outcome, OutcomeName
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import KILL_REASONS, ROLLED_BACK, RULES_CHANGED
from ingest_tui.pipeline.commit.containers import (
    MANY_GONE,
    are_too_many,
    decide_container,
    gone_members,
    retire_members,
)
from ingest_tui.pipeline.commit.ending import ItemEnding, is_news, left_removed, outcome_of, place_of
from ingest_tui.pipeline.commit.ingestion_record import extraction_differs, ingestion_record
from ingest_tui.pipeline.commit.known_content import Decision, FetchedItem, KnownContent, as_place_of
from ingest_tui.pipeline.job.attachments import attachments_of
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.deletions import hold_rule_of
from ingest_tui.pipeline.plan.rules import parsers_of, ruleset_of
from ingest_tui.pipeline.stage import outcome_of_fetch_error
from ingest_tui.pipeline.staged_item import KEY_TAKEN, OpenContainer, StagedItem
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rows import KillRow, VersionRow
from ingest_tui.store.change import Chunks, PlacedVersion, StoreChange, StoreWriter
from ingest_tui.store.version_chunks import TextFile, VersionChunks


@dataclass(slots=True)
class Writes(StoreChange):
    """The change that a batch makes, with the outcomes of its items and those that have to be parsed after all."""

    unparsed: list[StagedItem] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    gone: list[Outcome] = field(default_factory=list)
    """Of members that their containers have no more."""


class CommitBatch:
    """Commits batches of one job. Used by one thread."""

    def __init__(
        self, job: JobContext, catalogue: Catalogue, vanished: dict[str, set[str]], finished_keys: set[str]
    ) -> None:
        self._job = job
        self._finished_keys = finished_keys
        self._catalogue = catalogue
        self._documents = job.workspace.document_store
        self._source = job.source
        self._known = KnownContent(
            catalogue, collection_id=job.source.collection_id, source_id=job.source.source_id, vanished=vanished
        )
        self._is_asked_for = job.manifest.kind == "upload" or bool(job.manifest.options.get("force"))
        self._takes_attachments = attachments_of(job.source, job.workspace.settings) == "documents"
        self._ruleset = ruleset_of(job.source, job.schema, job.workspace.settings)
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
        # First: nothing on disk shows afterwards that this job has retired them.
        self._job.outcomes.record(outcome for outcome in writes.gone if outcome.key not in self._finished_keys)
        writer.carry_out(writes)
        placed = {folder for folder, _document in writes.placed}
        for item in items:
            if item.raw_path and item not in writes.unparsed and self._job.staging.folder(item.item_id) not in placed:
                self._job.staging.drop(item.item_id)
        self._job.manifest.counters.chunks_written += sum(map(len, writes.chunks.values()))
        return writes.outcomes, writes.unparsed

    # What is known of the items of a batch

    def _look_up(self, items: Iterable[StagedItem]) -> None:
        items = list(items)
        self._found = {item.item_id: _fetched(item) for item in items}
        self._known.look_up(list(self._found.values()))
        self._kills = self._catalogue.kills(self._source.source_id, [item.key for item in items])

    # Decisions

    def _decide(self, item: StagedItem, writes: Writes) -> None:
        if self._is_taken(item, writes):
            detail = "something else in the source has the same key: an archive next to a file named like its member"
            self._settle(
                item, writes, ItemEnding("rejected", KEY_TAKEN, detail, hint="rename one of them", keeps_place=True)
            )
            return
        if item.members is not None and item.result is not None and item.result.status == "container":
            self._close_container(item, item.members, writes)
            return
        if item.error is not None:
            hint = item.error.hint
            name: OutcomeName = "rejected" if outcome_of_fetch_error(item.error) == "rejected" else "failed"
            self._settle(
                item, writes, ItemEnding(name, item.error.reason, item.error.message, hint=hint, phase="stage")
            )
            return
        result = item.result
        was_read = result is not None and (result.status == "parsed" or result.members > 0)
        if was_read and not self._retire_former_members(item, writes):
            return
        if result is not None and result.status != "parsed":
            names: dict[str, OutcomeName] = {"empty": "empty", "rejected": "rejected", "failed": "failed"}
            name = names[result.status]
            if result.reason in KILL_REASONS and not item.kills:  # a member in quarantine was not parsed
                writes.kills.append(self._killed(item, result.reason))
                item.kills = writes.kills[-1].kills
            self._settle(
                item, writes, ItemEnding(name, result.reason, result.detail, hint=result.hint, phase="extract")
            )
            return
        decision = self._known.decide(self._found[item.item_id], asked=self._is_asked_for, differs=self._differs(item))
        what = decision.classification
        if what.kind in {"new", "changed", "detached", "returned"}:
            self._ingest(item, decision, writes)
        elif what.kind in {"removed", "rolled_back"}:
            leave = self._leave_removed if what.kind == "removed" else self._leave_rolled_back
            leave(item, decision, writes)
        elif what.kind == "same":
            document = self._readdressed(item, self._known.documents[what.document_id or ""], writes)
            self._put_places(item, decision, writes, document.document_id)
            self._settle(
                item,
                writes,
                ItemEnding(
                    "unchanged", "same_content", what.detail, document_id=document.document_id, version=document.version
                ),
            )
        else:
            self._link(item, decision, writes)

    def _readdressed(self, item: StagedItem, document: Document, writes: Writes) -> Document:
        """Return the document of a member whose container has another address, as one that is there."""
        is_primary = (document.source_id, document.key) == (self._source.source_id, item.key)
        if item.parent is None or not is_primary or document.uri == item.line.uri:
            return document
        there = document.placed_at(document.source_id, document.key, item.line.uri, self._at, is_member=True)
        writes.documents[document.document_id] = there
        writes.noted.add(document.document_id)
        self._known.put_document(there)
        return there

    # Containers

    def _is_taken(self, item: StagedItem, writes: Writes) -> bool:
        """Whether an item has the key of a member, or a member that of an item: who came first keeps it."""
        row = writes.locations.get((self._source.source_id, item.key)) or self._known.locations.get(item.key)
        return row is not None and bool(row.container) != bool(item.line.container)

    def _close_container(self, item: StagedItem, container: OpenContainer, writes: Writes) -> None:
        """All members of a container are committed: note it as read, and retire what it has no more."""
        known = self._known.locations.get(item.key)
        if known is not None and known.document_id is not None:  # it was a document before
            writes.left.add(known.document_id)
        gone = [] if container.damage else gone_members(self._catalogue, self._source.source_id, item.key, container)
        if self._is_held(item, gone, writes):
            return
        retired = retire_members(writes, gone)
        writes.gone += retired
        decided = decide_container(
            container.counts,
            retired=len(retired),
            was_known=known is not None and known.outcome in {"ingested", "unchanged"},
            has_news=container.has_news or bool(gone),
            planned=item.line.reason,
            damage=container.damage,
        )
        self._settle(
            item, writes, ItemEnding(*decided, phase="extract" if container.damage else "commit", is_document=False)
        )

    def _retire_former_members(self, item: StagedItem, writes: Writes) -> bool:
        """Retire members that a document has no more, or had as a container; returns whether they may go.

        Where attachments are no documents any more, those of before are for the plan, which holds them.
        """
        known = self._known.locations.get(item.key)
        if known is None or (item.members is not None and item.members.damage):
            return True
        if known.document_id is None or self._takes_attachments:
            gone = gone_members(self._catalogue, self._source.source_id, item.key, item.members)
            if self._is_held(item, gone, writes):
                return False
            writes.gone += retire_members(writes, gone)
        return True

    def _is_held(self, item: StagedItem, gone: list[KnownPlace], writes: Writes) -> bool:
        """Whether so many members are gone that a person has to allow it; then the item failed, and they stay."""
        if not gone or self._job.manifest.kind == "upload":  # who uploads has chosen it
            return False
        rule = hold_rule_of(self._source, self._job.workspace.settings)
        detail = are_too_many(self._catalogue, self._source.source_id, gone, rule)
        if detail:
            is_document = item.result is None or item.result.status != "container"
            self._settle(item, writes, ItemEnding("failed", MANY_GONE, detail, is_document=is_document))
        return bool(detail)

    def _differs(self, item: StagedItem) -> Callable[[Document], bool]:
        """Return what compares an item that was read again with the text and metadata of a document."""
        result = item.result
        if result is None or not (self._job.forced or item.line.reason == RULES_CHANGED):
            return lambda _document: False

        def differs(document: Document) -> bool:
            folder = self._documents.folder(document.collection_id, document.document_id, document.version)
            try:
                record = self._documents.ingestion(folder)
                is_own = document.source_id == self._source.source_id  # else another source says how it is cut
                rules, asked = self._job.chunking.rules if is_own else None, self._job.forced
                is_lost = asked and not self._documents.holds(folder, document.raw_sha256, document.content_hash)
                return is_lost or extraction_differs(item, result, record, rules, asked=asked)
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
        chunks = self._chunks(item, result, document)
        document = document._replace(chunks=len(chunks))
        folder = self._job.staging.folder(item.item_id)
        own = self._source.overrides.chosen() if self._job.connector is None else {}
        record = ingestion_record(item, document, self._job.connector, self._job.chunking.rules, own)
        self._documents.write_ingestion(folder, record)
        writes.placed.append(PlacedVersion(folder, document))
        writes.documents[document.document_id] = document
        writes.versions.append(VersionRow.of_current(document))
        if previous is not None:
            writes.rechunked.add(document.document_id)
        if what.kind == "returned":
            writes.returned.add(document.document_id)
        writes.chunks[document.document_id] = chunks
        self._known.put_document(document)
        self._put_places(item, decision, writes, document.document_id, version=document.version)
        planned = "changed" if item.line.reason in {"upload", "new"} else item.line.reason
        reason = {"new": "new", "detached": "changed", "returned": "returned"}.get(what.kind, planned)
        self._settle(
            item,
            writes,
            ItemEnding("ingested", reason, what.detail, document_id=document.document_id, version=document.version),
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
            is_member = item.parent is not None
            moved = document.placed_at(self._source.source_id, item.key, item.line.uri, self._at, is_member=is_member)
            writes.documents[document_id] = moved
            self._known.put_document(moved)
        writes.noted.add(document_id)
        self._put_places(item, decision, writes, document_id, version=document.version)
        self._settle(
            item, writes, ItemEnding(name, "same_content", detail, document_id=document_id, version=document.version)
        )

    def _put_places(
        self, item: StagedItem, decision: Decision, writes: Writes, document_id: str, *, version: int | None = None
    ) -> None:
        """Give a document the item's place, and what else is known at its address; note which documents lose theirs."""
        placing = self._known.put_places(self._found[item.item_id], decision, document_id)
        for row in placing.moved:
            place = row.place_key
            writes.locations[place] = as_place_of(writes.locations.get(place, row), document_id, version)
        if decision.companions or decision.classification.kind in {"same", "returned"}:
            writes.noted.add(document_id)
        writes.left |= placing.losers

    def _leave_removed(self, item: StagedItem, _decision: Decision, writes: Writes) -> None:
        """A person removed this content: its place is known, so that the next sync need not look at it again."""
        removal = self._known.removal_of(self._found[item.item_id])
        detail = removal.detail if removal is not None else ""
        self._settle(item, writes, ItemEnding("unchanged", "removed", left_removed(detail)))
        place = (self._source.source_id, item.key)
        writes.locations[place] = writes.locations[place]._replace(
            outcome="retired",
            reason="removed",
            detail=detail,
            removed_sha256=item.raw_sha256,
            removed_content_hash=self._found[item.item_id].content_hash
            or (removal.removed_content_hash if removal else ""),
        )

    def _leave_rolled_back(self, item: StagedItem, decision: Decision, writes: Writes) -> None:
        """A person went back from this content: the document stays as it is until other content comes, or they ask."""
        what, known = decision.classification, self._known.locations[item.key]
        detail = f"{what.detail}; the content is the same"
        self._settle(item, writes, ItemEnding("unchanged", ROLLED_BACK, detail, document_id=what.document_id))
        place = (self._source.source_id, item.key)
        writes.locations[place] = writes.locations[place]._replace(
            removed_sha256=known.removed_sha256, removed_content_hash=known.removed_content_hash
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
            title=result.title or item.file_name,
            file_name=item.file_name,
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

    def _chunks(self, item: StagedItem, result: ParseResult, document: Document) -> Chunks:
        """Return the chunks of a version; those that no parser has cut are read from its text, where that is then."""
        limits = self._job.chunking
        if result.chunks is not None:
            cut = chunks_of_version(
                document.document_id, document.version, result.chunks, result.language, limits.rules
            )
            return list(cut)
        staged = TextFile(Path(self._job.staging.normalized(item.item_id)))
        chunks = VersionChunks(
            document.document_id, document.version, staged, result.page_starts, result.language, limits
        )
        folder = self._documents.folder(document.collection_id, document.document_id, document.version)
        return chunks.moved_to(TextFile(self._documents.normalized_path(folder)))

    def _settle(self, item: StagedItem, writes: Writes, ending: ItemEnding) -> None:
        """Note what is known from now on of the item's place, and its outcome."""
        if item.key in self._kills and ending.name != "failed":
            writes.cleared_kills.add((self._source.source_id, item.key))
        before = self._known.locations.get(item.key)
        known = before if ending.is_document and not ending.keeps_place else None
        ending = ending.of_known_document(known)
        if not ending.keeps_place:
            place = place_of(
                item,
                ending,
                known,
                source=self._source,
                ruleset=self._ruleset,
                parsers=self._parsers if ending.is_permanent_failure else "",
                job_id=self._job.manifest.job_id,
                at=self._at,
            )
            writes.put_location(place)
        item.is_news = is_news(item, ending, before)
        item.outcome = outcome_of(item, ending, self._at)
        writes.outcomes.append(item.outcome)


def _fetched(item: StagedItem) -> FetchedItem:
    content_hash = item.result.content_hash if item.result else ""
    return FetchedItem(item.key, item.line.uri, item.raw_sha256, content_hash)
