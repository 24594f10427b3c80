"""`verify`: everything of a workspace against everything. Reads only, in flat memory, next to a running worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import apsw

from ingest_tui.model.batching import batches
from ingest_tui.model.errors import IngestError, StoreError
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.services.jobs.audit_trail import AuditQuery
from ingest_tui.services.verify.file_checks import check_files
from ingest_tui.services.verify.job_checks import JobCheck
from ingest_tui.services.verify.record_checks import check_journals, check_records
from ingest_tui.services.verify.second_look import SecondLook
from ingest_tui.services.verify.unknown_names import check_names
from ingest_tui.services.verify.vector_checks import check_vector_logs
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.connection import MISSING
from ingest_tui.store.catalogue.consistency import (
    KnownDocument,
    is_in_scope,
    known_documents,
    known_documents_after,
)
from ingest_tui.store.catalogue.known_good import open_known_good_to_read, version_folders
from ingest_tui.store.verify.document_check import DocumentCheck
from ingest_tui.store.verify.row_checks import check_feed, check_rows
from ingest_tui.store.verify.stray_files import check_strays
from ingest_tui.store.workspace import Workspace

__all__ = ["VerifyProgress", "VerifyScope", "verify"]

_AT_ONCE = 200
VerifyProgress = Callable[[str, int, int], None]
"""Hears what is looked at, how many were, and of how many; 0: nobody knows."""


@dataclass(frozen=True, slots=True)
class VerifyScope:
    """What is looked at. ``deep`` hashes raw files, texts and vectors. ``source_id`` and ``since``: only documents
    and jobs of that source, or that have changed since then; what is of no document and no job is left out.
    """

    deep: bool = False
    source_id: str = ""
    since: str = ""

    def __post_init__(self) -> None:
        """Raise `UsageError` for a time that is none."""
        AuditQuery(since=self.since)

    @property
    def is_narrowed(self) -> bool:
        """Whether only a part is looked at."""
        return bool(self.source_id or self.since)


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Take no notice of progress."""


def verify(
    workspace: Workspace, scope: VerifyScope | None = None, on_progress: VerifyProgress = no_progress
) -> Iterator[Inconsistency]:
    """Yield what is not as it must be, part by part; nothing where all is well.

    What a job is changing right now is no finding: what is found is looked for again under the commit lock. Raises
    `NotFoundError` for an unknown source.
    """
    scope = scope or VerifyScope()
    if scope.source_id and not workspace.sources.exists(scope.source_id):
        workspace.sources.get(scope.source_id)
    run = _Run(workspace, scope, on_progress)
    if not scope.is_narrowed:
        yield from run.files()
    yield from run.catalogue_and_documents()
    yield from run.jobs()


class _Run:
    """One verification."""

    def __init__(self, workspace: Workspace, scope: VerifyScope, on_progress: VerifyProgress) -> None:
        self._workspace = workspace
        self._layout = workspace.layout
        self._scope = scope
        self._on_progress = on_progress
        self._second = SecondLook(workspace)

    def files(self) -> Iterator[Inconsistency]:
        """Yield what is wrong with files as such, and with journals."""
        self._on_progress("files", 0, 0)
        yield from self._second.confirmed(partial(check_files, self._layout))
        yield from self._second.confirmed_later(partial(check_names, self._workspace))
        yield from self._second.confirmed_later(partial(check_journals, self._workspace))

    def catalogue_and_documents(self) -> Iterator[Inconsistency]:
        """Yield what is wrong between catalogue and folders; without a catalogue that can be used only that."""
        try:
            with closing(open_known_good_to_read(self._layout)) as catalogue:
                damage = queries.damage_seen_by_sqlite(catalogue)
                if damage:
                    yield Inconsistency("catalogue_damaged", "", damage)
                    return
                if not self._scope.is_narrowed:
                    yield from self._second.confirmed_later(partial(check_records, self._workspace, catalogue))
                    yield from self._second.confirmed(
                        partial(check_vector_logs, self._workspace, deep=self._scope.deep)
                    )
                yield from self._unfinished()
                yield from self._rows(catalogue)
                yield from self._documents(catalogue)
        except apsw.SQLError as error:  # a table or a column is missing
            yield Inconsistency("catalogue_damaged", "", str(error))
        except StoreError as error:
            is_new = error.reason == MISSING and not any(version_folders(self._layout))
            if not is_new:
                yield Inconsistency("catalogue_damaged", "", error.message)
            if not self._scope.is_narrowed:
                yield from self._second.confirmed_later(partial(check_records, self._workspace, None))

    def _unfinished(self) -> Iterator[Inconsistency]:
        def look() -> Iterator[Inconsistency]:
            if self._workspace.has_unfinished_change():
                yield Inconsistency("unfinished_change", "", "a change of documents was not ended")

        yield from self._second.confirmed(look)

    def _rows(self, catalogue: Catalogue) -> Iterator[Inconsistency]:
        self._on_progress("catalogue", 0, 0)
        looks: list[Callable[[], Iterable[Inconsistency]]] = [
            partial(check_rows, catalogue),
            partial(check_feed, catalogue),
            partial(check_strays, self._layout, catalogue),
        ]
        for look in looks:
            yield from (one for one in self._second.confirmed(look) if self._concerns(catalogue, one))

    def _concerns(self, catalogue: Catalogue, found: Inconsistency) -> bool:
        scope = self._scope
        if not scope.is_narrowed:
            return True
        return is_in_scope(catalogue, found.subject, source_id=scope.source_id, since=scope.since)

    def _documents(self, catalogue: Catalogue) -> Iterator[Inconsistency]:
        check, scope = DocumentCheck(self._layout, deep=self._scope.deep), self._scope
        total = queries.count_documents(catalogue, state=None)
        done, last = 0, ""
        while known := known_documents_after(
            catalogue, last, limit=_AT_ONCE, source_id=scope.source_id, since=scope.since
        ):
            yield from self._batch(catalogue, check, known)
            done, last = done + len(known), known[-1].document.document_id
            self._on_progress("documents", done, 0 if scope.is_narrowed else total)

    def _batch(self, catalogue: Catalogue, check: DocumentCheck, known: list[KnownDocument]) -> Iterator[Inconsistency]:
        for one in known:
            first = list(_checked(check, catalogue, one))
            if first:
                look = partial(look_at_document, catalogue, check, one.document.document_id)
                yield from self._second.confirmed(look, first)

    def jobs(self) -> Iterator[Inconsistency]:
        """Yield what is wrong with jobs and the queue."""
        check, jobs = JobCheck(self._workspace, deep=self._scope.deep), self._workspace.jobs
        ids = sorted({*jobs.ids(), *jobs.queued_ids()})
        for number, batch in enumerate(batches(ids, _AT_ONCE)):
            self._on_progress("jobs", number * _AT_ONCE, len(ids))
            suspicious = [one for one in batch if self._is_wanted(check, one) and any(check.of(one))]
            yield from self._second.confirmed_later(partial(_look_at_jobs, check, suspicious))

    def _is_wanted(self, check: JobCheck, job_id: str) -> bool:
        scope = self._scope
        if not scope.is_narrowed:
            return True
        known = check.source_and_time(job_id)
        return known is not None and (not scope.source_id or known[0] == scope.source_id) and known[1] >= scope.since


def _look_at_jobs(check: JobCheck, job_ids: list[str]) -> Iterator[Inconsistency]:
    for job_id in job_ids:
        yield from check.of(job_id)


def look_at_document(catalogue: Catalogue, check: DocumentCheck, document_id: str) -> Iterator[Inconsistency]:
    """Yield what is wrong with a document as it is now; nothing where it is there no more."""
    for known in known_documents(catalogue, [document_id]):
        yield from _checked(check, catalogue, known)


def _checked(check: DocumentCheck, catalogue: Catalogue, known: KnownDocument) -> Iterator[Inconsistency]:
    """Yield what is wrong with a document, also where its folder is moved away at this moment.

    A file with values that no check expects is a finding too, and the next document is looked at.
    """
    try:
        yield from check.of(catalogue, known)
    except (OSError, IngestError) as error:
        message = error.message if isinstance(error, IngestError) else f"cannot be read: {error.strerror}"
        yield Inconsistency("folder_missing", known.document.document_id, message)
    except (KeyError, TypeError, AttributeError) as error:
        message = f"it cannot be checked ({type(error).__name__}: {error})"
        yield Inconsistency("version_damaged", known.document.document_id, message)
