"""Moves found by the planner, and documents that are gone for certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ingest_tui.model.address import names_one_thing
from ingest_tui.model.attachments import mark_in
from ingest_tui.model.batching import batches
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.members import parent_of, place_within
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import schema_in
from ingest_tui.model.plan_line import ActionName, PlanLine
from ingest_tui.pipeline.commit.known_content import as_place_of
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.rules import ruleset_of
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.change import StoreChange, StoreWriter
from ingest_tui.store.kept_places import keep_places
from ingest_tui.store.records.plan_file import work_lines

SUPERSEDED = "superseded"
_BATCH = 200
_GONE: frozenset[ActionName] = frozenset({"retire", "forget", "keep"})


def carry_out_moves(job: JobContext, finished_keys: set[str], *, superseded: bool) -> None:
    """Give moved documents their new place: no byte is read, nothing is parsed."""
    lines = (line for line in work_lines(job.paths.plan, frozenset({"move"})) if line.key not in finished_keys)
    if superseded:
        _leave_to_the_newer_job(job, lines)
    else:
        _in_batches(job, lines, _move)


def _leave_to_the_newer_job(job: JobContext, lines: Iterator[PlanLine]) -> None:
    """Give listed items whose lines are out of date an outcome: what is to be done with them is no longer for us."""
    detail = "a newer job has listed the source since"
    for batch in batches(lines, _BATCH):
        job.outcomes.record(
            [Outcome(line.uri, line.key, "unchanged", SUPERSEDED, rfc3339_now(), detail) for line in batch]
        )


def retire_vanished(job: JobContext, finished_keys: set[str], *, superseded: bool) -> None:
    """Retire what a complete listing no longer names, forget what never was a document, count what is held.

    A key that came back to life meanwhile (its document moved) is passed over: its location is no longer there. So is
    everything when a newer job has listed the source since: what is gone is for that one to say.
    """
    lines = (line for line in work_lines(job.paths.plan, _GONE) if line.key not in finished_keys)
    if superseded:
        _leave_to_the_newer_job(job, (line for line in lines if line.refusal))
        return
    _in_batches(job, lines, _retire)
    if job.manifest.held is not None:
        held = (line.key for line in work_lines(job.paths.plan, frozenset({"hold"})))
        still_known = sum(len(job.reading.locations(job.source.source_id, keys)) for keys in batches(held, _BATCH))
        if still_known:
            job.manifest.held.documents = still_known
        else:
            job.manifest.held = None


def _in_batches(
    job: JobContext,
    lines: Iterator[PlanLine],
    work: Callable[[JobContext, StoreWriter, list[PlanLine]], list[Outcome]],
) -> None:
    catalogue = job.workspace.open_catalogue()
    try:
        for batch in batches(lines, _BATCH):
            job.controls.checkpoint()
            with job.committing(catalogue) as writer:
                outcomes = work(job, writer, batch)
            job.outcomes.record(outcomes)
    finally:
        catalogue.close()


def _move(job: JobContext, writer: StoreWriter, lines: list[PlanLine]) -> list[Outcome]:
    source, at, catalogue = job.source, rfc3339_now(), writer.catalogue
    change = StoreChange(at=at, by=job.manifest.job_id)
    old = catalogue.locations(source.source_id, (line.from_key or "" for line in lines))
    known = catalogue.documents(line.document_id or "" for line in lines)
    outcomes: list[Outcome] = []
    listed_by_others = _places_by_address(catalogue, source.collection_id, lines)
    for line in lines:
        before, document = old.get(line.from_key or ""), known.get(line.document_id or "")
        if before is None or document is None:
            continue
        for place in listed_by_others.get(line.uri, ()):  # it is this document to them too
            if place.document_id not in {None, document.document_id}:
                change.put_location(as_place_of(place, document.document_id, document.version))
                change.left.add(place.document_id or "")
        outcomes += _move_attached(job, change, catalogue, before, line)
        change.forgotten.add((source.source_id, before.key))
        change.noted.add(document.document_id)
        place_now = _place_after_move(job, before, line, at)
        change.put_location(place_now)
        if (document.source_id, document.key) == (source.source_id, before.key):
            moved = document.placed_at(source.source_id, line.key, line.uri, at)
            change.documents[document.document_id] = moved
        outcomes.append(_moved(place_now._replace(size=line.size), document, line))
    writer.carry_out(change)
    return outcomes


def _place_after_move(job: JobContext, before: KnownPlace, line: PlanLine, at: str) -> KnownPlace:
    return before._replace(
        key=line.key,
        uri=line.uri,
        fingerprint=line.fingerprint,
        modified_ns=line.modified_ns,
        outcome="moved",
        reason=line.reason,
        detail=line.detail,
        ruleset=_ruleset_after_move(job, before.ruleset),
        job_id=job.manifest.job_id,
        at=at,
    )


def _ruleset_after_move(job: JobContext, before: str) -> str:
    """Return the rules of now, with those of before where only reading the document would have followed new ones."""
    now = ruleset_of(job.source, None, job.workspace.settings)
    return mark_in(before) + now.removeprefix(mark_in(now)) + schema_in(before)


def _move_attached(
    job: JobContext, change: StoreChange, catalogue: Catalogue, before: KnownPlace, line: PlanLine
) -> list[Outcome]:
    """Take what is attached to a document along to its new place; returns the outcomes of what are documents."""
    rows = catalogue.members_below(before.source_id, before.key)
    known = catalogue.documents(row.document_id for row in rows if row.document_id)
    outcomes = []
    for row in rows:
        key, uri = place_within(row.key, before.key, (line.key, line.uri))
        change.forgotten.add(row.place_key)
        moved = row._replace(key=key, uri=uri, container=line.key, job_id=job.manifest.job_id, at=change.at)
        document = known.get(row.document_id or "")
        if document is None:
            change.put_location(moved)
            continue
        change.put_location(moved._replace(outcome="moved", reason=line.reason, detail=line.detail))
        change.noted.add(document.document_id)
        if (document.source_id, document.key) == row.place_key:
            there = document.placed_at(row.source_id, key, uri, change.at, is_member=True)
            change.documents[document.document_id] = there
        outcomes.append(_moved(moved, document, line))
    return outcomes


def _moved(row: KnownPlace, document: Document, line: PlanLine) -> Outcome:
    return Outcome(
        row.uri,
        row.key,
        "moved",
        line.reason,
        row.at,
        line.detail,
        document_id=document.document_id,
        version=document.version,
        raw_sha256=document.raw_sha256,
        content_hash=document.content_hash,
        bytes=row.size,
        media_type=document.media_type,
        parent=parent_of(row.uri) if row.container else None,
    )


def _places_by_address(catalogue: Catalogue, collection_id: str, lines: list[PlanLine]) -> dict[str, list[KnownPlace]]:
    places: dict[str, list[KnownPlace]] = {}
    for place in catalogue.places_at(collection_id, [line.uri for line in lines if names_one_thing(line.uri)]):
        places.setdefault(place.uri, []).append(place)
    return places


def _retire(job: JobContext, writer: StoreWriter, lines: list[PlanLine]) -> list[Outcome]:
    source_id = job.source.source_id
    at = rfc3339_now()
    kept = [line.key for line in lines if line.action == "keep"]
    lines = [line for line in lines if line.action != "keep"]
    known = writer.catalogue.locations(source_id, (line.key for line in lines))
    gone = [location for location in known.values() if location.document_id]
    change = StoreChange(at=at, by=job.manifest.job_id, reason="not_listed")
    change.forgotten = {(source_id, key) for key in known}
    change.left = {location.document_id or "" for location in gone}
    keep_places(change, writer.catalogue, source_id, kept)
    settled = writer.carry_out(change)
    retired_ids = {document.document_id for document in settled.retired}
    planned = {line.key: line for line in lines}
    left_out = [_left_out(line, at) for line in lines if line.refusal]
    lost = _retired_without_line(writer.catalogue, [line for line in lines if line.key not in known], at)
    retired = [
        Outcome(
            location.uri,
            location.key,
            "retired",
            planned[location.key].reason,
            at,
            "" if location.document_id in retired_ids else "the document stays: it has other places",
            document_id=location.document_id,
            version=location.version,
            bytes=location.size,
            parent=parent_of(location.uri) if location.container else None,
        )
        for location in gone
    ]
    return left_out + lost + retired


def _left_out(line: PlanLine, at: str) -> Outcome:
    """Return the outcome of a listed item that its source takes no more; its document is retired besides."""
    return Outcome(line.uri, line.key, "rejected", line.refusal, at, line.detail, bytes=line.size)


def _retired_without_line(catalogue: Catalogue, lines: list[PlanLine], at: str) -> list[Outcome]:
    """Return the lines of documents that were retired before a crash came between the catalogue and the journal."""
    known = catalogue.documents(line.document_id for line in lines if line.document_id)
    outcomes = []
    for line in lines:
        document = known.get(line.document_id or "")
        if document is None or document.state != "retired":
            continue
        outcomes.append(
            Outcome(
                line.uri,
                line.key,
                "retired",
                "not_listed",
                at,
                document_id=document.document_id,
                version=document.version,
                parent=parent_of(line.uri) if line.container else None,
            )
        )
    return outcomes
