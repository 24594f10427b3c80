"""A Git repository of this machine, read by the program git.

Only commands that print objects are used; see `git_process` for what keeps a repository from doing anything.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ingest_tui.connectors.git.git_errors import GitFailedError
from ingest_tui.connectors.git.git_process import running
from ingest_tui.model.clock import rfc3339

LINK = "120000"
"""The mode of a symbolic link."""
HEAD = "HEAD"
_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_NO_NAMES = {b"", b".", b".."}
"""What no git makes a part of a path; a tree can be written by other programs."""
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

    def commit_id(self, ref: str) -> str | None:
        """Return the id of the commit that a branch, tag or id stands for; None where it stands for none.

        A branch comes before a tag of its name: who can push a tag could put it in the branch's place otherwise. HEAD
        and the full id of a commit are what they are, whatever branches are called.
        """
        is_fixed = ref == HEAD or is_commit_id(ref)
        for name in (ref,) if is_fixed else (f"refs/heads/{ref}", ref):
            try:
                found = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
            except GitFailedError as failure:
                if failure.said:
                    raise
                continue
            return _checked_id(found)
        return None

    def commit(self, commit_id: str) -> Commit:
        """Return a commit; of headers that are there twice the first counts, as for git."""
        lines = self._run(["cat-file", "commit", commit_id]).partition(b"\n\n")[0].split(b"\n")
        author = next((line for line in lines if line.startswith(b"author ")), b"")
        return Commit(commit_id, _checked_id(lines[0].removeprefix(b"tree ")), _date_of(author))

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
            before = b""
            for entry in _entries_of(pieces):
                is_empty = False
                if entry.path == before or not _NO_NAMES.isdisjoint(entry.path.split(b"/")):
                    raise GitFailedError("a file of the commit has a path that cannot be, or one is there twice")
                before = entry.path
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

    def _running(self, arguments: list[str | bytes]) -> AbstractContextManager[Iterator[bytes]]:
        return running(self._git_dir(), arguments)

    def _git_dir(self) -> str:
        """Return where the repository is: named, so that git looks for none around the folder."""
        inner = os.path.join(self.folder, ".git")  # noqa: PTH118 - text stays text
        return inner if os.path.lexists(inner) else self.folder


def is_commit_id(ref: str) -> bool:
    """Whether a name is the full id of a commit, whatever branches are called."""
    return _ID.fullmatch(ref.encode(errors="replace")) is not None


def _checked_id(printed: bytes) -> str:
    if not _ID.fullmatch(printed.rstrip(b"\n")):
        raise GitFailedError("what it prints is no commit")
    return printed.decode().rstrip("\n")


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
