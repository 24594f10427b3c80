"""What becomes of attached files of a source: its own setting, else that of the workspace."""

from __future__ import annotations

from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.source import Source
from ingest_tui.store.records.settings import Settings

_HOLD_FILES = frozenset({"pdf", "eml", "mbox", "msg", "tnef"})


def attachments_of(source: Source, settings: Settings) -> AttachmentsSetting:
    """Return what becomes of the files that are attached to documents of a source."""
    return source.attachments or settings.attachments


def may_have_attachments(key: str) -> bool:
    """Whether a file of that name may have attachments; a name that promises nothing may be a mail, or an archive."""
    kind = BY_EXTENSION.get(extension_of(key))
    return kind is None or kind.name in _HOLD_FILES
