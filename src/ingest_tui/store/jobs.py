"""Jobs on disk: manifests, journals, requests left for the worker, and the queue."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError, NotFoundError, StaleWriterError, StoreError, ValidationError
from ingest_tui.model.job import SCHEMA_VERSION, JobState, Manifest
from ingest_tui.model.job_order import job_order
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.store.fs.atomic import (
    empty_folder,
    make_inner_folder,
    remove_tree,
    sweep_temporaries,
    sync_folder,
    write_durably,
    write_new,
)
from ingest_tui.store.fs.disk import ReserveFile
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.fs.locks import FileLock, is_locked
from ingest_tui.store.layout import JobLayout, Layout
from ingest_tui.store.records.json_files import read_record, refuse_other_name, write_record
from ingest_tui.store.upgrade import upgrade_workspace

_ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
REQUEST_KINDS = ("cancel", "pause", "resume", "priority")
_OPPOSITE = {"pause": "resume", "resume": "pause"}


def new_job_id(source_id: str, now: datetime) -> str:
    """Return an id that reads well aloud: ``20261121-063105-handbook-7k3q``; `job_order` puts ids in order of time."""
    base = len(_ID_ALPHABET)
    step = now.microsecond * base**3 // 1_000_000  # the part of the second, which orders jobs too
    digits = (step // base**2, step // base % base, step % base)
    tail = "".join(_ID_ALPHABET[digit] for digit in digits) + secrets.choice(_ID_ALPHABET)
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}{id_part_of(source_id)}{tail}"


def id_part_of(source_id: str) -> str:
    """Return the part that the ids of all jobs of a source have, so that not every manifest has to be read."""
    return f"-{source_id[:32].rstrip('-._')}-"


class JobStore:
    """The jobs of a workspace. Only the holder of a job's lock writes its manifest."""

    def __init__(self, layout: Layout, reserve_file: ReserveFile | None = None) -> None:
        self._layout = layout
        self._reserve_file = reserve_file or ReserveFile(layout.reserve_file)

    def paths(self, job_id: str) -> JobLayout:
        """Return the paths of a job."""
        return self._layout.job(job_id)

    def create(self, manifest: Manifest) -> None:
        """Put a new job on disk and into the queue."""
        with self.being_made(manifest):
            pass

    @contextmanager
    def being_made(self, manifest: Manifest) -> Iterator[JobLayout]:
        """Put a new job on disk and into the queue, with what the caller adds to its folder within the context.

        The queue entry comes first and is locked until the manifest is there, which comes last: an entry that is free
        and a folder that is marked as being made are what a crash left (`sweep_half_made`). After an error nothing is
        left.
        """
        upgrade_workspace(self._layout)
        paths = self.paths(manifest.job_id)
        entry = FileLock(self._layout.queue_entry(manifest.job_id))
        entry.acquire(1.0, what="the new job")
        with entry:
            try:
                for folder in (paths.folder, paths.requests, paths.staging):
                    make_inner_folder(folder)
                write_new(paths.being_made, b"")
                sync_folder(paths.folder)
                yield paths
                sync_folder(self._layout.queue)
                sync_folder(self._layout.jobs)
                write_record(paths.manifest, manifest)
                paths.being_made.unlink(missing_ok=True)  # a worker may have claimed and ended it already
                sync_folder(paths.folder)
            except BaseException:
                with suppress(OSError):
                    self._remove_half_made(manifest.job_id)
                raise

    def sweep_half_made(self, job_id: str) -> None:
        """Remove what a crash left of a job that was being made; nothing happens while somebody is making it."""
        entry = FileLock(self._layout.queue_entry(job_id), must_exist=True)
        if entry.try_acquire():
            with entry:
                self._remove_half_made(job_id)

    def _remove_half_made(self, job_id: str) -> None:
        if self._is_half_made(job_id):
            paths = self.paths(job_id)
            # The mark goes last: until then whoever reads the job knows that it never was one, and has lost nothing.
            with suppress(FileNotFoundError):  # a kill left no more of it than its place in the queue
                for path in paths.folder.iterdir():
                    if path.is_dir() and not path.is_symlink():
                        remove_tree(path)
                    elif path != paths.being_made:
                        path.unlink(missing_ok=True)
            remove_tree(paths.folder)
            self._layout.queue_entry(job_id).unlink(missing_ok=True)

    def _is_half_made(self, job_id: str) -> bool:
        """Whether a job never had a manifest, as far as its folder says. One that lost it keeps what it staged."""
        paths = self.paths(job_id)
        if paths.manifest.exists():
            return False
        if paths.being_made.exists():
            return True
        has_files = any(path.is_file() and path != paths.lock for path in paths.folder.rglob("*"))
        return not has_files or paths.being_made.exists()  # the mark may be the file that has come meanwhile

    def ids(self) -> list[str]:
        """Return the ids of all jobs, newest first."""
        try:
            names = [entry.name for entry in os.scandir(self._layout.jobs) if entry.is_dir()]
            return sorted(names, key=job_order, reverse=True)
        except FileNotFoundError:
            return []

    def resolve(self, job_id: str) -> str:
        """Return the full id for an id, a unique beginning or ending of one, or ``last``; raises `NotFoundError`."""
        ids = self.ids()
        if job_id in ids:
            return job_id
        if job_id == "last":
            newest = next(filter(self._is_made, ids), None)
            if newest is not None:
                return newest
        matches = [name for name in ids if job_id and (name.startswith(job_id) or name.endswith(job_id))]
        if len(matches) == 1:
            return matches[0]
        what = "several jobs match" if matches else "there is no job"
        meant = "" if matches else did_you_mean(job_id, ["last", *ids])
        raise NotFoundError(
            f"{what} '{safe_display(job_id)}'", hint=f"{meant}'ingest-tui job list' shows them; 'last' names the newest"
        )

    def _is_made(self, name: str) -> bool:
        """Return whether a folder holds a job: not one that is being made right now, nor something of another name."""
        try:
            return self.paths(name).manifest.exists()
        except ValidationError:
            return False

    def load(self, job_id: str) -> Manifest:
        """Return the manifest of a job; raises `NotFoundError`, and `StoreError` for one that is lost or damaged."""
        path = self.paths(job_id).manifest
        what = f"job '{safe_display(job_id)}'"
        try:
            manifest = read_record(path, Manifest, newest=SCHEMA_VERSION, what=what)
        except NotFoundError:
            if self._is_half_made(job_id):
                raise
            if path.exists():  # it was made between the two looks
                return read_record(path, Manifest, newest=SCHEMA_VERSION, what=what)
            raise StoreError(
                f"the manifest of job '{safe_display(job_id)}' is missing: {safe_display(str(path))}",
                hint="restore it from a backup; what the job staged is next to it and stays there",
            ) from None
        refuse_other_name(manifest.job_id, job_id, what="job", path=path)
        return manifest

    def readable(
        self,
        job_ids: Iterable[str],
        *,
        on_missing: Callable[[str], object] = lambda _job_id: None,
        on_unreadable: Callable[[str, IngestError], object] = lambda _job_id, _error: None,
    ) -> Iterator[Manifest]:
        """Yield the manifests of jobs, each read when it is asked for; those that cannot be read are left out.

        ``on_missing`` hears of a job that is being made right now or was not made to its end, ``on_unreadable`` of one
        whose manifest is lost, damaged or of a newer program.
        """
        for job_id in job_ids:
            try:
                manifest = self.load(job_id)
            except NotFoundError:
                on_missing(job_id)
            except IngestError as error:
                on_unreadable(job_id, error)
            else:
                yield manifest

    def of_source(self, source_id: str) -> Iterator[Manifest]:
        """Yield the readable jobs of a source, newest first. Reads each manifest of the workspace until it is left."""
        return (manifest for manifest in self.readable(self.ids()) if manifest.source_id == source_id)

    def requeue_lost(self) -> list[str]:
        """Put jobs back into the queue that have not ended and are not in it; returns them. Reads each manifest."""
        queued = set(self.queued_ids())
        others = self.readable(job_id for job_id in self.ids() if job_id not in queued)
        lost = [manifest.job_id for manifest in others if not manifest.ended]
        for job_id in lost:
            make_inner_folder(self._layout.queue)
            with suppress(FileExistsError):
                write_new(self._layout.queue_entry(job_id), b"", sync=True)
        if lost:
            sync_folder(self._layout.queue)
        return lost

    def save(self, manifest: Manifest, *, durable: bool = True) -> None:
        """Write the manifest one revision on; a writer behind the revision on disk is refused.

        Progress alone need not survive a power cut: with ``durable=False`` it is only renamed into place.
        """
        path = self.paths(manifest.job_id).manifest
        on_disk = _revision(path.read_bytes()) if path.exists() else 0
        if on_disk > manifest.rev:
            raise StaleWriterError(
                f"job {manifest.job_id} was taken over by another worker (rev {on_disk} > {manifest.rev})",
                hint="nothing to do: the other worker continues it",
                job_id=manifest.job_id,
            )
        manifest.rev += 1
        if durable:
            write_record(path, manifest)
            return
        temporary = path.parent / f".tmp.progress.{os.getpid()}.{manifest.rev}"
        try:
            write_new(temporary, encode_json(manifest.model_dump(mode="json", by_alias=True), indent=True))
            temporary.rename(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def leave_queue(self, job_id: str) -> None:
        """Take an ended job out of the queue, with what it staged, listed or half planned, requests and torn writes.

        Several workers may do so at once, after one that died at the end of the job. The uploaded files of a job that
        failed stay: whoever uploaded them was assured that they are safe here.
        """
        paths = self.paths(job_id)
        for folder in (paths.requests,) if self._keeps_uploaded_files(job_id) else (paths.staging, paths.requests):
            empty_folder(folder)
        list(sweep_temporaries(paths.folder))
        for scratch in (*paths.folder.glob(f"{paths.listing.name}*"), paths.plan_in_part, paths.being_made):
            scratch.unlink(missing_ok=True)
        self._layout.queue_entry(job_id).unlink(missing_ok=True)

    def _keeps_uploaded_files(self, job_id: str) -> bool:
        try:
            return self.load(job_id).keeps_uploaded_files
        except NotFoundError:
            return False
        except StoreError:
            return True  # nobody knows what job it was

    def queued_ids(self) -> list[str]:
        """Return the ids in the queue (waiting, running, paused or interrupted), oldest first."""
        try:
            return sorted((entry.name for entry in os.scandir(self._layout.queue)), key=job_order)
        except FileNotFoundError:
            return []

    def waiting(self) -> list[Manifest]:
        """Return the queued jobs in the order in which they will run: priority, then age."""
        queued = (job for job in self.readable(self.queued_ids()) if job.state is JobState.QUEUED)
        return sorted(queued, key=lambda one: (one.priority, one.created_at, job_order(one.job_id)))

    def queue_position(self, job_id: str) -> int | None:
        """Return 1 for the next job to run; None for one that does not wait."""
        for position, manifest in enumerate(self.waiting(), 1):
            if manifest.job_id == job_id:
                return position
        return None

    def lock(self, job_id: str) -> FileLock:
        """Return the lock that makes its holder the owner of the job."""
        return FileLock(self.paths(job_id).lock)

    def has_owner(self, job_id: str) -> bool:
        """Return whether a living process works on the job."""
        return is_locked(self.paths(job_id).lock)

    def active_for_source(self, source_id: str) -> list[Manifest]:
        """Return the jobs of a source that have not ended."""
        queued = self.readable(self.queued_ids())
        return [job for job in queued if job.source_id == source_id and not job.ended]

    def leave_request(self, job_id: str, kind: str, *, by: str, **values: Any) -> None:
        """Ask the worker of a job for something; it answers within a second. Of opposite wishes the last one counts."""
        if kind not in REQUEST_KINDS:
            raise ValueError(kind)
        self.settle_request(job_id, kind)
        folder = self.paths(job_id).requests
        record = {"request": kind, "by": by, "at": rfc3339_now(), **values}
        make_inner_folder(folder)
        with suppress(FileNotFoundError):  # the job has just ended, and its owner cleared what was asked of it
            self._write_request(folder / f"{kind}.json", record, needs_its_values=bool(values))

    def _write_request(self, path: Path, record: dict[str, Any], *, needs_its_values: bool) -> None:
        try:
            self._reserve_file.makes_room_for(lambda: write_durably(path, encode_json(record)))
        except OSError as error:
            if needs_its_values or error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            # Its name says what is asked for, and an empty file takes no room: only who asked is lost.
            with suppress(FileExistsError):
                write_new(path, b"")

    def is_to_be_cancelled(self, job_id: str) -> bool:
        """Whether somebody has asked for the end of a job, and nobody has answered yet."""
        return (self.paths(job_id).requests / "cancel.json").exists()

    def settle_request(self, job_id: str, kind: str) -> None:
        """Take away requests of a kind, and of its opposite, that nobody has to answer any more."""
        for settled in {kind, _OPPOSITE.get(kind, kind)}:
            (self.paths(job_id).requests / f"{settled}.json").unlink(missing_ok=True)

    def take_requests(self, job_id: str) -> Iterator[dict[str, Any]]:
        """Yield the requests left for a job; each is removed once the next one is asked for. Only for its owner.

        So an owner that dies while it answers leaves the request for the next one, which may answer it a second time.
        One that was left again meanwhile stays.
        """
        folder = self.paths(job_id).requests
        for kind in REQUEST_KINDS:
            path = folder / f"{kind}.json"
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            yield _checked_request(kind, data)
            with suppress(FileNotFoundError):
                if path.read_bytes() == data:
                    path.unlink()


def _checked_request(kind: str, data: bytes) -> dict[str, Any]:
    """Return a request that can be relied on, whatever was written by hand: its kind, and a priority if it has one."""
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        record = None
    request = (record if isinstance(record, dict) else {}) | {"request": kind}
    if not isinstance(request.get("priority", 0), int):
        del request["priority"]
    return request


def _revision(data: bytes) -> int:
    try:
        revision = orjson.loads(data).get("rev", 0)
    except (orjson.JSONDecodeError, AttributeError):
        return 0
    return revision if isinstance(revision, int) else 0
