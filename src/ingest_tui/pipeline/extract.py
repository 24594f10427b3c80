"""Hand staged items to the parser processes; what is already known by its bytes is not parsed again."""

from __future__ import annotations

from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.plan import RULES_CHANGED
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.parse_limits import limits_for
from ingest_tui.pipeline.stage import Sink, StagedItem


def compares_bytes(job: JobContext) -> bool:
    """Return whether items are compared with the documents of the collection; a first sync has nothing to compare.

    What a source with a choice of types does not take is no duplicate either: there every item is looked into.
    """
    takes_all_types = not (job.source.allow_types or job.source.deny_types)
    return takes_all_types and not job.forced and job.reading.has_documents(job.source.collection_id)


def extract_item(job: JobContext, item: StagedItem, settle: Sink, *, compares: bool) -> None:
    """Have an item parsed, unless its bytes are known already: then it is a duplicate, moved, or the same as before.

    ``compares`` is what `compares_bytes` returned before the first item.
    """
    if compares and item.line.reason != RULES_CHANGED and _bytes_are_known(job, item):
        job.meter.advance("extract", 1, item.weight)
        settle(item)
        return
    parse_item(job, item, settle)


def parse_item(job: JobContext, item: StagedItem, settle: Sink) -> None:
    """Queue an item for parsing; ``settle`` is called with it, from another thread, once that is done.

    Blocks while enough items wait, which keeps memory flat and staging no further ahead than useful.
    """
    extraction = job.source.extraction
    file_name = file_name_of(item.key)
    task = ParseTask(
        task_id=f"{job.manifest.job_id}/{item.item_id}",
        input_path=item.raw_path,
        output_path=job.staging.normalized(item.item_id),
        file_name=file_name,
        size=item.size,
        backend=extraction.backend,
        backends_by_type=extraction.by_type,
        allow_types=job.source.allow_types,
        deny_types=job.source.deny_types,
        limits=limits_for(job.workspace.settings, extraction, file_name),
    )

    def parsed(result: ParseResult) -> None:
        item.result = result
        job.meter.advance("extract", 1, item.weight)
        settle(item)

    job.extractor.submit(task, parsed)


def _bytes_are_known(job: JobContext, item: StagedItem) -> bool:
    """Whether a document has these bytes; for a place that has a document, whether that one has."""
    document_id = item.line.document_id
    if document_id is not None:
        return job.reading.document_has_bytes(document_id, item.raw_sha256)
    return job.reading.has_bytes(job.source.collection_id, item.raw_sha256)
