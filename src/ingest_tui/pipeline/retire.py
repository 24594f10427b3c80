"""Moves found by the planner, and documents that are gone for certain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.job_run import JobRun, now
from ingest_tui.pipeline.planning import ruleset_of
from ingest_tui.store.catalogue import Catalogue, DocumentRow, LocationRow, placed_at
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.journal import read_journal
from ingest_tui.store.plans import work_lines

_BATCH = 200
Line = dict[str, Any]


def carry_out_moves(job: JobRun, finished_keys: set[str]) -> None:
    """Give moved documents their new place: no byte is read, nothing is parsed."""
    if job.overtaken_by:
        return
    lines = (
        line for line in work_lines(job.paths.plan) if line["action"] == "move" and line["key"] not in finished_keys
    )
    _in_batches(job, lines, _move)


def retire_vanished(job: JobRun, finished_keys: set[str]) -> None:
    """Retire what a complete listing no longer names, forget what never was a document, count what is held.

    A key that came back to life meanwhile (its document moved) is passed over: its location is no longer there. So is
    everything when a newer job has listed the source since: what is gone is for that one to say.
    """
    if job.overtaken_by:
        return
    actions = {"retire", "forget"}
    lines = (
        line for line in work_lines(job.paths.plan) if line["action"] in actions and line["key"] not in finished_keys
    )
    _in_batches(job, lines, _retire)
    if job.manifest.held is not None:
        held = [line["key"] for line in work_lines(job.paths.plan) if line["action"] == "hold"]
        still_known = sum(
            len(job.reading.locations(job.source.source_id, held[start : start + _BATCH]))
            for start in range(0, len(held), _BATCH)
        )
        if still_known:
            job.manifest.held.documents = still_known
        else:
            job.manifest.held = None


def finish_retirements(job: JobRun) -> None:
    """Move to the trash what failed jobs of the source have retired in the catalogue and could not move.

    No plan of ours names it: to the catalogue it is gone already. A rebuild would bring it back.
    """
    documents = DocumentStore(job.workspace.layout)
    for failed in _failed_since_the_last_success(job):
        plan = job.workspace.jobs.paths(failed.job_id).plan
        lines = (line for line in read_journal(plan) if line["action"] == "retire" and line.get("document_id"))
        for batch in _batches(lines):
            for document in job.reading.documents(line["document_id"] for line in batch).values():
                if document.state == "retired":
                    documents.retire(
                        document.collection_id,
                        document.document_id,
                        reason="not_listed",
                        at=document.updated_at,
                        by=failed.job_id,
                    )


def _failed_since_the_last_success(job: JobRun) -> Iterator[Manifest]:
    jobs = job.workspace.jobs
    for job_id in jobs.ids():
        if job_id == job.manifest.job_id or f"-{job.source.source_id}-" not in job_id:
            continue
        try:
            manifest = jobs.load(job_id)
        except IngestError:
            continue
        if manifest.source_id != job.source.source_id:
            continue
        if manifest.state in {JobState.SUCCEEDED, JobState.PARTIAL}:
            return
        if manifest.state is JobState.FAILED and jobs.paths(job_id).plan.exists():
            yield manifest


def _in_batches(
    job: JobRun,
    lines: Iterator[Line],
    work: Callable[[JobRun, Catalogue, DocumentStore, list[Line]], list[Outcome]],
) -> None:
    documents = DocumentStore(job.workspace.layout)
    catalogue = job.workspace.open_catalogue()
    try:
        for batch in _batches(lines):
            job.checkpoint()
            with job.committing():
                outcomes = work(job, catalogue, documents, batch)
            job.record(outcomes)
    finally:
        catalogue.close()


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _move(job: JobRun, catalogue: Catalogue, store: DocumentStore, lines: list[Line]) -> list[Outcome]:
    source, at = job.source, now()
    old = catalogue.locations(source.source_id, (line["from_key"] for line in lines))
    known = catalogue.documents(line["document_id"] for line in lines)
    locations: list[LocationRow] = []
    documents: list[DocumentRow] = []
    outcomes: list[Outcome] = []
    for line in lines:
        before, document = old.get(line["from_key"]), known.get(line["document_id"])
        if before is None or document is None:
            continue
        locations.append(
            before._replace(
                key=line["key"],
                uri=line["uri"],
                fingerprint=line.get("fingerprint", ""),
                modified_ns=line.get("modified_ns"),
                outcome="moved",
                reason=line["reason"],
                detail=line["detail"],
                ruleset=ruleset_of(source),
                job_id=job.manifest.job_id,
                at=at,
            )
        )
        if (document.source_id, document.key) == (source.source_id, line["from_key"]):
            documents.append(placed_at(document, source.source_id, line["key"], line["uri"], at))
        outcomes.append(
            Outcome(
                line["uri"],
                line["key"],
                "moved",
                line["reason"],
                at,
                line["detail"],
                document_id=document.document_id,
                version=document.version,
                raw_sha256=document.raw_sha256,
                content_hash=document.content_hash,
                bytes=line.get("size"),
                media_type=document.media_type,
            )
        )
    with catalogue.transaction():
        catalogue.forget_locations(source.source_id, (line["from_key"] for line in lines))
        catalogue.put_locations(locations)
        catalogue.put_documents(documents)
        moved = catalogue.documents({location.document_id for location in locations if location.document_id})
        store.note_locations((row, catalogue.locations_of(row.document_id)) for row in moved.values())
    return outcomes


def _retire(job: JobRun, catalogue: Catalogue, store: DocumentStore, lines: list[Line]) -> list[Outcome]:
    source_id = job.source.source_id
    at = now()
    known = catalogue.locations(source_id, (line["key"] for line in lines))
    gone = [location for location in known.values() if location.document_id]
    with catalogue.transaction():
        catalogue.forget_locations(source_id, known)
        retired, kept = settle_documents_without_places(catalogue, {row.document_id or "" for row in gone}, at)
        store.note_locations((row, catalogue.locations_of(row.document_id)) for row in kept)
    for document in retired:
        store.retire(document.collection_id, document.document_id, reason="not_listed", at=at, by=job.manifest.job_id)
    retired_ids = {document.document_id for document in retired}
    lost = _retired_without_line(job, catalogue, store, [line for line in lines if line["key"] not in known], at)
    return lost + [
        Outcome(
            location.uri,
            location.key,
            "retired",
            "not_listed",
            at,
            "" if location.document_id in retired_ids else "the document stays: it has other places",
            document_id=location.document_id,
            version=location.version,
            bytes=location.size,
        )
        for location in gone
    ]


def _retired_without_line(
    job: JobRun, catalogue: Catalogue, store: DocumentStore, lines: list[Line], at: str
) -> list[Outcome]:
    """Finish what a crash cut between the catalogue and the trash, and give it its line."""
    known = catalogue.documents(line["document_id"] for line in lines if line.get("document_id"))
    outcomes = []
    for line in lines:
        document = known.get(line.get("document_id", ""))
        if document is None or document.state != "retired":
            continue
        store.retire(document.collection_id, document.document_id, reason="not_listed", at=at, by=job.manifest.job_id)
        outcomes.append(
            Outcome(
                line["uri"],
                line["key"],
                "retired",
                "not_listed",
                at,
                document_id=document.document_id,
                version=document.version,
            )
        )
    return outcomes


def settle_documents_without_places(
    catalogue: Catalogue, document_ids: set[str], at: str
) -> tuple[list[DocumentRow], list[DocumentRow]]:
    """Within a transaction: retire documents that have no place left, give the others a place they still have.

    Returns the retired ones and the kept ones.
    """
    retired, kept = [], []
    for document in catalogue.documents(document_ids).values():
        if document.state != "active":
            continue
        places = catalogue.locations_of(document.document_id)
        if not places:
            retired.append(document._replace(state="retired", updated_at=at))
        elif all((place.source_id, place.key) != (document.source_id, document.key) for place in places):
            kept.append(placed_at(document, places[0].source_id, places[0].key, places[0].uri, at))
        else:
            kept.append(document)
    catalogue.put_documents([*retired, *kept])
    catalogue.remove_chunks(document.document_id for document in retired)
    return retired, kept
