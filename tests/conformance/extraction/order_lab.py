"""Parse files alone and together: run as a program, which loads all backends, parses nothing itself, and forks.

Reads a pickled ``(files, orders)`` from its input: ``files`` are ``(file name, content)``, ``orders`` lists of their
indices. Writes JSON: the outcome of each file in a process of its own, then of each order in one process.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from ingest_tui.extraction.backends import BACKENDS
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import IngestError
from ingest_tui.model.hashing import compute_content_hash

MEMORY_BYTES = 1024**3
FILE_SECONDS = 60
LIBRARIES = ("pypdfium2", "python_calamine", "html_to_markdown", "xberg", "pyarrow.parquet")


def main() -> None:
    """Answer one request."""
    files, orders = pickle.load(sys.stdin.buffer)
    for backend in BACKENDS.values():
        if backend.is_available():
            backend.load()
    for library in LIBRARIES:
        import_module(library)
    alone = [together(files, [index])[index] for index in range(len(files))]
    sys.stdout.write(json.dumps([alone, *(together(files, order) for order in orders)]))


def together(files: Sequence[tuple[str, bytes]], order: Sequence[int]) -> dict[int, list[str]]:
    """Return the outcome of each file, by index, parsed in this order in one process; after a death in the next."""
    outcomes: dict[int, list[str]] = {}
    waiting = list(order)
    while waiting:
        finished, status = in_a_child(files, waiting)
        outcomes |= finished
        waiting = waiting[len(finished) :]
        if waiting:
            outcomes[waiting.pop(0)] = ["died", str(status)]
    return outcomes


def in_a_child(files: Sequence[tuple[str, bytes]], order: Sequence[int]) -> tuple[dict[int, list[str]], int]:
    """Return the outcomes up to the death of a forked process, and its status."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))  # as parser processes are limited
        for index in order:
            signal.alarm(FILE_SECONDS)
            os.write(writing, json.dumps([index, outcome_of(*files[index])]).encode() + b"\n")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().splitlines()
    return dict(map(json.loads, lines)), os.waitpid(child, 0)[1]


def outcome_of(file_name: str, content: bytes) -> list[str]:
    """Return everything that can be seen of an outcome, as short texts."""
    try:
        found = extract(content, file_name=file_name, with_elements=False)
    except IngestError as error:
        return [type(error).__name__, error.reason, error.message, error.hint]
    except BaseException as error:  # noqa: BLE001 a panic of a native library is a BaseException
        return [type(error).__name__, str(error)[:300]]
    text = compute_content_hash(found.markdown.encode("utf-8", "replace"))
    return ["parsed", text, repr((found.title, found.pages, found.columns, found.links, found.warnings))[:2000]]


if __name__ == "__main__":
    main()
