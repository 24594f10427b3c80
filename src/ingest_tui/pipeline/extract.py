"""Hand staged items to the parser processes; what is already known by its bytes is not parsed again."""

from __future__ import annotations

from dataclasses import replace

from ingest_tui.extraction.schemas.schema_file import SourceSchema
from ingest_tui.model.chunk_limits import ChunkRules
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.ocr import NO_OCR_REQUEST
from ingest_tui.model.plan import RULES_CHANGED
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.attachments import attachments_of
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.ocr import ocr_of, ocr_on_this_machine
from ingest_tui.pipeline.job.parse_limits import limits_for
from ingest_tui.pipeline.stage import TakeItem
from ingest_tui.pipeline.staged_item import StagedItem
from ingest_tui.store.ocr_pages import keep_pages
from ingest_tui.store.workspace import Workspace

_USUAL_RULES = ChunkRules()


def compares_bytes(job: JobContext) -> bool:
    """Return whether items are compared with the documents of the collection; a first sync has nothing to compare.

    What a source with a choice of types does not take is no duplicate either, nor what its schema may keep out; and
    what is attached to an item has a place of its own. There every item is looked into.
    """
    takes_all = not (job.source.allow_types or job.source.deny_types or job.schema)
    takes_all &= attachments_of(job.source, job.workspace.settings) != "documents"
    return takes_all and not job.forced and job.reading.has_documents(job.source.collection_id)


def extract_item(job: JobContext, item: StagedItem, settle: TakeItem, *, compares: bool) -> None:
    """Have an item parsed, unless its bytes are known already: then it is a duplicate, moved, or the same as before.

    ``compares`` is what `compares_bytes` returned before the first item.
    """
    if compares and item.line.reason != RULES_CHANGED and _bytes_are_known(job, item):
        if item.parent is None:  # what was planned adds up; members are known to none before
            job.meter.advance("extract", 1, item.weight)
        settle(item)
        return
    parse_item(job, item, settle)


def parse_item(job: JobContext, item: StagedItem, settle: TakeItem) -> None:
    """Queue an item for parsing; ``settle`` is called with it, from another thread, once that is done.

    Blocks while enough items wait, which keeps memory flat and staging no further ahead than useful.
    """
    task = parse_task(
        job.workspace,
        job.source,
        task_id=f"{job.manifest.job_id}/{item.item_id}",
        input_path=item.raw_path,
        output_path=job.staging.normalized(item.item_id),
        file_name=item.file_name,
        size=item.size,
        schema=job.schema,
        chunking=job.chunking.rules,
    )

    def parsed(result: ParseResult) -> None:
        job.parsing.end(task.task_id)
        item.result = _with_schema_in_mind(result) if task.schema else result
        if result.ocr_pages:
            keep_pages(job.workspace.layout, result.ocr_pages)
        if item.parent is None:
            job.meter.advance("extract", 1, item.weight)
        settle(item)

    job.parsing.begin(task.task_id, item.key)
    job.extractor.submit(task, parsed)


def parse_task(
    workspace: Workspace,
    source: Source,
    *,
    task_id: str,
    input_path: str,
    output_path: str,
    file_name: str,
    size: int,
    schema: SourceSchema | None = None,
    chunking: ChunkRules = _USUAL_RULES,
    with_ocr: bool = True,
) -> ParseTask:
    """Return what the parsers are to do with a file of a source, as the settings of both have it."""
    extraction, settings = source.extraction, workspace.settings
    ocr = ocr_of(source, settings) if with_ocr else NO_OCR_REQUEST
    return ParseTask(
        task_id=task_id,
        input_path=input_path,
        output_path=output_path,
        file_name=file_name,
        size=size,
        backend=extraction.backend,
        backends_by_type=extraction.by_type,
        allow_types=source.allow_types,
        deny_types=source.deny_types,
        schema=schema.text if schema else "",
        rejects_violations=schema is not None and schema.rejects,
        chunking=chunking,
        limits=limits_for(settings, extraction, file_name, ocr=ocr),
        member_bytes=int(source.max_size) if source.containers == "documents" else None,
        attachments=attachments_of(source, settings),
        attachment_bytes=int(source.max_size),
        ocr=ocr_on_this_machine(ocr, workspace.layout),
    )


def _with_schema_in_mind(result: ParseResult) -> ParseResult:
    """Return a result whose hint says that a pattern of the schema may be what took all the time."""
    if result.reason != "timeout":
        return result
    return replace(
        result, hint=f"a pattern of the schema of its source may take so long: simplify it; or {result.hint}"
    )


def _bytes_are_known(job: JobContext, item: StagedItem) -> bool:
    """Whether a document has these bytes; for a place that has a document, whether that one has."""
    document_id = item.line.document_id
    if document_id is not None:
        return job.reading.document_has_bytes(document_id, item.raw_sha256)
    return job.reading.has_bytes(job.source.collection_id, item.raw_sha256)
