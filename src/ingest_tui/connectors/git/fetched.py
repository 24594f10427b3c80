"""The repository of ours that holds what was fetched from an address: bare, without history, made when needed.

It is written by one job at a time. Who only looks borrows the packs, which never change, and adds what is missing.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from ingest_tui.connectors.git.git_errors import GitFailedError
from ingest_tui.connectors.git.git_process import running
from ingest_tui.connectors.git.remote import FETCHED
from ingest_tui.connectors.git.repository import Repository

_MOST_PACKS = 20
_SHA1_DIGITS = 40
_LEFT_BY_KILLED = ("*.lock", "refs/ingest-tui/*.lock", "objects/tmp_*", "objects/pack/tmp_*", "objects/pack/*.keep")


class Fetched:
    """A folder of ours; ``lender`` is one that another process may change or remove at any time."""

    def __init__(self, folder: Path, lender: Path | None = None) -> None:
        self._folder = folder
        self._lender = lender

    def repository_for(self, object_id: str) -> Repository:
        """Return the repository for ids of this length, ready to be fetched into; raises `GitFailedError`, OSError."""
        object_format = "sha1" if len(object_id) == _SHA1_DIGITS else "sha256"
        git_dir = self._folder / f"{object_format}.git"
        self.sweep(git_dir)
        if not (git_dir / "HEAD").exists():
            git_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _run(
                git_dir, "init", "--bare", "--quiet", "--template=", "--shared=0600", f"--object-format={object_format}"
            )
            if self._lender is not None:
                _borrow(self._lender / git_dir.name, git_dir)
        return Repository(str(git_dir))

    def sweep(self, git_dir: Path) -> None:
        """Remove what a fetch leaves that failed or was killed."""
        for path in _matching(git_dir, _LEFT_BY_KILLED):
            path.unlink(missing_ok=True)

    def has(self, repository: Repository, object_id: str) -> bool:
        """Whether what was fetched last is this, with all that it names."""
        return _fetched_last(Path(repository.folder)) == object_id

    def tidy(self, repository: Repository) -> None:
        """Forget what is not of the commit fetched last, once there are many packs; nothing else may be needed."""
        packs = _matching(Path(repository.folder), ("objects/pack/*.pack",))
        if self._lender is None and len(packs) > _MOST_PACKS:
            _run(Path(repository.folder), "repack", "-a", "-d", "-q")
            _run(Path(repository.folder), "prune", "--expire=now")

    def discard(self) -> None:
        """Remove all of it, as far as that can be done."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _run(git_dir: Path, *arguments: str) -> None:
    with running(str(git_dir), [*arguments]) as pieces:
        for _piece in pieces:
            pass


def _matching(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [path for pattern in patterns for path in folder.glob(pattern)]


def _borrow(lender: Path, git_dir: Path) -> None:
    """Take over what is whole of another repository: each pack with its index, and what was fetched last.

    What goes meanwhile is left out, and is fetched.
    """
    fetched = _fetched_last(lender)
    if fetched is None:
        return
    with suppress(FileNotFoundError):
        shutil.copyfile(lender / "shallow", git_dir / "shallow")
    for pack in _matching(lender, ("objects/pack/pack-*.pack",)):
        with suppress(FileNotFoundError):
            for path in (pack, pack.with_suffix(".idx")):
                _link(path, git_dir / "objects" / "pack" / path.name)
    with suppress(GitFailedError):  # its pack went: it will be fetched
        _run(git_dir, "update-ref", FETCHED, fetched)


def _fetched_last(git_dir: Path) -> str | None:
    """Return the id that was asked for last and is there with all that it names."""
    try:
        with running(str(git_dir), ["rev-parse", "--verify", "--quiet", FETCHED]) as pieces:
            return b"".join(pieces).decode().strip()
    except GitFailedError:
        return None


def _link(path: Path, link: Path) -> None:
    try:
        os.link(path, link)
    except FileNotFoundError:
        raise
    except OSError:  # on another file system, or one without hard links
        if not path.exists():
            raise FileNotFoundError(path) from None
        link.symlink_to(path)
