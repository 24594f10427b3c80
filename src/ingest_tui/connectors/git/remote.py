"""A Git repository at an address: what its branches and tags name, and its commits, fetched one at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from itertools import islice
from pathlib import Path

from ingest_tui.connectors.git.address import RepositoryAddress
from ingest_tui.connectors.git.git_errors import GitFailedError
from ingest_tui.connectors.git.git_process import Processes
from ingest_tui.connectors.git.network_process import ASKING_MEMORY, ASKING_SECONDS, FETCHING_MEMORY, asking
from ingest_tui.connectors.git.repository import HEAD

FETCHED = "refs/ingest-tui/fetched"
"""The ref that names what was fetched last, once all of it is there."""
_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\t([^\x00-\x1f\x7f]+)")
_LONGEST_ANSWER = 1 << 20


class Remote:
    """Asks one server. Raises `GitFailedError` where git cannot."""

    def __init__(self, address: RepositoryAddress, secret: Callable[[], tuple[str, str] | None]) -> None:
        self.address = address
        self.processes = Processes()
        self._secret = secret

    def object_id(self, ref: str) -> str | None:
        """Return what a branch (before a tag of its name), a tag, HEAD or the full name of a ref stands for now.

        None where it stands for nothing. Of a tag with a message it is the id of the tag.
        """
        names = [HEAD] if ref == HEAD else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        if ref.startswith("refs/"):
            names.append(ref)
        there = dict(self._refs(names))
        return next((there[name] for name in names if name in there), None)

    def names(self, at_most: int) -> list[str]:
        """Return names of branches and tags."""
        with closing(self._refs([], "--heads", "--tags", "--refs")) as refs:
            names = [name for name, _ in islice(refs, at_most)]
        return [name.removeprefix("refs/heads/").removeprefix("refs/tags/") for name in names]

    def _refs(self, patterns: list[str], *options: str) -> Generator[tuple[str, str], None, None]:
        received, rest = 0, b""
        arguments = ["ls-remote", "--quiet", *options, "--", self.address.text, *patterns]
        with self._asking(arguments, memory=ASKING_MEMORY, seconds=ASKING_SECONDS) as pieces:
            for piece in pieces:
                received += len(piece)
                if received > _LONGEST_ANSWER:
                    raise GitFailedError("the server names more branches and tags than anybody has")
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    found = _LINE.fullmatch(line)
                    if found is None:
                        raise GitFailedError("what it prints is no list of branches and tags")
                    yield found[2].decode(errors="replace"), found[1].decode()
        if rest:
            raise GitFailedError("its list of branches and tags ends in the middle of a line", may_pass=True)

    def fetch(self, git_dir: Path, object_id: str, most_written: int) -> None:
        """Fetch one commit (or tag) with all its files, none of its history, into a repository of ours.

        ``most_written``: bytes that may be written.
        """
        options = (
            "--depth=1",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
        )
        arguments = [f"--git-dir={git_dir}", "fetch", *options, "--force", "--progress", "--"]
        arguments += [self.address.text, f"+{object_id}:{FETCHED}"]
        with self._asking(arguments, memory=FETCHING_MEMORY, most_written=most_written) as pieces:
            for _piece in pieces:
                pass

    def _asking(
        self, arguments: list[str], *, memory: int, seconds: float = math.inf, most_written: int | None = None
    ) -> AbstractContextManager[Iterator[bytes]]:
        return asking(
            self.address,
            arguments,
            self.processes,
            secret=self._secret,
            memory=memory,
            seconds=seconds,
            most_written=most_written,
        )
