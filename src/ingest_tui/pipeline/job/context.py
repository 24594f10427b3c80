"""What the steps of a running job share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TypeVar

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.resilience import ResilientConnector, may_block
from ingest_tui.execution.extractor import Extractor
from ingest_tui.extraction.schemas.schema_file import SourceSchema, schema_of
from ingest_tui.model.chunk_limits import ChunkLimits
from ingest_tui.model.job import Manifest
from ingest_tui.model.preferences_in_force import preferences_in_force
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import disconnect
from ingest_tui.pipeline.job.controls import JobControls
from ingest_tui.pipeline.job.disk_guard import DiskGuard
from ingest_tui.pipeline.job.manifest_keeper import ManifestKeeper
from ingest_tui.pipeline.job.outcome_journal import OutcomeJournal
from ingest_tui.pipeline.job.parsing import ParsingItems
from ingest_tui.pipeline.job.progress import ProgressMeter
from ingest_tui.pipeline.work_folders import FolderOfJobs
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
from ingest_tui.store.change import StoreWriter
from ingest_tui.store.chunk_tokens import limits_of
from ingest_tui.store.commit_lock import FOR_A_JOB
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.layout import JobLayout
from ingest_tui.store.records.job_log import JobLog
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.workspace import Workspace

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class JobContext:
    """One job while it runs. Whoever opened it holds the job's lock; several threads use one instance.

    ``connector`` is None for a job whose items were staged when it was made. ``reading`` is the catalogue for the
    job's thread.
    """

    workspace: Workspace
    manifest: Manifest
    source: Source
    connector: ResilientConnector | None
    extractor: Extractor
    paths: JobLayout
    staging: StagingArea
    log: JobLog
    outcomes: OutcomeJournal
    reading: Catalogue
    keeper: ManifestKeeper
    meter: ProgressMeter
    parsing: ParsingItems
    controls: JobControls
    disk: DiskGuard
    schema: SourceSchema | None
    chunking: ChunkLimits
    forced: bool
    """Whether everything is to be read and extracted again."""

    def committing(self, catalogue: Catalogue) -> AbstractContextManager[StoreWriter]:
        """Hold the commit lock; a job that is cancelled or paused does not wait for it any longer.

        ``catalogue`` is the connection of the calling thread. Raises `JobCancelled`, and `BusyError` when another
        process has the lock for too long.
        """
        return self.workspace.committing(catalogue, seconds=FOR_A_JOB, between_tries=self.controls.checkpoint)

    def interruptibly(self, call: Callable[[], _Result]) -> _Result:
        """Return what ``call`` returns; a job that is cancelled does not wait for a network that is silent.

        Nor for the code of others, whatever it waits for. An abandoned call ends by its own time limit, if it has one.
        """
        if self.connector is None or not may_block(self.connector):
            return call()
        return self.controls.in_a_thread(call)

    def close(self) -> None:
        """Close the files of the job; its state stays as it is."""
        self.controls.stop()
        if self.connector is not None:
            disconnect(self.connector)
        self.outcomes.close()
        self.reading.close()
        self.log.close()


def open_job(
    workspace: Workspace,
    manifest: Manifest,
    source: Source,
    connector: BaseConnector | None,
    extractor: Extractor,
    *,
    stopping: threading.Event | None = None,
) -> JobContext:
    """Open the files of a job whose lock the caller holds; nothing of it runs yet.

    ``stopping`` is set by the worker when it is about to end. Raises `ValidationError` for a schema or a tokenizer
    that is not usable.
    """
    schema = schema_of(source)
    preferences = workspace.collections.get(source.collection_id).preferences
    chunking = limits_of(preferences_in_force(preferences, source.overriding).chunk_rules())
    paths = workspace.jobs.paths(manifest.job_id)
    make_inner_folder(paths.staging)
    with ExitStack() as until_opened:
        log = JobLog(paths.log, workspace.settings.log_limit, job=manifest.job_id, source=source.source_id)
        until_opened.callback(log.close)
        outcomes = OutcomeJournal(paths.outcomes, manifest, log)
        until_opened.callback(outcomes.close)
        reading = workspace.open_catalogue(lambda progress: _log_rebuild(log, progress))
        until_opened.pop_all()
    parsing = ParsingItems(extractor)
    keeper = ManifestKeeper(workspace, manifest, log, parsing)
    controls = JobControls(keeper, workspace.jobs, log, stopping or threading.Event())
    resilient = None
    if connector is not None:
        calls_at_once = workspace.settings.calls_per_credential
        resilient = ResilientConnector(connector, sleep=controls.sleep, calls_at_once=calls_at_once)
        if connector.capabilities.keeps_files:
            resilient.work_folder = FolderOfJobs(workspace, source.source_id)
    return JobContext(
        workspace=workspace,
        manifest=manifest,
        source=source,
        connector=resilient,
        extractor=extractor,
        paths=paths,
        staging=StagingArea(paths.staging),
        log=log,
        outcomes=outcomes,
        reading=reading,
        keeper=keeper,
        meter=keeper.meter,
        parsing=parsing,
        controls=controls,
        disk=DiskGuard(workspace, keeper, controls, log, reading),
        schema=schema,
        chunking=chunking,
        forced=bool(manifest.options.get("force")),
    )


def _log_rebuild(log: JobLog, progress: RebuildProgress) -> None:
    if progress.ended or progress.documents == 0:
        log.event("warning", progress.in_words())
