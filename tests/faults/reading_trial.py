"""Runs in a mount namespace of its own: puts a workspace on a disk that takes nothing, and makes calls there.

``reading_trial.py TEMPLATE MOUNT_POINT PLACE``, with a JSON list of calls on stdin; prints one JSON line a call.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw

from ingest_tui.cli.main import run


def mount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", *options, str(folder)], check=True, timeout=30)


def fill(folder: Path) -> None:
    """Take the last byte of the disk."""
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def leave_committed_log(workspace: Path) -> None:
    """Die with a committed transaction that is only in the write-ahead log."""
    child = os.fork()
    if child == 0:
        connection = apsw.Connection(str(workspace / "catalogue.db"))
        connection.execute("UPDATE documents SET title = 'only in the log'")
        os._exit(0)
    os.waitpid(child, 0)


def full(folder: Path) -> None:
    fill(folder)


def full_without_reserve(folder: Path) -> None:
    (folder / "ws" / "ballast").unlink(missing_ok=True)
    fill(folder)


def full_after_a_crash(folder: Path) -> None:
    leave_committed_log(folder / "ws")
    (folder / "ws" / "catalogue.db-shm").unlink()
    fill(folder)


def read_only(folder: Path) -> None:
    mount(folder, "-o", "remount,ro")


def read_only_after_a_crash(folder: Path) -> None:
    leave_committed_log(folder / "ws")
    mount(folder, "-o", "remount,ro")


def read_only_log_without_index(folder: Path) -> None:
    leave_committed_log(folder / "ws")
    (folder / "ws" / "catalogue.db-shm").unlink()
    mount(folder, "-o", "remount,ro")


def read_only_bind(folder: Path) -> None:
    mount(folder, "--bind", str(folder))
    mount(folder, "-o", "remount,bind,ro")


def read_only_of_older_schema(folder: Path) -> None:
    connection = apsw.Connection(str(folder / "ws" / "catalogue.db"))
    for kind in ("trigger", "index"):
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = ?", (kind,)).fetchall():
            if not str(name).startswith("sqlite_"):
                connection.execute(f"DROP {kind} {name}")
    for table in ("changes", "meta", "vocabulary", "words", "word_languages", "document_titles", "document_addresses"):
        connection.execute(f"DROP TABLE {table}")
    for added in ("page", "start", "end", "language"):
        connection.execute(f'ALTER TABLE chunks DROP COLUMN "{added}"')
    connection.execute(
        "CREATE VIRTUAL TABLE chunks_fts USING fts5(heading, text, content='chunks', content_rowid='id',"
        ' tokenize="unicode61 remove_diacritics 2")'
    )
    connection.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(locations)").fetchall()]
    for column in columns[15:]:
        connection.execute(f"ALTER TABLE locations DROP COLUMN {column}")
    connection.execute("PRAGMA user_version = 2")
    for mark in ("catalogue.mark", "locks/catalogue.mark"):  # an older program knew neither
        (folder / "ws" / mark).unlink()
    connection.close()
    mount(folder, "-o", "remount,ro")


def read_only_and_lost(folder: Path) -> None:
    for path in (folder / "ws").glob("catalogue.*"):
        path.unlink()
    mount(folder, "-o", "remount,ro")


def without_right_to_write(folder: Path) -> None:
    """Take the right to write from everything; the call is made without the capability to pass over that."""
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files, "."):
            path = Path(root, name)
            path.chmod(0o500 if path.is_dir() else 0o400)


PLACES: dict[str, Callable[[Path], None]] = {
    place.__name__: place
    for place in (
        full,
        full_without_reserve,
        full_after_a_crash,
        read_only,
        read_only_after_a_crash,
        read_only_log_without_index,
        read_only_bind,
        read_only_of_older_schema,
        read_only_and_lost,
        without_right_to_write,
    )
}


def call(arguments: list[str]) -> dict[str, object]:
    """Make one call of the command line and return how it ended."""
    genuine = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    try:
        code = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = sys.stdout.buffer.getvalue(), sys.stderr.buffer.getvalue()
    finally:
        sys.stdout, sys.stderr = genuine
    return {"call": arguments, "code": code, "out": out.decode(), "err": err.decode()}


def main() -> None:
    template, folder, place = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    mount(folder, "-t", "tmpfs", "-o", "size=8m,mode=755", "none")
    shutil.copytree(template, folder / "ws")
    PLACES[place](folder)
    os.environ["INGEST_TUI_WORKSPACE"] = str(folder / "ws")
    for arguments in json.load(sys.stdin):
        sys.stdout.write(f"{json.dumps(call(arguments))}\n")


if __name__ == "__main__":
    main()
