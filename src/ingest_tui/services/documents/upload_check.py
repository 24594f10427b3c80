"""Whether uploaded files can be read, found out before they become a job: what the parsers make of them is dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from ingest_tui.execution.extractor import Extractor
from ingest_tui.execution.local import local_parsers
from ingest_tui.execution.machine import Machine
from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.extraction.intake.sniffing import sniff
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.ocr import NEEDS_OCR
from ingest_tui.model.remedies import OF_PARSERS, remedy_for
from ingest_tui.model.source import UPLOAD_SOURCE, Source
from ingest_tui.pipeline.connecting import with_preferences
from ingest_tui.pipeline.extract import parse_task
from ingest_tui.pipeline.job.ocr import may_need_ocr, ocr_of
from ingest_tui.pipeline.job.parse_limits import limits_of, works_through_programs
from ingest_tui.store.fs.leftovers import scratch_folder
from ingest_tui.store.workspace import Workspace

_HEAD_BYTES = 4096
_LOOK_SECONDS = 0.25


UploadProgress = Callable[[str, int, int], None]
"""Is told how far an upload is: ``copied`` or ``checked``, how many files, and of how many."""


class StagedFile(NamedTuple):
    """A file to be uploaded that is staged: the name in its collection, what a person calls it, and its bytes."""

    name: str
    shown: str
    raw_path: str
    size: int


def unreadable_files(
    workspace: Workspace, source: Source, files: Sequence[StagedFile], progress: UploadProgress
) -> list[UsageError]:
    """Return why files would become no documents, each with the code of its reason and what to do.

    Confined parsers read them, as the job will; plain text is looked at here, for it cannot be damaged. OCR is left to
    the job, and so is a file that its parser has no time or memory for: that may be due to what else runs.
    """
    to_parse = [file for file in files if not _is_plain_text(file)]
    progress("checked", len(files) - len(to_parse), len(files))
    if not to_parse:
        return []
    source = with_preferences(workspace, source)
    by_ocr = ocr_of(source, workspace.settings).is_on
    with scratch_folder(workspace) as scratch, closing(_parsers(workspace, source, len(to_parse))) as parsers:
        tasks = [
            parse_task(
                workspace,
                source,
                task_id=f"upload/{number}",
                input_path=file.raw_path,
                output_path=str(scratch / f"{number}.md"),
                file_name=file.name,
                size=file.size,
                with_ocr=False,
            )
            for number, file in enumerate(to_parse)
        ]
        try:
            results: dict[str, ParseResult] = {}
            for number, result in enumerate(_results(parsers, tasks), len(files) - len(to_parse) + 1):
                results[result.task_id] = result
                progress("checked", number, len(files))
        except BaseException:
            parsers.close(cancel=True)
            raise
    judged = ((file, results[task.task_id]) for file, task in zip(to_parse, tasks, strict=True))
    return [
        _problem(file, result)
        for file, result in judged
        if not _may_be_taken(result, by_ocr=by_ocr and file.size > 0 and may_need_ocr(file.name))
    ]


def _is_plain_text(file: StagedFile) -> bool:
    """Whether a file is text that is taken as it is, by its name and its first bytes, and not blank there."""
    named = BY_EXTENSION.get(extension := extension_of(file.name))
    if named is None or named.family != "text" or named.backend != "plain":
        return False
    with Path(file.raw_path).open("rb") as raw:
        head = raw.read(_HEAD_BYTES)
    if not head.strip() or b"\0" in head:
        return False
    try:
        return sniff(head, extension).format.family == "text"
    except IngestError:
        return False


def _parsers(workspace: Workspace, source: Source, files: int) -> Extractor:
    layout, settings = workspace.layout, workspace.settings
    return local_parsers(
        min(files, settings.parser_processes or Machine().usual_processes()),
        limits_of(settings, source.extraction),
        readable=[layout.jobs],
        scratch=layout.parsers,
        may_run_programs=works_through_programs(source.extraction),
    )


def _results(parsers: Extractor, tasks: Sequence[ParseTask]) -> Iterator[ParseResult]:
    results: SimpleQueue[ParseResult] = SimpleQueue()
    for task in tasks:
        parsers.submit(task, results.put)
    for _task in tasks:
        while True:
            try:
                yield results.get(timeout=_LOOK_SECONDS)
                break
            except Empty:
                _check_health(parsers)


def _check_health(parsers: Extractor) -> None:
    error = parsers.failure
    if error is not None:
        known = as_ingest_error(error)
        why = known.message if known is not None else f"unexpected {type(error).__name__}"
        raise IngestError(f"the parser processes cannot be run: {why}", hint="upload again in a moment")


def _may_be_taken(result: ParseResult, *, by_ocr: bool) -> bool:
    """Whether a job may make a document of what the parsers said; ``by_ocr``: it may find text in pictures."""
    if result.status in {"parsed", "container"} or result.members or result.reason in OF_PARSERS:
        return True
    return by_ocr and (result.status == "empty" or result.reason == NEEDS_OCR)


def _problem(file: StagedFile, result: ParseResult) -> UsageError:
    hint = remedy_for(result.status, result.reason, source_id=UPLOAD_SOURCE, said=result.hint)
    message = f"{file.shown} cannot be taken in: {result.detail or result.reason}"
    return UsageError(message, hint=hint, code=result.reason)
