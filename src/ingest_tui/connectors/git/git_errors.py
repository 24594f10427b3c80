"""What git says when it fails, as the errors that people get."""

from __future__ import annotations

import os
from pathlib import Path

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import (
    IngestError,
    ItemError,
    MissingDependencyError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.safe_text import safe_display

_MAY_PASS = (
    "Input/output error",
    "Stale file handle",
    "Connection timed out",
    "Transport endpoint is not connected",
    "Too many open files",
    "Cannot allocate memory",
    "Resource temporarily unavailable",
)
_MOST_SAID = 300
_NOTHING_DELETED = "nothing was deleted"


class GitFailedError(Exception):
    """A git process that failed: ``said`` is the last line of what it wrote; ``may_pass`` says it may do later.

    ``status`` and ``retry_after`` (seconds) are of the last answer of a server over HTTP, where there was one.
    ``lacks_room``: what it had to write did not fit on the disk. ``is_too_large``: what a server sent, for its memory.
    """

    def __init__(
        self,
        said: str,
        *,
        may_pass: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        lacks_room: bool = False,
        is_too_large: bool = False,
    ) -> None:
        super().__init__(said)
        self.said = said
        self.may_pass = may_pass or any(words in said for words in _MAY_PASS)
        self.status = status
        self.retry_after = retry_after
        self.lacks_room = lacks_room
        self.is_too_large = is_too_large


def said_of(written: bytes) -> str:
    """Return in one line what git wrote to its error stream last, without the word that begins it."""
    lines = written.decode(errors="replace").strip().splitlines()
    last = max((number for number, line in enumerate(lines) if line.startswith("fatal: ")), default=len(lines) - 1)
    return " ".join(lines[max(last, 0) :])[:_MOST_SAID].removeprefix("fatal: ").removeprefix("error: ")


def not_installed() -> MissingDependencyError:
    """Return the error of a machine without git."""
    return MissingDependencyError("a git source needs the program git, which is not installed", hint="apt install git")


def check_folder(repository: str) -> None:
    """Raise `SourceAccessError` unless the folder of a repository is there and can be looked into."""
    name = safe_display(repository)
    try:
        os.scandir(repository).close()
    except (FileNotFoundError, NotADirectoryError):
        raise SourceAccessError(
            f"the repository does not exist: {name}",
            hint=f"is it mounted? 'ingest-tui source edit SOURCE' names another; {_NOTHING_DELETED}",
            code="not_found",
        ) from None
    except PermissionError:
        raise SourceAccessError(
            f"no permission to read {name}",
            hint=f"run as a user who may read it; {_NOTHING_DELETED}",
            code="forbidden",
        ) from None
    except OSError as error:
        raise SourceAccessError(f"cannot read {name}: {error.strerror}", hint=_NOTHING_DELETED) from None


def source_error(repository: str, failure: GitFailedError) -> IngestError:
    """Return the error of a repository that git cannot read."""
    name, said = safe_display(repository), shown(failure)
    if failure.may_pass:
        return TransientSourceError(f"git cannot read {name} now: {said}", code="network", hint=_NOTHING_DELETED)
    if "not a git repository" in said:
        return SourceAccessError(
            f"not a git repository: {name}",
            hint=f"name the folder that 'git clone' made; {_NOTHING_DELETED}",
            code="not_a_repository",
        )
    return SourceAccessError(
        f"git cannot read {name}: {said}",
        hint=f"'git -C FOLDER fsck' shows what is wrong with it; {_NOTHING_DELETED}",
    )


def shown(failure: GitFailedError) -> str:
    """Return what git said, as it may be shown."""
    return safe_display(failure.said) or "it ended without a word"


def ref_missing(repository: str, ref: str, known: list[str]) -> SourceAccessError:
    """Return the error of a repository without the branch, tag or commit that a source names."""
    there = (
        f"there are: {', '.join(safe_display(name) for name in known)}"
        if known
        else "it has no branch or tag that can be read"
    )
    return SourceAccessError(
        f"'{safe_display(ref)}' names no commit in {safe_display(repository)}",
        hint=f"{there}; {_NOTHING_DELETED}",
        code="ref_missing",
    )


def item_error(descriptor: Descriptor, failure: GitFailedError, loose: Path | None = None) -> ItemError:
    """Return why git cannot read one file; ``loose`` is where its object is, if it has a file of its own."""
    if loose is not None and loose.exists() and not os.access(loose, os.R_OK):
        return ItemError(
            "no permission to read its object in the repository",
            code="forbidden",
            hint="run as a user who may read the whole repository",
            uri=descriptor.uri,
        )
    said = shown(failure)
    if failure.may_pass:
        return TransientItemError(f"git cannot read it now: {said}", code="network", uri=descriptor.uri)
    return ItemError(
        f"git cannot read it: {said}",
        code="unreadable",
        hint="'git -C FOLDER fsck' shows what is wrong with the repository",
        uri=descriptor.uri,
    )


def pointer_error(descriptor: Descriptor) -> ItemError:
    """Return the error of a file whose content is kept elsewhere, by Git LFS."""
    return ItemError(
        "only a pointer of Git LFS to its content is in the repository",
        code="archived",
        hint="add the folder of a working copy that 'git lfs pull' has filled as a local source",
        uri=descriptor.uri,
    )
