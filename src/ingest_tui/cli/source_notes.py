"""What is reported after a source was saved: what it lacks, what it takes over, what it may exclude."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ingest_tui.cli import diagnostics
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.cli.session import Session
    from ingest_tui.model.source import Source


def report_missing_for_ocr(session: Session, saved: Source) -> None:
    """Say what a source needs for OCR that is not installed."""
    from ingest_tui.services.sources.ocr_data import missing_for_ocr

    diagnostics.say_what_ocr_lacks(missing_for_ocr(session.workspace, saved))


def report_earlier_documents(session: Session, source_id: str) -> None:
    """Report documents that a source has before its first sync: an earlier one of its name was removed, or lost."""
    from ingest_tui.model.errors import IngestError
    from ingest_tui.services.documents.documents import count_documents

    with suppress(IngestError):  # the source is added; what is wrong with the catalogue is for the sync to report
        number = count_documents(session.workspace, source_id=source_id)
        if number:
            diagnostics.say(
                f"note: {counted(number, 'document')} of an earlier source of this name are documents of this one now"
            )


def may_exclude_documents(session: Session, before: Source, edited: Source) -> bool:
    """Whether the next sync may hold documents that the new settings exclude: known before it runs."""
    from ingest_tui.model.errors import IngestError

    with suppress(IngestError):  # the source is saved; what is wrong with the catalogue is for the sync to report
        return session.client.sources.takes_otherwise(before, edited)
    return False
