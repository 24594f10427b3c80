"""The family of errors: what happened, what to do, and whether trying again can help."""

from __future__ import annotations

from typing import Any, ClassVar

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.redaction import redact
from ingest_tui.model.unicode import as_unicode


class IngestError(Exception):
    """Base of every error that reaches a person.

    ``message`` says what happened, ``hint`` what to do about it, ``code`` is stable and meant for scripts.
    ``retryable`` says to the retry wrapper whether the same call may succeed later. ``context`` holds whatever
    locates the error (``source_id``, ``job_id``, ``uri``, ``phase``, …). Secrets in the texts are left out. All of them
    may quote names that are not UTF-8; here those become Unicode, which the files of a job can hold.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", code: str | None = None, **context: Any) -> None:
        # Here, because an error becomes outcomes, rows of the catalogue, log lines and words on a screen.
        self.message = redact(as_unicode(message))
        super().__init__(self.message)
        self.hint = redact(as_unicode(hint))
        self.reason = code or type(self).code
        self.context = {
            name: as_unicode(value) if isinstance(value, str) else value
            for name, value in context.items()
            if value is not None
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form that ``--json`` prints under ``error``."""
        return {"code": self.reason, "message": self.message, "hint": self.hint, "details": self.context}


class UsageError(IngestError):
    """The request itself is wrong."""

    code = "usage"
    exit_code = 2


class UnknownWordsError(UsageError):
    """What is asked for by meaning means nothing to the model."""


class ValidationError(IngestError):
    """A value from outside is not acceptable: a setting, a name, a hash."""

    code = "invalid"
    exit_code = 2


class NotFoundError(IngestError):
    """A source, job, document or collection of that name does not exist."""

    code = "not_found"
    exit_code = 4


class WorkspaceMissingError(NotFoundError):
    """There is no workspace where one was named: never made, moved away, or on a disk that is not mounted."""

    code = "workspace_missing"


class BusyError(IngestError):
    """Somebody else holds what is needed: a job, a source, the workspace."""

    code = "busy"
    exit_code = 5
    retryable = True


class ConflictError(IngestError):
    """Somebody else has changed or removed a record since it was read; nothing was written.

    ``context["differences"]`` lists what differs: ``field``, ``yours`` and ``theirs`` of each. ``theirs`` is the record
    as it is now, None where it is gone.
    """

    code = "conflict"
    exit_code = 5
    theirs: Any = None


class RefusedError(IngestError):
    """Not done for safety until a person approves."""

    code = "refused"
    exit_code = 6


class StoreError(IngestError):
    """The workspace on disk is not as it must be."""

    code = "store"


class PlanDamagedError(StoreError):
    """The plan of a job is not as it was written: nothing may rest on it."""

    code = "plan_damaged"


class DiskFullError(StoreError):
    """There is no room to continue: the job waits until there is."""

    code = "disk_full"
    retryable = True


class SchemaVersionError(StoreError):
    """A file was written by a newer program; it is left untouched."""

    code = "schema_too_new"


class GivenUpError(IngestError):
    """Whoever asked does not wait for the answer any more."""

    code = "given_up"


class StaleWriterError(StoreError):
    """A manifest was changed by a newer owner; the late writer must stop."""

    code = "stale_writer"


class SourceAccessError(IngestError):
    """The source as a whole cannot be reached or read."""

    code = "source_access"


class AuthenticationError(SourceAccessError):
    """The source refuses the credential."""

    code = "authentication"


class TransientSourceError(SourceAccessError):
    """The source fails for now (network, throttling). ``retry_after`` is in seconds where the source named it.

    Codes in use: ``network``, ``throttled``, ``timeout_source``; ``source_transient`` where nothing closer is known.
    """

    code = "source_transient"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint or _when_to_try_again(retry_after), **context)
        self.retry_after = retry_after


def _when_to_try_again(retry_after: float | None) -> str:
    return f"try again in {max(1.0, retry_after):.0f} s" if retry_after else "it may pass by itself: try again later"


class ItemError(IngestError):
    """One item cannot be had or read. ``reason`` becomes the reason of its outcome."""

    code = "item"


class ItemChangedError(ItemError):
    """The item is another than the listing saw, so its bytes are not those of its fingerprint.

    ``now`` describes it as it is, where that is known: whoever fetches may ask for that instead.
    """

    code = "changed_while_read"

    def __init__(self, message: str, *, now: Descriptor | None = None, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.now = now


class TransientItemError(ItemError):
    """One item cannot be had for now (locked, throttled, a cut connection); trying again may help.

    ``retry_after`` is in seconds where the source named it.
    """

    code = "network"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.retry_after = retry_after


class ItemRejectedError(ItemError):
    """The item is valid as far as we know but is not let in (type, size, limits); outcome ``rejected``."""

    code = "unsupported_type"


class ProcessingError(ItemError):
    """The item was let in but could not be turned into text; outcome ``failed``."""

    code = "malformed"


class MissingDependencyError(IngestError):
    """An optional dependency is not installed; the hint names the extra that brings it."""

    code = "missing_dependency"
