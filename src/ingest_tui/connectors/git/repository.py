"""A Git repository of this machine, read by the program git.

Nothing in it is executed and nothing is fetched or written: only commands that print objects are used, settings of the
user and the system do not count, and every protocol is forbidden, so that what is missing is missing.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple, cast

from ingest_tui.connectors.git.git_errors import GitFailedError, last_line, not_installed
from ingest_tui.model.clock import rfc3339

SILENCE_SECONDS = 60.0
"""So long git may say nothing: its disk does not answer."""
LINK = "120000"
"""The mode of a symbolic link."""
_PIECE = 1 << 20
_ERRORS_KEPT = 1 << 16
_EMPTY_TREES = {
    hash_name: hashlib.new(hash_name, b"tree 0\0", usedforsecurity=False).hexdigest()
    for hash_name in ("sha1", "sha256")
}


class TreeEntry(NamedTuple):
    """One line of a tree: ``mode`` as git writes it, ``kind`` blob, tree or commit (of a submodule), size in bytes."""

    mode: str
    kind: str
    object_id: str
    size: int | None
    path: bytes

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and no symbolic link, folder or submodule."""
        return self.kind == "blob" and self.mode.startswith("100")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: ids in hexadecimal, ``author_date`` in RFC 3339, UTC."""

    commit_id: str
    tree_id: str
    author_date: str


class Repository:
    """Prints what is in a repository. Raises `GitFailedError` where git cannot."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def commit(self, ref: str) -> Commit | None:
        """Return the commit that a branch, tag or id stands for; None where it stands for none."""
        try:
            found = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"])
        except GitFailedError as failure:
            if failure.said:
                raise
            return None
        commit_id = found.decode().strip()
        head = self._run(["cat-file", "commit", commit_id]).partition(b"\n\n")[0]
        fields = dict(line.split(b" ", 1) for line in head.splitlines() if b" " in line)
        if b"tree" not in fields:
            raise GitFailedError("what it prints is no commit")
        return Commit(commit_id, fields[b"tree"].decode(), _date_of(fields.get(b"author", b"")))

    def refs(self, at_most: int) -> list[str]:
        """Return names of branches and tags."""
        answer = self._run(
            ["for-each-ref", f"--count={at_most}", "--format=%(refname:short)", "refs/heads", "refs/tags"]
        )
        return answer.decode(errors="replace").splitlines()

    def entries(self, commit: Commit, folder: bytes = b"", *, within: bool = True) -> Iterator[TreeEntry]:
        """Yield what is in a folder of a commit (all folders below it, too, if ``within``); streams.

        Ends only when everything was said: what is cut raises.
        """
        tree = os.fsencode(commit.tree_id) + (b":" + folder if folder else b"")
        flags = ["-r"] if within else []
        is_empty = True
        with self._running(["ls-tree", *flags, "-z", "--long", "--full-tree", tree]) as pieces:
            for entry in _entries_of(pieces):
                is_empty = False
                yield entry
        if is_empty and not folder and commit.tree_id not in _EMPTY_TREES.values():
            raise GitFailedError("the tree of the commit was not listed")

    def entry(self, commit: Commit, path: bytes) -> TreeEntry | None:
        """Return what is at one path of a commit; None where nothing is."""
        with self._running(["ls-tree", "-z", "--long", "--full-tree", commit.tree_id, "--", path]) as pieces:
            return next((entry for entry in _entries_of(pieces) if entry.path == path), None)

    def content(self, object_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open the content of a file, whole once the pieces end."""
        return self._running(["cat-file", "blob", object_id])

    def loose_object(self, object_id: str) -> Path | None:
        """Return where the file of an object would be, if it is not in a pack; None where git does not say."""
        try:
            folder = self._run(["rev-parse", "--git-path", "objects"]).decode().rstrip("\n")
        except (GitFailedError, UnicodeDecodeError):
            return None
        return Path(self.folder, folder, object_id[:2], object_id[2:])

    def _run(self, arguments: list[str | bytes]) -> bytes:
        with self._running(arguments) as pieces:
            return b"".join(pieces)

    @contextmanager
    def _running(self, arguments: list[str | bytes]) -> Iterator[Iterator[bytes]]:
        """Run git and give what it prints, which raises `GitFailedError` unless it ends well; left early, it ends."""
        process = self._started(arguments)
        try:
            yield _printed(process)
        finally:
            process.kill()
            process.communicate()

    def _started(self, arguments: list[str | bytes]) -> subprocess.Popen[bytes]:
        command: list[str | bytes] = ["git", "-c", "safe.directory=*", "-c", "protocol.allow=never"]
        command += ["--literal-pathspecs", "-C", self.folder, *arguments]
        try:
            return subprocess.Popen(  # noqa: S603 - the program is git, what is from outside cannot be an option
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(self.folder),
                start_new_session=True,  # Ctrl-C is for the job to answer
            )
        except FileNotFoundError:
            raise not_installed() from None


def _environment(folder: str) -> dict[str, str]:
    """Return what git is to know: no settings but those of the repository, and no repository around it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(Path(folder).parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _printed(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield what a process prints; raises unless it ends well, also when it falls silent."""
    written = b""
    for is_output, piece in _read(cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)):
        if is_output:
            yield piece
        else:
            written = (written + piece)[-_ERRORS_KEPT:]
    try:
        code = process.wait(SILENCE_SECONDS)
    except subprocess.TimeoutExpired:
        raise GitFailedError("it does not end", may_pass=True) from None
    if code:
        raise GitFailedError(last_line(written), may_pass=code < 0)


def _read(output: IO[bytes], errors: IO[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Yield what comes through two pipes until both end, and whether it came through the first."""
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        ready.register(errors, selectors.EVENT_READ)
        while ready.get_map():
            events = ready.select(SILENCE_SECONDS)
            if not events:
                raise GitFailedError(f"it has said nothing for {SILENCE_SECONDS:.0f} seconds", may_pass=True)
            for key, _ in events:
                piece = os.read(key.fd, _PIECE)
                if piece:
                    yield key.fileobj is output, piece
                else:
                    ready.unregister(key.fileobj)


def _entries_of(pieces: Iterator[bytes]) -> Iterator[TreeEntry]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\0")
        for line in lines:
            yield _entry_of(line)
    if rest:
        raise GitFailedError("its list ends in the middle of a line", may_pass=True)


def _entry_of(line: bytes) -> TreeEntry:
    head, _, path = line.partition(b"\t")
    try:
        mode, kind, object_id, size = head.decode("ascii").split()
    except ValueError:
        path = b""
    if not path:
        raise GitFailedError("what it prints is no list of files")
    return TreeEntry(mode, kind, object_id, int(size) if size.isdigit() else None, path)


def _date_of(author: bytes) -> str:
    """Return the date of an author's line, ``Name <mail> 1796022990 +0100``; empty where it has none."""
    words = author.rsplit(b" ", 2)
    try:
        return rfc3339(datetime.fromtimestamp(int(words[-2]), UTC))
    except (IndexError, ValueError, OverflowError, OSError):
        return ""
