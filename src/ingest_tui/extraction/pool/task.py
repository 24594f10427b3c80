"""A task on its way through the pool: what it is expected to cost and what a parser process gets to know of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.model.attachments import INLINE
from ingest_tui.model.chunk_words import ChunkWords
from ingest_tui.model.chunking import TextChunk
from ingest_tui.model.extraction import Finding, ParseResult, ParseTask, members_path
from ingest_tui.model.links import Link
from ingest_tui.model.ocr import OcrPage
from ingest_tui.model.parse_limits import FileLimits

WINDOW_TASKS = 32
WINDOW_MILLISECONDS = 40.0
WORTHWHILE_MILLISECONDS = 2.0
"""Less than that costs more to share out than to parse."""
_LARGE_BYTES = 1024**2

_OCR_MILLISECONDS = 2000.0
"""A page; how many a PDF has that need it is not known before."""

OnResult = Callable[[ParseResult], None]


@dataclass(slots=True)
class Job:
    """A submitted task, who wants its result, and what it may use.

    ``attempts``: how many processes have died around it. ``had_its_own``: whether it had a process that had parsed
    nothing before.
    """

    task: ParseTask
    on_result: OnResult
    limits: FileLimits
    attempts: int = 0
    had_its_own: bool = False
    cost: float = field(init=False)
    """In estimated milliseconds."""

    def __post_init__(self) -> None:
        """Estimate the cost."""
        self.cost = estimate_milliseconds(self.task.file_name, self.task.size, self.task.backend)
        if self.task.ocr.is_on and is_image(self.task.file_name):
            self.cost += _OCR_MILLISECONDS


def estimate_milliseconds(file_name: str, size: int, backend: str | None = None) -> float:
    """Guess how long a file takes, from its type and its bytes: the right order of magnitude is enough."""
    kind = BY_EXTENSION.get(extension_of(file_name))
    if backend == "unstructured":
        return 100.0 + size / 20_000
    if kind is not None and kind.family == "text":
        return 0.15 + size / 30_000
    if kind is not None and kind.family == "markup":
        return 0.5 + size / 10_000
    return 4.0 + size / 30_000


def is_image(file_name: str) -> bool:
    """Say whether a name promises an image."""
    kind = BY_EXTENSION.get(extension_of(file_name))
    return kind is not None and kind.family == "image"


def take_share(waiting: deque[Job], room: int, fair: int, weight: float, *, is_idle: bool) -> list[Job]:
    """Take from ``waiting`` what goes into the pipe of one process next: at most ``room`` jobs, ``fair`` if not tiny.

    ``weight`` is the cost of what is in the pipe already. A large file goes alone, for nothing small should wait behind
    it; so does one that was in the pipe of a process that died, for it may have been the cause.
    """
    taken: list[Job] = []
    enough = weight + WORTHWHILE_MILLISECONDS
    while waiting and len(taken) < room and weight < WINDOW_MILLISECONDS and (len(taken) < fair or weight < enough):
        job = waiting[0]
        goes_alone = job.task.size > _LARGE_BYTES or job.attempts > 0
        if goes_alone and (taken or not is_idle):
            break
        taken.append(waiting.popleft())
        weight += job.cost
        if goes_alone:
            break
    return taken


def output_in(scratch: str, seq: int) -> str:
    """Return where a confined process writes the text of its task number ``seq``."""
    return f"{scratch}/{seq}.md"


def drop_outputs(task: ParseTask) -> None:
    """Remove what a parser may have left of a task: one that died, or whose result was lost with its process."""
    for path in (task.output_path, task.members_path):
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 for each failed file


def take_outputs(result: ParseResult, seq: int, scratch: str, task: ParseTask) -> None:
    """Move what a confined process has written for its task number ``seq`` to where the task wants it.

    Raises ValueError for what is no plain file of its own: the process is not believed then.
    """
    written = output_in(scratch, seq)
    if result.status == "parsed":
        take_output(written, task.output_path)
    if result.members or result.status == "container":
        take_output(members_path(written), task.members_path)


def take_output(written: str, wanted: str) -> None:
    """Move a file that a confined process has written to where its task wants it.

    Raises ValueError for what is no plain file of its own: the process is not believed then.
    """
    try:
        status = os.lstat(written)
    except FileNotFoundError:
        raise ValueError("a result without its text") from None
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise ValueError("a text that is no plain file")
    os.rename(written, wanted)  # noqa: PTH104


def wire_form(job: Job) -> dict[str, Any]:
    """Return what a parser process must know of a task, as JSON values."""
    task = job.task
    form = {name: getattr(task, name) for name in _WIRE_FIELDS}
    form["memory_bytes"] = job.limits.memory_bytes
    form["backends_by_type"] = task.backends_by_type or None
    if task.member_bytes is not None:
        form["member_bytes"] = task.member_bytes
    if task.attachments != INLINE:
        form |= {"attachments": task.attachments, "attachment_bytes": task.attachment_bytes}
    if task.allow_types or task.deny_types:
        form |= {"allow_types": task.allow_types, "deny_types": task.deny_types}
    if task.schema:
        form |= {"schema": task.schema, "rejects_violations": task.rejects_violations}
    if task.ocr.is_on:
        form["ocr"] = dataclasses.asdict(task.ocr)
    return form


def result_of(values: dict[str, Any], task: ParseTask) -> ParseResult:
    """Return the result of ``task`` from JSON values; raises ValueError, LookupError or TypeError when it is none."""
    if values["task_id"] != task.task_id:
        raise ValueError(values["task_id"])
    if values.get("validation"):
        values["validation"] = [Finding(**finding) for finding in values["validation"]]
    if values.get("links"):
        values["links"] = [Link(**link) for link in values["links"]]
    if values.get("chunks"):
        values["chunks"] = [_chunk_of(*values_of_chunk) for values_of_chunk in values["chunks"]]
    if values.get("ocr_pages"):
        values["ocr_pages"] = [OcrPage(**page) for page in values["ocr_pages"]]
    return ParseResult(**values)


_NOT_AS_THEY_ARE = frozenset(
    (
        *("limits", "size", "backends_by_type", "allow_types", "deny_types", "schema", "rejects_violations"),
        *("ocr", "member_bytes", "attachments", "attachment_bytes"),
    )
)
_WIRE_FIELDS = tuple(one.name for one in dataclasses.fields(ParseTask) if one.name not in _NOT_AS_THEY_ARE)


def _chunk_of(
    path: list[str], text: str, start: int, end: int, page: int | None = None, words: list[str] | None = None
) -> TextChunk:
    return TextChunk(tuple(path), text, start, end, page, ChunkWords(*words) if words else None)
