"""Telling others that a job has ended: by threads of their own, so that no job waits for a mail server.

What is to be told is on disk until it was (`NoticeStore`), so that each hook hears of a job at least once, whatever
becomes of this process: it may hear of it again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, TransientSourceError
from ingest_tui.model.job import Manifest
from ingest_tui.model.job_end_hook import JobEndHook, event_of
from ingest_tui.model.job_notice import MOST_NOTICES, JobNotice
from ingest_tui.model.redaction import redact_values
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.job_notices import NoticeStore
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace
from ingest_tui.transport.retrying import Retrier, RetryPolicy
from ingest_tui.worker.hook_calls import EndingError, call_webhook, run_command
from ingest_tui.worker.supervision import EventReport, in_few_words

_THREADS = 2
_POLICY = RetryPolicy(attempts=5, first_wait=1.0, longest_wait=30.0, longest_asked=120.0)
_AT_THE_END_SECONDS = 10.0
"""How long a process that ends waits for what is under way."""
_NOTING_SECONDS = 1.0
_ENDED_FIRST = "this process ended before it was told"


class _Delivery(NamedTuple):
    """Whom to tell of which notice."""

    hook: JobEndHook
    notice: JobNotice


@dataclass
class _Telling:
    """A notice that this process tells: its lock, as it is on disk, and which of its hooks are under way.

    One that cannot be written stays without any, so that this process tells nobody again and again.
    """

    lock: FileLock
    notice: JobNotice
    under_way: set[str]


class JobEndHooks:
    """Runs the hooks of ``on_job_end`` of a workspace. For all threads; only `tell_now` and `take_up_waiting` raise.

    None but `tell_now` and `close` waits.

    What may pass is tried again, at once and later, by whichever process is there then; what a hook refuses, or a
    command that fails, is reported and in the audit, and not tried again.
    """

    def __init__(self, workspace: Workspace, report: EventReport) -> None:
        self._workspace = workspace
        self._report = report
        self._notices = NoticeStore(workspace.layout)
        self._waiting: queue.SimpleQueue[_Delivery | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._guard = threading.Lock()
        self._tellings: dict[str, _Telling] = {}
        self._threads: list[threading.Thread] = []

    def job_ended(self, manifest: Manifest) -> None:
        """Have the hooks told that a job has ended; one that stays for the next worker has not."""
        if manifest.ended:
            with contextlib.suppress(IngestError, OSError):  # its notice is looked at again
                self._take_up(manifest.job_id)

    def take_up_waiting(self) -> None:
        """Have told what other processes have left, and what could not be told earlier and is due.

        The oldest of very many are given up. Raises `IngestError` or `OSError` where a notice cannot be read, after all
        others.
        """
        failures: list[IngestError | OSError] = []
        job_ids = self._notices.ids()
        beyond = len(job_ids) - MOST_NOTICES
        for number, job_id in enumerate(job_ids):
            do = self._give_up if number < beyond else self._take_up
            try:
                do(job_id)
            except (IngestError, OSError) as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def tell_now(self, hook: JobEndHook, manifest: Manifest) -> None:
        """Tell one hook of a job and wait for it; it is tried once. Raises what fails."""
        event = redact_values(event_of(manifest, str(self._workspace.root)))
        if hook.command:
            run_command(hook, event, self._ending)
        else:
            call_webhook(self._workspace, hook, event)

    def close(self, seconds: float = _AT_THE_END_SECONDS) -> None:
        """Wait for what is under way and tried again, at most so long; the rest is left for the next process."""
        deadline = time.monotonic() + seconds
        for _thread in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._ending.set()
        for thread in self._threads:
            thread.join(_NOTING_SECONDS)
        with self._guard:
            left = [(job_id, name) for job_id, told in self._tellings.items() for name in sorted(told.under_way)]
            for telling in self._tellings.values():
                telling.lock.release()
            self._tellings.clear()
        for job_id, name in left:
            self._say_later(job_id, name, _ENDED_FIRST)

    def _take_up(self, job_id: str) -> None:
        """Begin to tell those of whom a notice says that they are due, unless another process or thread does."""
        with self._guard:
            lock = self._notices.lock(job_id)
            if self._ending.is_set() or job_id in self._tellings or not lock.try_acquire():
                return
            try:
                due = self._due(job_id)
            except BaseException:
                lock.release()
                raise
            if not due:
                lock.release()
                return
            self._tellings[job_id] = _Telling(lock, due[0].notice, {one.hook.name for one in due})
            for delivery in due:
                self._put(delivery)

    def _due(self, job_id: str) -> list[_Delivery]:
        """Return whom to tell now of a job whose notice is locked; removes one of which nobody is to hear any more."""
        notice, now = self._notices.get(job_id), utc_now()
        if notice is None:
            self._notices.remove(job_id)
            return []
        hooks = {hook.name: hook for hook in self._workspace.settings.on_job_end}
        given_up = notice.given_up(now)
        self._note_failures(job_id, given_up, "it could not be told for days")
        wanted = notice.without({one.name for one in notice.waiting if one.name not in hooks or one.name in given_up})
        if not wanted.waiting:
            self._notices.remove(job_id)
        elif wanted != notice:
            self._notices.save(wanted)
        return [_Delivery(hooks[one.name], wanted) for one in wanted.waiting if one.is_due(now)]

    def _give_up(self, job_id: str) -> None:
        lock = self._notices.lock(job_id)
        if not lock.try_acquire():
            return
        with lock:
            notice = self._notices.get(job_id)
            names = [one.name for one in notice.waiting] if notice is not None else []
            self._notices.remove(job_id)
        self._note_failures(job_id, names, f"more than {counted(MOST_NOTICES, 'job')} waited to be told of")

    def _put(self, delivery: _Delivery) -> None:
        if len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._run, name="on-job-end", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._waiting.put(delivery)

    def _run(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            name, job_id = delivery.hook.name, delivery.notice.job_id
            try:
                self._tell(delivery)
            except EndingError as error:
                if self._settle(delivery, lambda notice: notice):
                    self._say_later(job_id, name, error.message)
            except TransientSourceError as error:
                if self._settle(delivery, partial(JobNotice.with_attempt, name=name, now=utc_now())):
                    self._say_later(job_id, name, in_few_words(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are told
                if self._settle(delivery, partial(JobNotice.without, names={name})):
                    self._note_failures(job_id, [name], in_few_words(error))
            else:
                self._settle(delivery, partial(JobNotice.without, names={name}))
                self._say("told that the job has ended", {"hook": name, "job": job_id})

    def _tell(self, delivery: _Delivery) -> None:
        if self._ending.is_set():
            raise EndingError(_ENDED_FIRST)
        hook, event = delivery.hook, delivery.notice.event
        if hook.command:
            run_command(hook, event, self._ending)
            return
        retrier = Retrier(None, sleep=self._sleep, policy=_POLICY, renew=lambda: False)
        retrier.call(lambda: call_webhook(self._workspace, hook, event))

    def _sleep(self, seconds: float) -> None:
        if self._ending.wait(seconds):
            raise EndingError("it failed, and this process ends")

    def _settle(self, delivery: _Delivery, change: Callable[[JobNotice], JobNotice]) -> bool:
        """Write what became of a delivery; returns False where `close` has given it up already."""
        job_id = delivery.notice.job_id
        with self._guard:
            telling = self._tellings.get(job_id)
            if telling is None:
                return False
            telling.under_way.discard(delivery.hook.name)
            with contextlib.suppress(IngestError, OSError):
                self._write(telling, change(telling.notice))
                if not telling.under_way:
                    del self._tellings[job_id]
                    telling.lock.release()
            return True

    def _write(self, telling: _Telling, notice: JobNotice) -> None:
        if not notice.waiting:
            self._notices.remove(notice.job_id)
        elif notice != telling.notice:
            self._notices.save(notice)
        telling.notice = notice

    def _say_later(self, job_id: str, name: str, why: str) -> None:
        fields = {"level": "warning", "hook": name, "job": job_id, "error": f"{why}; it is told later"}
        self._say("not told yet that the job has ended", fields)

    def _note_failures(self, job_id: str, names: Iterable[str], why: str) -> None:
        for name in names:
            fields = {"level": "warning", "hook": name, "job": job_id, "error": why}
            self._say("nobody was told that the job has ended", fields)
            with contextlib.suppress(IngestError, OSError):
                self._workspace.audit.add(
                    at=rfc3339_now(),
                    by=requester(),
                    action="job.notify",
                    target=job_id,
                    outcome="failed",
                    hook=name,
                    reason=why,
                )

    def _say(self, message: str, fields: dict[str, str]) -> None:
        with contextlib.suppress(Exception):  # a log on a full disk is no reason to tell nobody
            self._report(message, fields)
