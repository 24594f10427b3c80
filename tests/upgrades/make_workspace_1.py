"""Makes ``workspace-1.tar.gz``: a workspace as the program of commit 87a202b wrote it (workspace.json of schema 1).

Run it with the ``ingest-tui`` of that commit, from a worktree of it:

    python tests/upgrades/make_workspace_1.py /path/to/that/worktree/src

It drives the program as people do; one worker is killed between two commits of a job. All documents are ours.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

HOME = Path("/tmp/ingest-tui-home")
ARCHIVE = Path(__file__).with_name("workspace-1.tar.gz")
_NEUTRAL = "import socket\nsocket.gethostname = lambda: 'example'\n"

# Ends the worker like SIGKILL when the second batch of the job is in its folders, and not in the catalogue.
_DYING = """
import os, sys
from ingest_tui.pipeline import commit
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.documents import DocumentStore
commit.BATCH_ITEMS = 2
placed, execute, place = [], Catalogue.execute, DocumentStore.place
def placing(self, *arguments, **options):
    placed.append(1)
    return place(self, *arguments, **options)
def committing(self, sql, *arguments):
    if sql == "COMMIT" and len(placed) > 2:
        os.kill(os.getpid(), 9)
    return execute(self, sql, *arguments)
DocumentStore.place, Catalogue.execute = placing, committing
from ingest_tui.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


class Program:
    """The old program, on the workspace in `HOME`."""

    def __init__(self, source_tree: Path) -> None:
        helpers = HOME / ".helpers"
        helpers.mkdir(parents=True)
        (helpers / "sitecustomize.py").write_text(_NEUTRAL)
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(HOME),
            "LANG": "C.UTF-8",
            "LOGNAME": "someone",
            "PYTHONPATH": f"{helpers}:{source_tree}",
        }

    def run(self, *arguments: str, code: int = 0, dying: bool = False) -> None:
        """Run a command to its end; ``code`` is how it has to end."""
        start = ["-c", _DYING] if dying else ["-m", "ingest_tui"]
        command = [sys.executable, *start, "--workspace", str(HOME / "workspace"), *arguments]
        ended = subprocess.run(command, env=self._environment, cwd=HOME, capture_output=True, text=True, check=False)
        if ended.returncode != code:
            raise SystemExit(f"{arguments}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}")


def write(name: str, text: str, encoding: str = "utf-8") -> None:
    """Write a file of a source, made an hour ago so that it is not taken for one that is still changing."""
    path = HOME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    long_ago = time.time_ns() - 3_600_000_000_000
    os.utime(path, ns=(long_ago, long_ago))


def make(program: Program) -> None:
    """Go through what can happen to documents, and leave two jobs that have not ended."""
    for number in range(1, 5):
        write(f"handbook/chapter-{number}.md", f"# Chapter {number}\n\nThe rules of chapter {number}.\n")
    write("handbook/copy-of-1.md", "# Chapter 1\n\nThe rules of chapter 1.\n")
    write("handbook/broken.pdf", "%PDF-1.7 and nothing more")
    write("handbook/empty.txt", "")
    write("handbook/picture.png", "\x89PNG\r\n\x1a\n" + "\0" * 40, encoding="latin-1")
    for number in range(1, 15):
        write(f"notes/note-{number:02}.txt", f"Note number {number} about topic {number}.\n")
    for name in ("memo.txt", "letter.md"):
        write(f"desk/{name}", f"A {name.partition('.')[0]} that was given by hand.\n")

    program.run("init")
    program.run("collection", "add", "Manuals", "--description", "for the people in the workshop")
    program.run("source", "add", "local", "handbook", "--path", str(HOME / "handbook"))
    program.run("source", "add", "local", "notes", "--path", str(HOME / "notes"), "--collection", "manuals")
    program.run("source", "disable", "notes")
    program.run("source", "enable", "notes")
    program.run("sync", "handbook", code=3)
    program.run("sync", "notes")
    program.run("upload", str(HOME / "desk/memo.txt"))

    write("handbook/chapter-2.md", "# Chapter 2\n\nThe new rules of chapter 2, second edition.\n")
    (HOME / "handbook/chapter-3.md").rename(HOME / "handbook/third-chapter.md")
    (HOME / "handbook/chapter-4.md").unlink()
    program.run("sync", "handbook", code=3)
    for number in range(1, 13):
        (HOME / f"notes/note-{number:02}.txt").unlink()
    program.run("sync", "notes", code=6)  # its deletions are held: 12 of 14
    program.run("doc", "remove", "--yes", str(HOME / "notes/note-14.txt"))

    for number in range(5, 10):
        write(f"handbook/chapter-{number}.md", f"# Chapter {number}\n\nAn addition: chapter {number}.\n")
    program.run("sync", "handbook", code=-9, dying=True)  # interrupted with a batch placed and not committed
    program.run("upload", "--detach", str(HOME / "desk/letter.md"))  # queued, its file in staging


def fingerprints() -> dict[str, str]:
    """Return how the old program fingerprints each file of a source: inodes change when an archive is unpacked."""
    found = {}
    for folder in ("handbook", "notes"):
        for path in sorted((HOME / folder).iterdir()):
            status = path.stat()
            found[f"{folder}/{path.name}"] = f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"
    return found


def pack() -> None:
    """Put the home into the archive, with what its user has to know: where it was, and the fingerprints."""
    facts = json.dumps({"home": str(HOME), "fingerprints": fingerprints()}, indent=2).encode()
    with tarfile.open(ARCHIVE, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        note = tarfile.TarInfo("facts.json")
        note.size = len(facts)
        archive.addfile(note, io.BytesIO(facts))
        for folder in ("handbook", "notes", "desk", "workspace"):
            archive.add(HOME / folder, folder, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    shutil.rmtree(HOME, ignore_errors=True)
    make(Program(Path(sys.argv[1]).resolve()))
    pack()
    shutil.rmtree(HOME)
