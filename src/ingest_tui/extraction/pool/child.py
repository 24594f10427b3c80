"""The inside of a parser process: read tasks, parse, and write results.

Runs in an interpreter of its own, started by `process` and locked down by `lockdown`. Speaks JSON lines;
see `ParserProcess`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import gc
import json
import mmap
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, cast

import orjson

from ingest_tui.extraction.intake.admission import TypeFilter
from ingest_tui.extraction.intake.containers import ContainerError
from ingest_tui.extraction.intake.validation import DEFAULT_HINTS, EmptyDocumentError
from ingest_tui.extraction.members import AttachmentWriter, MemberWriter
from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool.task import output_in
from ingest_tui.extraction.pool.task_input import read_input
from ingest_tui.extraction.validators.registered import register_by_reference
from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules
from ingest_tui.model.chunking import TextChunk, analysed, split_into_chunks
from ingest_tui.model.errors import IngestError, ItemRejectedError
from ingest_tui.model.extraction import Extraction, ParseResult, ParseStatus, members_path
from ingest_tui.model.foreign_errors import described, text_of
from ingest_tui.model.hashing import new_hasher
from ingest_tui.model.language import detect_language
from ingest_tui.model.languages import language_among
from ingest_tui.model.ocr import OcrRequest

_FLUSH_RESULTS = 16
_FLUSH_BYTES = 64 * 1024
_FLUSH_SECONDS = 0.02
_LEAK_SHARE = 2
"""A process that holds more than this part of the files it may open is replaced: nothing here keeps files open."""
_MEMORY_STEP = 16 * 1024**2
_PIECE_CHARACTERS = 1024**2
_CHUNKS_BELOW_BYTES = 256 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROGRESS = slice(0, 8), slice(8, 16), slice(16, 24), slice(24, 32)
"""Little-endian numbers shared with the parent: task begun last, signs of life, highest task taken back, and the
nanoseconds of processor time that were used when the task was begun."""

Extract = Callable[..., Extraction]


_OF_EACH_TEXT = ("Stemmer", "gcld3")
"""Loaded before a file has its limit of memory: one that comes after a large file may have none left to load them."""


def main(config: dict[str, Any], doors: dict[str, Any]) -> None:
    """Serve tasks until the input ends. ``config`` is the first line from the parent, ``doors`` the greeting to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a KeyboardInterrupt is what the code of others raised
    tasks, results = _claim_descriptors()
    progress = _map_progress(config["progress_fd"])
    chosen: Extract = _named(config["parser"]) if config["parser"] else extract
    register_by_reference(config["validators"])
    for library in _OF_EACH_TEXT:
        import_module(library)
    # What is loaded stays: to look through it for cycles, from the start on and for each file, would be felt.
    gc.freeze()
    gc.enable()
    confinement = config["confinement"]
    scratch = confinement["scratch"] if confinement else None
    _Server(tasks, results, progress, chosen, scratch).serve(doors)


def _named(parser: str) -> Extract:
    module, _, function = parser.partition(":")
    return cast("Extract", getattr(import_module(module), function))


def _claim_descriptors() -> tuple[int, int]:
    """Move the protocol to descriptors of its own, so that nothing a parser prints or reads can disturb it."""
    tasks, results = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    sys.stdout = sys.stderr
    return tasks, results


def _map_progress(descriptor: int) -> mmap.mmap:
    """Return the shared page; no descriptor of it stays open for a parser to write to by mistake."""
    lowest_free = os.dup(descriptor)
    os.close(lowest_free)
    progress = mmap.mmap(descriptor, mmap.PAGESIZE)  # keeps a copy of the descriptor: the lowest free one
    os.close(lowest_free)
    os.close(descriptor)
    return progress


class _Server:
    def __init__(self, tasks: int, results: int, progress: mmap.mmap, chosen: Extract, scratch: str | None) -> None:
        self._scratch = scratch
        """The only folder that may be written in; outputs go where the task says when there is none."""
        self._tasks = tasks
        self._results = results
        self._progress = progress
        self._extract = chosen
        self._ticks = 0
        self._memory_limit = 0
        self._is_spent = False
        """Whether a file has left this process in a state that the next one must not suffer from."""
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._flushed_at = time.monotonic()
        # Open from the start: a parser may leave no descriptor to open it with.
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def serve(self, doors: dict[str, Any]) -> None:
        self._outgoing.append(orjson.dumps({"hello": doors}))
        self._flush()
        pending = b""
        while True:
            received = os.read(self._tasks, 1 << 20)
            if not received:
                return
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                self._serve_one(orjson.loads(line))
            self._flush()

    def _serve_one(self, task: dict[str, Any]) -> None:
        number: int = task["seq"]
        self._progress[_PROGRESS[0]] = number.to_bytes(8, "little")
        # Announced first, asked second: the parent takes back and then looks, so a task cannot be run twice.
        if self._is_spent or number <= int.from_bytes(self._progress[_PROGRESS[2]], "little"):
            self._send({"returned": number})
            return
        if self._scratch is not None:
            task["output_path"] = output_in(self._scratch, number)
        self._progress[_PROGRESS[3]] = time.process_time_ns().to_bytes(8, "little")
        self._limit_memory(task["memory_bytes"])
        result, self._is_spent = _run(task, self._extract, self._tick)
        self._send({"seq": number, "result": result, "retire": self._is_spent})
        if self._is_spent:
            self._flush()

    def _limit_memory(self, limit: int) -> None:
        """Let a file use so much; the whole process within it, so that what earlier files left gives it no more.

        Memory of the process's own is counted (heaps, stacks), not address space: a library that loads or starts its
        threads at its first file would take hundreds of megabytes from that one. Rounded up, so that small files share
        a limit, which stays until a file has another: three system calls for each file would be felt.
        """
        limit += -limit % _MEMORY_STEP
        if limit != self._memory_limit:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
            self._memory_limit = limit

    def _tick(self) -> None:
        self._ticks += 1
        self._progress[_PROGRESS[1]] = self._ticks.to_bytes(8, "little")

    def _send(self, line: dict[str, Any]) -> None:
        data = _encode(line)
        self._outgoing.append(data)
        self._outgoing_bytes += len(data)
        if (
            len(self._outgoing) >= _FLUSH_RESULTS
            or self._outgoing_bytes >= _FLUSH_BYTES
            or time.monotonic() - self._flushed_at > _FLUSH_SECONDS
        ):
            self._flush()

    def _flush(self) -> None:
        if self._outgoing:
            resident_bytes = int(os.pread(self._statm, 200, 0).split()[1]) * _PAGE_BYTES
            self._outgoing.append(orjson.dumps({"resident_bytes": resident_bytes, "open_files": _open_files()}))
            data = memoryview(b"\n".join(self._outgoing) + b"\n")
            while data:
                data = data[os.write(self._results, data) :]
            self._outgoing.clear()
            self._outgoing_bytes = 0
        self._flushed_at = time.monotonic()


def _encode(line: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(line, default=_as_array)
    except TypeError:  # half a character, from a JSON escape or a broken name: no text can hold it
        whole = json.dumps(line, default=dataclasses.asdict, ensure_ascii=False)
        return whole.encode("utf-8", "replace")


def _as_array(value: object) -> tuple[object, ...]:
    """Return a chunk as the array that it crosses the pipe as; orjson takes plain tuples only."""
    if isinstance(value, TextChunk):
        return (*value[:-1], value.words and tuple(value.words))
    raise TypeError(type(value).__name__)


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 counted for every batch
    except OSError:  # none is left to look with
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _files_are_leaked() -> bool:
    return _open_files() * _LEAK_SHARE > resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _run(task: dict[str, Any], chosen: Extract, tick: Callable[[], None]) -> tuple[ParseResult, bool]:
    """Return the result of one task and whether this process should be replaced after it."""
    started = time.perf_counter()
    is_writing = False
    attachments = AttachmentWriter(members_path(task["output_path"]), task.get("attachment_bytes", 0))
    try:
        content, rest = read_input(task["input_path"], task["file_name"])
        extraction = chosen(
            content,
            file_name=task["file_name"],
            backend=task["backend"],
            backends_by_type=task["backends_by_type"],
            with_elements=False,
            tick=tick,
            types=TypeFilter(tuple(task["allow_types"]), tuple(task["deny_types"])) if "allow_types" in task else None,
            **_schema_of(task),
            **_ocr_of(task),
            **({"rest": rest} if rest is not None else {}),
            **({"takes_containers": True} if "member_bytes" in task else {}),
            **_attachments_of(task, attachments),
        )
        is_writing = True
        written = _write(task["output_path"], extraction.markdown)
        members, findings = attachments.close()
        extraction.validation.extend(findings)
        extraction.warnings.extend(finding.message for finding in findings)
        return _parsed(task, extraction, written, members, started), False
    except BaseException as error:  # noqa: BLE001 a panic of a native library is a BaseException
        if isinstance(error, ContainerError) and "member_bytes" in task:
            return _unpacked(task, error, tick, started)
        if isinstance(error, EmptyDocumentError):
            return _empty(task, error, attachments, started), False
        status, reason, detail, hint = _outcome_of(error, is_writing=is_writing)
        is_spent = isinstance(error, MemoryError) or not isinstance(error, Exception) or _files_are_leaked()
    attachments.drop()
    if is_writing:
        with contextlib.suppress(OSError):
            os.unlink(task["output_path"])  # noqa: PTH108
    return ParseResult(task["task_id"], status, reason, detail, hint, milliseconds=_milliseconds(started)), is_spent


def _empty(
    task: dict[str, Any], error: EmptyDocumentError, attachments: AttachmentWriter, started: float
) -> ParseResult:
    """Return the result of a document without text; it may have attachments that have some."""
    status, reason, detail, hint = _outcome_of(error, is_writing=False)
    members = 0
    try:
        members, _ = attachments.close()
    except OSError as unwritten:
        attachments.drop()
        status, reason, detail, hint = _outcome_of(unwritten, is_writing=True)
    milliseconds = _milliseconds(started)
    return ParseResult(task["task_id"], status, reason, detail, hint, milliseconds=milliseconds, members=members)


def _unpacked(
    task: dict[str, Any], container: ContainerError, tick: Callable[[], None], started: float
) -> tuple[ParseResult, bool]:
    """Return the result of a container, whose members are written out where they are wanted."""
    from ingest_tui.extraction.archives import unpack

    path = members_path(task["output_path"])
    try:
        with MemberWriter(path, task["member_bytes"]) as writer:
            unpack(container, writer, tick)
    except BaseException as error:  # noqa: BLE001 as for a document
        status, reason, detail, hint = _outcome_of(error, is_writing=True)
        is_spent = isinstance(error, MemoryError) or not isinstance(error, Exception) or _files_are_leaked()
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
        return ParseResult(task["task_id"], status, reason, detail, hint, milliseconds=_milliseconds(started)), is_spent
    return _container(task["task_id"], container, writer.count, started), False


def _container(task_id: str, container: ContainerError, members: int, started: float) -> ParseResult:
    milliseconds = _milliseconds(started)
    return ParseResult(task_id, "container", backend=container.kind, milliseconds=milliseconds, members=members)


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _schema_of(task: dict[str, Any]) -> dict[str, Any]:
    if "schema" not in task:
        return {}
    from ingest_tui.extraction.schemas.schema_check import SchemaCheck

    return {"schema": SchemaCheck(task["schema"], rejects=task["rejects_violations"])}


def _ocr_of(task: dict[str, Any]) -> dict[str, OcrRequest]:
    """Return the argument that says how pictures of text are read; a parser need not know it where they are not."""
    if "ocr" not in task:
        return {}
    values = task["ocr"]
    return {"ocr": OcrRequest(**values | {"languages": tuple(values["languages"])})}


def _attachments_of(task: dict[str, Any], attachments: AttachmentWriter) -> dict[str, Any]:
    """Return the arguments that say what becomes of attached files; those who read them need none."""
    if "attachments" not in task:
        return {}
    return {"attachments": task["attachments"], "keep_attachment": attachments.keep}


def _outcome_of(error: BaseException, *, is_writing: bool) -> tuple[ParseStatus, str, str, str]:
    """Return status, reason, detail and hint for what went wrong with a file."""
    if isinstance(error, IngestError):
        status: ParseStatus = "failed"
        if isinstance(error, ItemRejectedError):
            status = "empty" if isinstance(error, EmptyDocumentError) else "rejected"
        return status, error.reason, error.message, error.hint or DEFAULT_HINTS.get(error.reason, "")
    if isinstance(error, MemoryError):
        return "failed", "memory", "it needs more memory than it may use", ""  # the parent knows how much that is
    if isinstance(error, OSError):
        return _outcome_of_os_error(error, is_writing=is_writing)
    detail = described(error)[:300]
    if isinstance(error, RecursionError):
        detail = "nested too deep to be read"
    return "failed", "malformed", detail, DEFAULT_HINTS["malformed"]


def _outcome_of_os_error(error: OSError, *, is_writing: bool) -> tuple[ParseStatus, str, str, str]:
    said = f"{type(error).__name__}: {error.strerror or text_of(error)}"[:300]
    if is_writing and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "failed", "disk_full", f"its text cannot be kept: {said}", "free some space, then sync again"
    if is_writing and error.errno == errno.EFBIG:
        return "failed", "too_large", "its text is larger than a parser may write", "split the file"
    return "failed", "unreadable", said, "sync again; if it stays so, try another backend for this file"


def _parsed(
    task: dict[str, Any], extraction: Extraction, written: _Written, members: int, started: float
) -> ParseResult:
    chunks = None
    language = extraction.language or detect_language(extraction.markdown)
    rules = ChunkRules.of(task["chunking"])
    if written.size < _CHUNKS_BELOW_BYTES and rules.unit == "characters":
        chunks = split_into_chunks(extraction.markdown, extraction.page_starts, ChunkLimits(rules))
        chunks = analysed(chunks, language_among(language, rules.languages))
    return ParseResult(
        task_id=task["task_id"],
        status="parsed",
        media_type=extraction.media_type,
        backend=extraction.backend,
        backend_version=extraction.backend_version,
        content_hash=written.content_hash,
        title=extraction.title,
        language=language,
        pages=extraction.pages,
        page_starts=extraction.page_starts,
        columns=extraction.columns,
        links=extraction.links,
        warnings=extraction.warnings,
        validation=extraction.validation,
        chunks=chunks,
        text_bytes=written.size,
        milliseconds=_milliseconds(started),
        ocr=extraction.ocr,
        ocr_pages=extraction.ocr_pages,
        members=members,
    )


class _Written(NamedTuple):
    """A text in a file: its content hash, and its bytes."""

    content_hash: str
    size: int


def _write(path: str, text: str) -> _Written:
    """Write a text as UTF-8, in pieces: a large one is not in memory twice."""
    digest, size = new_hasher(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        for start in range(0, len(text), _PIECE_CHARACTERS):
            piece = text[start : start + _PIECE_CHARACTERS].encode("utf-8")
            digest.update(piece)
            size += len(piece)
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
    return _Written(digest.hexdigest(), size)
