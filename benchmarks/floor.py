"""The floor: the least work that turns files into searchable chunks, with the same libraries and no store.

List, copy to a staging folder, SHA-256, extract, cut into chunks of about 1,000 characters, full-text index. Nothing is
kept but the index: no plan, no journal, no versions, no fsync, no limits on what a hostile file may do. What a sync
takes longer than this is the price of being able to trust it.

Backends: the file as it is for text and Markdown, html-to-markdown, pypdfium2 for PDF, python-calamine for sheets,
xberg for the other Office files and mail. ``--processes 2`` spreads copy, hash and extraction over worker processes,
as a bare process pool would; the main process only indexes. ``--list-only`` stops after listing: the floor of a sync
that finds everything unchanged.

    python benchmarks/corpora.py small 10000 --folder corpus
    python benchmarks/floor.py corpus [--processes 2] [--list-only] [--work FRESH-FOLDER] [--json]

Prints files, chunks and bytes, and the seconds of the work without interpreter start. Creating 10,000 staged files is
most of the time for small ones, and on ext4 it takes several times longer for a while after many files were deleted:
compare only with what ran next to it, in fresh folders.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CHUNK_CHARACTERS = 1000
ROWS_IN_A_TRANSACTION = 1000
FILES_FOR_A_WORKER = 4


class Listed(NamedTuple):
    """One file of the listing, as far as a rescan by size and modification time needs it."""

    path: str
    size: int
    modified_ns: int


class Extracted(NamedTuple):
    """What a worker hands back for one file."""

    sha256: str
    bytes: int
    chunks: list[str]


class Result(NamedTuple):
    """What the floor did, and the wall time of the work in seconds."""

    files: int
    chunks: int
    bytes: int
    characters: int
    seconds: float


def list_files(folder: str) -> Iterator[Listed]:
    """Yield every regular file below ``folder``; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from list_files(entry.path)
            elif entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield Listed(entry.path, stat.st_size, stat.st_mtime_ns)


def stage_and_extract(task: tuple[str, str]) -> Extracted:
    """Copy one file (source, staged), hash it, and return its chunks."""
    source, staged = task
    with open(source, "rb") as original:  # noqa: PTH123 - a Path for each file would be a tenth of the time
        content = original.read()
    with open(staged, "xb") as copy:  # noqa: PTH123
        copy.write(content)
    return Extracted(hashlib.sha256(content).hexdigest(), len(content), list(cut(extract(staged, content))))


def extract(path: str, content: bytes) -> str:
    """Return the text of a document by the extension of its name; a library is imported when it is first needed."""
    extension = path.rpartition(".")[2]
    if extension in {"txt", "md"}:
        return content.decode()
    if extension == "html":
        import html_to_markdown

        return html_to_markdown.convert(content.decode()).content or ""
    if extension == "pdf":
        return pdf_text(path)
    if extension == "xlsx":
        return sheet_text(path)
    return office_text(path)


def pdf_text(path: str) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return "\n\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def sheet_text(path: str) -> str:
    import python_calamine

    workbook = python_calamine.CalamineWorkbook.from_path(path)
    rows = (row for name in workbook.sheet_names for row in workbook.get_sheet_by_name(name).iter_rows())
    return "\n".join(" | ".join(map(str, row)) for row in rows)


def office_text(path: str) -> str:
    loop, xberg, settings = _office_backend()
    source = xberg.ExtractInput(kind=xberg.ExtractInputKind.URI, uri=path)
    result = loop.run_until_complete(xberg.extract(source, settings))
    return str(result.results[0].content)


@cache
def _office_backend() -> tuple[asyncio.AbstractEventLoop, Any, Any]:
    import xberg

    settings = xberg.ExtractionConfig(use_cache=False, disable_ocr=True, output_format="markdown")
    return asyncio.new_event_loop(), xberg, settings


def cut(text: str) -> Iterator[str]:
    """Yield pieces of at most `CHUNK_CHARACTERS`, cut at a space where there is one."""
    start = 0
    while start < len(text):
        end = start + CHUNK_CHARACTERS
        if end < len(text):
            space = text.rfind(" ", start + CHUNK_CHARACTERS // 2, end)
            end = space if space > 0 else end
        yield text[start:end]
        start = end


def tasks_for(folder: str, staging: Path) -> Iterator[tuple[str, str]]:
    """Yield source and staged path of each file, 500 to a staging folder, while listing goes on."""
    for number, listed in enumerate(list_files(folder)):
        if number % 500 == 0:
            shelf = staging / f"{number // 500:04d}"
            shelf.mkdir(parents=True)
        yield listed.path, f"{shelf}/{number}.{listed.path.rpartition('.')[2]}"


def index(documents: Iterable[Extracted], database: Path) -> tuple[int, int, int, int]:
    """Write the chunks of ``documents`` into a full-text index; return files, chunks, bytes and characters."""
    import apsw

    connection = apsw.Connection(str(database))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    connection.execute("CREATE VIRTUAL TABLE chunk USING fts5(text)")
    files = chunks = size = characters = 0
    rows: list[tuple[str]] = []

    def flush() -> None:
        with connection:
            connection.executemany("INSERT INTO chunk(text) VALUES (?)", rows)
        rows.clear()

    for document in documents:
        files += 1
        size += document.bytes
        for text in document.chunks:
            chunks += 1
            characters += len(text)
            rows.append((text,))
        if len(rows) >= ROWS_IN_A_TRANSACTION:
            flush()
    flush()
    connection.close()
    return files, chunks, size, characters


def run(folder: str, work: Path, processes: int) -> Result:
    """Do the whole of it, in this process or with worker processes next to it."""
    started = time.perf_counter()
    tasks = tasks_for(folder, work / "staging")
    database = work / "index.db"
    if processes == 1:
        counts = index(map(stage_and_extract, tasks), database)
    else:
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=spawning) as pool:
            counts = index(pool.map(stage_and_extract, tasks, chunksize=FILES_FOR_A_WORKER), database)
    return Result(*counts, seconds=time.perf_counter() - started)


def run_listing(folder: str) -> Result:
    """List only: what a rescan by size and modification time cannot do without."""
    started = time.perf_counter()
    files = sum(1 for _ in list_files(folder))
    return Result(files, 0, 0, 0, time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--list-only", action="store_true")
    parser.add_argument("--work", type=Path, help="fresh folder for staging and index, kept (default: a temporary one)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if arguments.list_only:
            result = run_listing(arguments.folder)
        else:
            result = run(arguments.folder, work, arguments.processes)
    if arguments.json:
        print(json.dumps(result._asdict()))
    else:
        print(f"{result.files} files, {result.bytes / 1e6:.1f} MB, {result.chunks} chunks: {result.seconds:.2f} s")


if __name__ == "__main__":
    main()
