"""The inside of a parser process: lock the door, then read tasks, parse, and write results.

Runs in an interpreter of its own, started by `sandbox_process`. Speaks JSON lines; see `ProtocolLine` there.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import orjson

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.validation import EmptyDocumentError
from ingest_tui.model.chunking import split_into_chunks
from ingest_tui.model.errors import IngestError, ItemRejectedError
from ingest_tui.model.extraction import Extraction, ParseResult
from ingest_tui.model.hashing import compute_content_hash

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000

_FLUSH_RESULTS = 16
_FLUSH_BYTES = 64 * 1024
_FLUSH_SECONDS = 0.02
_CHUNKS_BELOW_BYTES = 256 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROGRESS = slice(0, 8), slice(8, 16), slice(16, 24)
"""Three little-endian numbers shared with the parent: task begun last, signs of life, highest task taken back."""

Extract = Callable[..., Extraction]


def main(config: dict[str, Any]) -> None:
    """Serve tasks until the input ends. ``config`` is the first line from the parent."""
    isolated = _lock_down(config)
    tasks, results = _claim_descriptors()
    progress = mmap.mmap(config["progress_fd"], mmap.PAGESIZE)
    os.close(config["progress_fd"])
    chosen: Extract = extract
    if config.get("test_backend"):
        from ingest_tui.extraction.backends.misbehaving import extract as chosen
    _Server(tasks, results, progress, chosen).serve(isolated)


def _lock_down(config: dict[str, Any]) -> bool:
    """Give up what a parser does not need; return whether the network is out of reach.

    The namespaces come first: changing credentials clears the death signal (see prctl(2)).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    isolated: bool = libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != config["parent_pid"]:
        os._exit(1)  # the parent died before the death signal was set
    for name, value in (
        (resource.RLIMIT_AS, config["memory_bytes"]),
        (resource.RLIMIT_FSIZE, config["file_size_bytes"]),
        (resource.RLIMIT_NOFILE, config["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(name)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (limit, limit))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a file is an error of that file, not of the process
    return isolated


def _claim_descriptors() -> tuple[int, int]:
    """Move the protocol to descriptors of its own, so that nothing a parser prints or reads can disturb it."""
    tasks, results = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    sys.stdout = sys.stderr
    return tasks, results


class _Server:
    def __init__(self, tasks: int, results: int, progress: mmap.mmap, chosen: Extract) -> None:
        self._tasks = tasks
        self._results = results
        self._progress = progress
        self._extract = chosen
        self._ticks = 0
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._flushed_at = time.monotonic()

    def serve(self, isolated: bool) -> None:
        self._outgoing.append(orjson.dumps({"hello": {"network_isolated": isolated}}))
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
        if number <= int.from_bytes(self._progress[_PROGRESS[2]], "little"):
            self._send({"returned": number})
            return
        result, spent = _run(task, self._extract, self._tick)
        self._send({"seq": number, "result": result, "retire": spent})

    def _tick(self) -> None:
        self._ticks += 1
        self._progress[_PROGRESS[1]] = self._ticks.to_bytes(8, "little")

    def _send(self, line: dict[str, Any]) -> None:
        data = orjson.dumps(line)
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
            self._outgoing.append(orjson.dumps({"resident_bytes": _resident_bytes()}))
            data = memoryview(b"\n".join(self._outgoing) + b"\n")
            while data:
                data = data[os.write(self._results, data) :]
            self._outgoing.clear()
            self._outgoing_bytes = 0
        self._flushed_at = time.monotonic()


def _resident_bytes() -> int:
    with open("/proc/self/statm", "rb", buffering=0) as statm:  # noqa: PTH123 read for every batch
        return int(statm.read().split()[1]) * _PAGE_BYTES


def _run(task: dict[str, Any], chosen: Extract, tick: Callable[[], None]) -> tuple[ParseResult, bool]:
    """Return the result of one task and whether this process should be replaced after it."""
    started = time.perf_counter()
    spent = False
    written = False
    try:
        content = _read(task["input_path"])
        extraction = chosen(
            content,
            file_name=task["file_name"],
            backend=task["backend"],
            backends_by_type=task["backends_by_type"],
            with_elements=False,
            tick=tick,
        )
        text = extraction.markdown.encode("utf-8")
        written = True
        _write(task["output_path"], text)
        return _parsed(task["task_id"], extraction, text, started), False
    except EmptyDocumentError as error:
        outcome = ("empty", error.reason, error.message, error.hint)
    except ItemRejectedError as error:
        outcome = ("rejected", error.reason, error.message, error.hint)
    except IngestError as error:
        outcome = ("failed", error.reason, error.message, error.hint)
    except MemoryError:
        spent = True
        outcome = (
            "failed",
            "memory",
            "it needs more memory than a parser may use",
            "raise the memory limit, or split the file",
        )
    except RecursionError:
        outcome = ("failed", "malformed", "nested too deep to be read", "")
    except OSError as error:
        outcome = ("failed", "unreadable", f"{type(error).__name__}: {error.strerror or error}"[:300], "")
    except BaseException as error:  # noqa: BLE001 a panic of a native library is a BaseException
        spent = not isinstance(error, Exception)
        outcome = ("failed", "malformed", f"{type(error).__name__}: {error}"[:300], "the file may be damaged")
    if written:
        with contextlib.suppress(OSError):
            os.unlink(task["output_path"])  # noqa: PTH108
    status, reason, detail, hint = outcome
    milliseconds = round((time.perf_counter() - started) * 1000, 3)
    return (
        ParseResult(task["task_id"], status, reason, detail, hint, milliseconds=milliseconds),  # type: ignore[arg-type]
        spent,
    )


def _parsed(task_id: str, extraction: Extraction, text: bytes, started: float) -> ParseResult:
    chunks = None
    if len(text) < _CHUNKS_BELOW_BYTES:
        chunks = [(list(chunk.heading_path), chunk.text) for chunk in split_into_chunks(extraction.markdown)]
    return ParseResult(
        task_id=task_id,
        status="parsed",
        media_type=extraction.media_type,
        backend=extraction.backend,
        backend_version=extraction.backend_version,
        content_hash=compute_content_hash(text),
        title=extraction.title,
        language=extraction.language,
        pages=extraction.pages,
        columns=extraction.columns,
        links=extraction.links,
        warnings=extraction.warnings,
        validation=extraction.validation,
        chunks=chunks,
        text_bytes=len(text),
        milliseconds=round((time.perf_counter() - started) * 1000, 3),
    )


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    file: BinaryIO
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return file.read()


def _write(path: str, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(text)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
