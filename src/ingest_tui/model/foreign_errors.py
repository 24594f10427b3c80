"""What errors of libraries and of the operating system mean to a person: what happened, then what to do.

Decided by the name of the error's class and its package, so that nothing is loaded to ask. What is not known here is a
bug of ours: `None`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from ingest_tui.model.errors import (
    AuthenticationError,
    BusyError,
    DiskFullError,
    IngestError,
    SourceAccessError,
    StoreError,
    TransientSourceError,
    ValidationError,
)
from ingest_tui.model.interrupts import is_ctrl_c
from ingest_tui.model.invalid_values import refusal_in_words
from ingest_tui.model.safe_text import safe_display

_CHARACTERS = 300
_FREE_SPACE = "free some space, then try again"
_END_OTHERS = "end other programs, or lower max_running_jobs"
_TEST = "'ingest-tui source test SOURCE' checks the connection; then try again"
_OWNER = "check owner and permissions; who runs this must be allowed to do it"
_REFUSED_WORDS = ("AccessDenied", "Unauthorized", "Forbidden", "NoCredentials", "TokenRetrieval", "Credential")
_CONNECTION_WORDS = ("Timeout", "Connect", "SSL", "Proxy")

_DAMAGED = (StoreError, "the catalogue is damaged", "'ingest-tui rebuild' makes it again from the documents")
_BUSY = (BusyError, "the catalogue is busy", "another process writes to it; try again in a moment")
_UNWRITABLE = (StoreError, "the catalogue cannot be written", "check owner and permissions of the workspace, its mount")
_UNREADABLE = (StoreError, "the catalogue cannot be read or written", "check the disk and the system log")
_DATABASE: dict[str, tuple[type[IngestError], str, str]] = {
    "FullError": (DiskFullError, "there is no room left on the disk of the workspace", _FREE_SPACE),
    "BusyError": _BUSY,
    "LockedError": _BUSY,
    "CorruptError": _DAMAGED,
    "NotADBError": _DAMAGED,
    "FormatError": _DAMAGED,
    "ReadOnlyError": _UNWRITABLE,
    "PermissionsError": _UNWRITABLE,
    "AuthError": _UNWRITABLE,
    "IOError": _UNREADABLE,
    "CantOpenError": _UNREADABLE,
    "NoMemError": (IngestError, "there is not enough memory", _END_OTHERS),
}
_SYSTEM: dict[int, tuple[type[IngestError], str, str]] = {
    errno.ENOSPC: (DiskFullError, "there is no room left on the disk", _FREE_SPACE),
    errno.EDQUOT: (DiskFullError, "the quota of the disk is used up", _FREE_SPACE),
    errno.EROFS: (StoreError, "the file system is read-only", "what only reads works; mount it writable to write"),
    errno.EIO: (StoreError, "the disk reports an error", "check it ('dmesg' shows more), then try again"),
    errno.EACCES: (IngestError, "permission denied", _OWNER),
    errno.EPERM: (IngestError, "operation not permitted", _OWNER),
    errno.EMFILE: (IngestError, "too many open files", "raise the limit ('ulimit -n'), then try again"),
    errno.ENOMEM: (IngestError, "there is not enough memory", _END_OTHERS),
}


def as_ingest_error(error: BaseException) -> IngestError | None:
    """Return the error of ours that says what ``error`` means; itself when it is one, None for a bug."""
    if isinstance(error, IngestError):
        return error
    if isinstance(error, MemoryError):
        return IngestError("there is not enough memory", hint=_END_OTHERS)
    explain = _BY_PACKAGE.get(type(error).__module__.partition(".")[0])
    if explain is not None:
        return explain(error)
    return _of_system(error) if isinstance(error, OSError) else None


def as_database_error(error: BaseException) -> IngestError | None:
    """Return the error of ours for one of the database; None for any other."""
    return _of_database(error) if type(error).__module__.partition(".")[0] == "apsw" else None


def _of_database(error: BaseException) -> IngestError:
    name = type(error).__name__
    if name not in _DATABASE:
        hint = "'ingest-tui doctor' checks the workspace; report it if that finds nothing"
        return StoreError(f"the catalogue reports {name}: {text_of(error)}", hint=hint)
    kind, message, hint = _DATABASE[name]
    code = "catalogue_damaged" if _DATABASE[name] is _DAMAGED else None
    return kind(f"{message} ({text_of(error) or name})", hint=hint, code=code)


def _of_validation(error: Any) -> IngestError:
    message = refusal_in_words(error, whole="a value", colon=" is not valid:") or text_of(error)
    return ValidationError(message, hint="correct it, then try again")


def _of_network(error: BaseException) -> IngestError:
    name = type(error).__name__
    if any(word in f"{name} {text_of(error)}" for word in _REFUSED_WORDS):
        hint = "'ingest-tui credential test NAME' checks it"
        return AuthenticationError(f"the source refuses the credential ({name})", hint=hint)
    if any(word in name for word in _CONNECTION_WORDS):
        return TransientSourceError(f"the connection to the source failed ({name})", hint=_TEST, code="network")
    return SourceAccessError(f"the source answers with an error ({name}: {text_of(error)})", hint=_TEST)


def _of_system(error: OSError) -> IngestError:
    place = f": {safe_display(os.fsdecode(error.filename))}" if isinstance(error.filename, str | bytes) else ""
    what = error.strerror or text_of(error) or type(error).__name__
    if error.errno in _SYSTEM:
        kind, message, hint = _SYSTEM[error.errno]
        return kind(f"{message}{place}", hint=hint)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return TransientSourceError(f"the connection failed: {what}", hint=_TEST, code="network")
    return IngestError(f"{what}{place}", hint="check permissions and free space, then try again")


def text_of(error: BaseException) -> str:
    """Return what an error says, safe to show and short; empty where not even that can be had."""
    try:
        return safe_display(str(error), limit=_CHARACTERS)
    except BaseException as another:
        if is_ctrl_c(another):
            raise
        return ""  # the code of others may raise in __str__ too


def described(error: BaseException) -> str:
    """Return the kind of an error and what it says, safe to show and short."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def is_library_failure(error: BaseException) -> bool:
    """Say whether a library failed on its input: no lack of memory, no interrupt. A bug of one in Rust counts too."""
    if isinstance(error, Exception):
        return not isinstance(error, (IngestError, MemoryError))
    return type(error).__name__ == "PanicException"


_BY_PACKAGE: dict[str, Callable[[BaseException], IngestError]] = {
    "apsw": _of_database,
    "pydantic": _of_validation,
    "pydantic_core": _of_validation,
    **dict.fromkeys(
        ("botocore", "boto3", "requests", "urllib3", "httpx", "httpcore", "http", "ssl", "msal", "office365"),
        _of_network,
    ),
}
