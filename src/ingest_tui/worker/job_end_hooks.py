"""Telling others that a job has ended: by threads of their own, so that no job waits for a mail server."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from typing import NamedTuple

import orjson

from ingest_tui.credentials.references import ResolveContext, parse_reference, resolve_reference
from ingest_tui.model.clock import posix_seconds, rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job import Manifest
from ingest_tui.model.job_end_hook import JobEndHook, event_of, signature_of
from ingest_tui.model.redaction import redact_values
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace
from ingest_tui.transport.retrying import Retrier, RetryPolicy
from ingest_tui.worker.supervision import EventReport, in_few_words

_THREADS = 2
_POLICY = RetryPolicy(attempts=5, first_wait=1.0, longest_wait=30.0, longest_asked=120.0)
_AT_THE_END_SECONDS = 10.0
"""How long a process that ends waits for what is under way."""
_NOTING_SECONDS = 1.0
_LOOK_SECONDS = 0.25
_ENDED_FIRST = "this process ended before it was told"
_FOR_COMMANDS = ("PATH", "HOME", "LANG", "TZ")


class _Delivery(NamedTuple):
    """What is to be told, and to whom."""

    hook: JobEndHook
    job_id: str
    event: bytes
    text: str
    variables: dict[str, str]


class _EndingError(IngestError):
    """The process ends: nothing is tried again."""


class JobEndHooks:
    """Runs the hooks of ``on_job_end`` of a workspace. For all threads; no method but `tell_now` raises.

    None but `tell_now` and `close` waits.

    Each is told at most once: what has not been told when a process is killed is lost, and what fails is reported and
    in the audit.
    """

    def __init__(self, workspace: Workspace, report: EventReport) -> None:
        self._workspace = workspace
        self._report = report
        self._waiting: queue.SimpleQueue[_Delivery | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._untold: dict[int, _Delivery] = {}
        self._threads: list[threading.Thread] = []

    def job_ended(self, manifest: Manifest) -> None:
        """Have the hooks told that a job has ended; one that stays for the next worker has not."""
        if not manifest.ended:
            return
        for hook in self._workspace.settings.on_job_end:
            if hook.is_for(manifest):
                self._put(self._delivery(hook, manifest))

    def tell_now(self, hook: JobEndHook, manifest: Manifest) -> None:
        """Tell one hook of a job and wait for it; it is tried once. Raises what fails."""
        delivery = self._delivery(hook, manifest)
        if hook.command:
            _run_command(delivery, self._ending)
        else:
            self._call_webhook(delivery)

    def close(self, seconds: float = _AT_THE_END_SECONDS) -> None:
        """Wait for what is under way and tried again, at most so long; the rest is given up, and noted as failed."""
        deadline = time.monotonic() + seconds
        for _thread in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._ending.set()
        for thread in self._threads:
            thread.join(_NOTING_SECONDS)
        for delivery in list(self._untold.values()):
            self._note_failure(delivery, _ENDED_FIRST)

    def _put(self, delivery: _Delivery) -> None:
        if len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._run, name="on-job-end", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._untold[id(delivery)] = delivery
        self._waiting.put(delivery)

    def _delivery(self, hook: JobEndHook, manifest: Manifest) -> _Delivery:
        event = redact_values(event_of(manifest, str(self._workspace.root)))
        text = safe_display(str(event["text"]))
        body = {"text": text} if hook.body == "text" else event | {"text": text}
        variables = {
            "INGEST_TUI_JOB": manifest.job_id,
            "INGEST_TUI_JOB_STATE": str(manifest.state),
            "INGEST_TUI_JOB_SOURCE": manifest.source_id,
            "INGEST_TUI_JOB_TEXT": text,
        }
        return _Delivery(hook, manifest.job_id, orjson.dumps(body), text, variables)

    def _run(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            fields = {"hook": delivery.hook.name, "job": delivery.job_id}
            try:
                self._tell(delivery)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are told
                self._note_failure(delivery, in_few_words(error))
            else:
                self._untold.pop(id(delivery), None)
                self._say("told that the job has ended", fields)

    def _tell(self, delivery: _Delivery) -> None:
        if self._ending.is_set():
            raise _EndingError(_ENDED_FIRST)
        if delivery.hook.command:
            _run_command(delivery, self._ending)
            return
        retrier = Retrier(None, sleep=self._sleep, policy=_POLICY, renew=lambda: False)
        retrier.call(lambda: self._call_webhook(delivery))

    def _call_webhook(self, delivery: _Delivery) -> None:
        from ingest_tui.transport.webhooks import post_json  # with what speaks HTTP

        hook, headers = delivery.hook, {"User-Agent": "ingest-tui"}
        if hook.secret:
            at = int(posix_seconds())
            secret = self._resolved(hook.secret, f"the secret of {hook.name}")
            headers |= {
                "webhook-id": delivery.job_id,
                "webhook-timestamp": str(at),
                "webhook-signature": signature_of(secret, delivery.job_id, at, delivery.event),
            }
        url = hook.url
        if not url.startswith(("https://", "http://")):
            url = self._resolved(url, f"the url of {hook.name}")
        post_json(url, delivery.event, headers, seconds=hook.seconds)

    def _resolved(self, reference: str, what: str) -> str:
        context = ResolveContext(self._workspace.credentials_path.parent, os.environ)
        return resolve_reference(parse_reference(reference), context, what=what)

    def _sleep(self, seconds: float) -> None:
        if self._ending.wait(seconds):
            raise _EndingError("it failed, and this process ends")

    def _note_failure(self, delivery: _Delivery, why: str) -> None:
        if self._untold.pop(id(delivery), None) is None:
            return  # noted when this process began to end
        fields = {"hook": delivery.hook.name, "job": delivery.job_id, "error": why}
        self._say("nobody was told that the job has ended", {"level": "warning", **fields})
        with contextlib.suppress(IngestError, OSError):
            self._workspace.audit.add(
                at=rfc3339_now(),
                by=requester(),
                action="job.notify",
                target=delivery.job_id,
                outcome="failed",
                hook=delivery.hook.name,
                reason=why,
            )

    def _say(self, message: str, fields: dict[str, str]) -> None:
        with contextlib.suppress(Exception):  # a log on a full disk is no reason to tell nobody
            self._report(message, fields)


def _run_command(delivery: _Delivery, ending: threading.Event) -> None:
    """Run a program with the event on its standard input; raises `IngestError` when it fails or takes too long.

    It is ended with all that it started in its session, when it takes too long and when this process is about to end.
    """
    hook = delivery.hook
    wanted = (*_FOR_COMMANDS, *hook.environment)
    environment = {name: os.environ[name] for name in wanted if name in os.environ} | delivery.variables
    try:
        process = subprocess.Popen(  # noqa: S603 - whoever owns the settings chose the program
            hook.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise IngestError(f"the command cannot be started: {error.strerror}", hint="name its whole path") from None
    try:
        _wait_for(process, delivery, ending)
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise IngestError(f"the command ended with {process.returncode}", hint="run it by hand to see what it says")


def _wait_for(process: subprocess.Popen[bytes], delivery: _Delivery, ending: threading.Event) -> None:
    deadline, event = time.monotonic() + delivery.hook.seconds, delivery.event
    while True:
        try:
            process.communicate(event or None, timeout=min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            event = b""  # what is not read yet is kept by `process`
            if ending.is_set():
                raise _EndingError("this process ended, and the command with it") from None
            if time.monotonic() >= deadline:
                seconds = f"{delivery.hook.seconds:g} s"
                raise IngestError(f"the command took longer than {seconds} and was ended") from None
        else:
            return
