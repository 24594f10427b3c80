"""The errors that people get when rclone fails."""

from __future__ import annotations

from ingest_tui.connectors.rclone.failures import RcloneFailedError
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.safe_text import safe_display

NOTHING_DELETED = "nothing was deleted"


def source_error(
    remote: str, failure: RcloneFailedError, *, credential: str, known: list[str] | None = None
) -> IngestError:
    """Return the error of a source that rclone cannot reach or list. ``known``: the remotes that there are."""
    if failure.kind in {"credential", "config"}:
        return _not_let_in(remote, failure, credential)
    if failure.kind == "remote_missing":
        return _remote_missing(remote, credential, known)
    if failure.kind == "not_found":
        return folder_missing(remote)
    message = f"rclone cannot read {safe_display(remote)}: {failure.said}"
    if failure.kind in {"throttled", "network"}:
        return TransientSourceError(message, code=failure.kind, retry_after=failure.retry_after, hint=NOTHING_DELETED)
    if failure.kind == "forbidden":
        hint = f"allow the account of this remote to list and read it; {NOTHING_DELETED}"
        return SourceAccessError(message, hint=hint, code="forbidden")
    hint = f"'rclone lsf REMOTE --config FILE' tries it without ingest-tui; {NOTHING_DELETED}"
    return SourceAccessError(message, hint=hint)


def _not_let_in(remote: str, failure: RcloneFailedError, credential: str) -> AuthenticationError:
    if failure.kind == "config":
        hint = f"'ingest-tui credential set {safe_display(credential)} --ask config_password' asks for its password"
        return AuthenticationError(f"rclone cannot read its configuration file: {failure.said}", hint=hint)
    hint = f"'rclone config reconnect {safe_display(remote.partition(':')[0])}: --config FILE' signs in again"
    return AuthenticationError(f"{safe_display(remote)} does not let rclone in: {failure.said}", hint=hint)


def _remote_missing(remote: str, credential: str, known: list[str] | None) -> SourceAccessError:
    there = f"there are: {', '.join(map(safe_display, known))}" if known else "'rclone config --config FILE' makes one"
    return SourceAccessError(
        f"the configuration file of credential '{safe_display(credential)}' has no remote "
        f"'{safe_display(remote.partition(':')[0])}'",
        hint=f"{there}; {NOTHING_DELETED}",
        code="remote_missing",
    )


def folder_missing(remote: str) -> SourceAccessError:
    """Return the error of a source whose folder is not there, or no folder."""
    return SourceAccessError(
        f"there is no folder {safe_display(remote)}",
        hint=f"'ingest-tui source edit SOURCE' names another; {NOTHING_DELETED}",
        code="not_found",
    )


def item_error(descriptor: Descriptor, failure: RcloneFailedError) -> IngestError:
    """Return why rclone cannot read one file; what concerns the whole source is an error of it."""
    message, uri = f"rclone cannot read it: {failure.said}", descriptor.uri
    if failure.kind in {"throttled", "network"}:
        return TransientItemError(message, code=failure.kind, retry_after=failure.retry_after, uri=uri)
    if failure.kind in {"credential", "config", "remote_missing"}:
        hint = "'rclone config reconnect R: --config FILE' signs in again; then sync again"
        return AuthenticationError(message, hint=hint)
    if failure.kind == "not_found":
        return ItemError("it is gone since it was listed", code="not_found", uri=uri)
    if failure.kind == "forbidden":
        hint = "allow the account of this remote to read it, or leave it out with --exclude"
        return ItemError(message, code="forbidden", hint=hint, uri=uri)
    return ItemError(message, code="unreadable", uri=uri)
