"""Errors of a local file system, as the reasons and sentences that people get."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemChangedError, ItemError, SourceAccessError, TransientItemError
from ingest_tui.model.gap_remedies import error_remedy
from ingest_tui.model.safe_text import safe_display

GONE = {errno.ENOENT, errno.ENOTDIR}
LEADS_NOWHERE = GONE | {errno.ELOOP}
"""Errors of a link that leads to nothing, or only to others that lead back to it."""
_LOCKED = {errno.EBUSY, errno.EAGAIN, errno.ETXTBSY, errno.EDEADLK}
_NETWORK = {errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.ECONNRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH}


def changed_while_read() -> ItemError:
    """Return the error of a file that did not stay the same from its first byte to its last."""
    return ItemError(
        "the file changed while it was read", code="changed_while_read", hint="the next sync takes it again"
    )


def changed_since_listed(now: Descriptor) -> ItemChangedError:
    """Return the error of a file that is not the one that the listing saw."""
    return ItemChangedError(
        "the file changed while it was read", hint="the next sync takes it again", uri=now.uri, now=now
    )


_IT_WENT = "is it mounted? 'ingest-tui source edit SOURCE --path FOLDER' changes it; nothing was deleted"
IT_WAS_NAMED = "is it written correctly, and mounted?"
"""The hint for a folder that somebody names just now: no source has it yet."""


def check_root(root: bytes, *, if_gone: str = _IT_WENT) -> None:
    """Raise `SourceAccessError` unless the folder of a source is there and can be listed; ``if_gone`` is a hint."""
    try:
        status = os.stat(root)  # noqa: PTH116
        if not stat.S_ISDIR(status.st_mode):
            raise SourceAccessError(
                f"not a folder: {safe_display(os.fsdecode(root))}",
                hint="a local source is a folder; 'ingest-tui upload FILE' takes single files",
                code="not_a_folder",
            )
        os.scandir(root).close()
    except OSError as error:
        raise access_error(root, error, if_gone=if_gone) from None


def access_error(root: bytes, error: OSError, *, if_gone: str = _IT_WENT) -> SourceAccessError:
    """Return why the folder of a source cannot be listed."""
    name = safe_display(Path(os.fsdecode(root)).as_posix())
    if error.errno in GONE:
        return SourceAccessError(f"the folder does not exist: {name}", hint=if_gone, code="not_found")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SourceAccessError(
            f"no permission to read {name}", hint="run as a user who may read it; nothing was deleted", code="forbidden"
        )
    remedy = error_remedy(error.errno)
    hint = f"{remedy}; nothing was deleted" if remedy else "nothing was deleted"
    return SourceAccessError(f"cannot read {name}: {error.strerror}", hint=hint)


def item_error(descriptor: Descriptor, error: OSError) -> ItemError:
    """Return why one file cannot be opened or read."""
    if error.errno in GONE:
        return ItemError("it is gone since it was listed", code="not_found", uri=descriptor.uri)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return ItemError("no permission to read it", code="forbidden", hint="run as a user who may read it")
    if error.errno == errno.ELOOP:
        return ItemError("it was replaced by a symbolic link", code="special_file", uri=descriptor.uri)
    if error.errno in _LOCKED:
        return TransientItemError(
            "another program has it locked", code="locked", hint="close the file there; the next sync takes it again"
        )
    if error.errno in _NETWORK:
        return TransientItemError(
            f"the file system does not answer: {error.strerror}", code="network", hint=error_remedy(error.errno)
        )
    hint = error_remedy(error.errno)
    return ItemError(error.strerror or "it cannot be read", code="unreadable", uri=descriptor.uri, hint=hint)
