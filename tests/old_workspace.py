"""A workspace that the program of schema 1 made, unpacked as if it had been made where a test wants it.

``tests/upgrades/make_workspace_1.py`` says what is in it. Two sources: ``handbook`` (collection ``default``: versions,
a duplicate, a moved, a retired, an empty, a failed and a refused file, and a job that a kill interrupted while it
committed) and ``notes`` (collection ``manuals``: twelve held deletions, one document removed by a person); an upload
that is done, and one that is queued.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from ingest_tui.store.records.journal import encode_line

ARCHIVE = Path(__file__).parent / "upgrades" / "workspace-1.tar.gz"


def unpack_workspace_1(home: Path) -> Path:
    """Unpack into ``home``: the sources, and the workspace, whose folder is returned.

    The paths of the sources and the fingerprints of their files are changed to those of this machine, so that to the
    program nothing has moved and no file has changed since.
    """
    with tarfile.open(ARCHIVE) as archive:
        if hasattr(tarfile, "tar_filter"):  # not before 3.11.4
            archive.extractall(home, filter="tar")
        else:
            archive.extractall(home)
    facts = json.loads((home / "facts.json").read_text())
    (home / "facts.json").unlink()
    replaced = {facts["home"]: str(home)}
    for name, fingerprint in facts["fingerprints"].items():
        status = (home / name).stat()
        replaced[fingerprint] = f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"

    def here(text: str) -> str:
        for old, new in replaced.items():
            text = text.replace(old, new)
        return text

    workspace = home / "workspace"
    for path in workspace.rglob("*.json"):
        _rewrite(path, here(path.read_text()))
    for path in workspace.rglob("*.jsonl"):
        _rewrite(path, "".join(_line(line, here) for line in path.read_text().splitlines()))
    _move_catalogue(workspace / "catalogue.db", here)
    return workspace


def _rewrite(path: Path, text: str) -> None:
    mode = path.stat().st_mode
    path.write_text(text)
    path.chmod(mode)


def _line(line: str, here: Callable[[str], str]) -> str:
    record = json.loads(here(line))
    if record.pop("crc", None) is None:
        return here(line) + "\n"
    return encode_line(record).decode()


def _move_catalogue(path: Path, here: Callable[[str], str]) -> None:
    def moved(*values: apsw.SQLiteValue) -> apsw.SQLiteValue:
        return here(values[0]) if isinstance(values[0], str) else values[0]

    connection = apsw.Connection(str(path))
    connection.create_scalar_function("here", moved, 1)
    for table, column in _text_columns(connection):
        connection.execute(f"UPDATE {table} SET {column} = here({column})")
    connection.close()


def _text_columns(connection: Any) -> list[tuple[str, str]]:
    return [
        (table, column)
        for table in ("documents", "versions", "locations", "kills")
        for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall()
        if kind == "TEXT" and column in {"uri", "fingerprint"}
    ]
