"""How one hook is told that a job has ended: its command is run, or its webhook called."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from typing import Any

import orjson

from ingest_tui.model.clock import posix_seconds
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job_end_hook import JobEndHook, signature_of
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.workspace import Workspace

_LOOK_SECONDS = 0.25
_FOR_COMMANDS = ("PATH", "HOME", "LANG", "TZ")


class EndingError(IngestError):
    """The process ends before the hook was told."""


def call_webhook(workspace: Workspace, hook: JobEndHook, event: dict[str, Any]) -> None:
    """Call a webhook once; raises what `post_json` does, and `IngestError` for a reference that leads nowhere."""
    from ingest_tui.transport.webhooks import post_json  # with what speaks HTTP

    body = _body(hook, event)
    headers = {"User-Agent": "ingest-tui", "webhook-id": str(event["id"])}
    if hook.secret:
        at = int(posix_seconds())
        secret = _resolved(workspace, hook.secret, f"the secret of {hook.name}")
        headers |= {
            "webhook-timestamp": str(at),
            "webhook-signature": signature_of(secret, headers["webhook-id"], at, body),
        }
    url = hook.url
    if not url.startswith(("https://", "http://")):
        url = _resolved(workspace, url, f"the url of {hook.name}")
    post_json(url, body, headers, seconds=hook.seconds)


def _resolved(workspace: Workspace, reference: str, what: str) -> str:
    from ingest_tui.credentials.references import ResolveContext, parse_reference, resolve_reference

    context = ResolveContext(workspace.credentials_path.parent, os.environ)
    return resolve_reference(parse_reference(reference), context, what=what)


def _body(hook: JobEndHook, event: dict[str, Any]) -> bytes:
    text = safe_display(str(event["text"]))
    return orjson.dumps({"text": text} if hook.body == "text" else event | {"text": text})


def run_command(hook: JobEndHook, event: dict[str, Any], ending: threading.Event) -> None:
    """Run a program with the event on its standard input; raises `IngestError` when it fails or takes too long.

    It is ended with all that it started in its session, when it takes too long and when this process is about to end,
    which raises `EndingError`.
    """
    wanted = (*_FOR_COMMANDS, *hook.environment)
    environment = {name: os.environ[name] for name in wanted if name in os.environ} | {
        "INGEST_TUI_JOB": str(event["job_id"]),
        "INGEST_TUI_JOB_STATE": str(event["state"]),
        "INGEST_TUI_JOB_SOURCE": str(event["source_id"]),
        "INGEST_TUI_JOB_TEXT": safe_display(str(event["text"])),
    }
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
        _wait_for(process, hook, _body(hook, event), ending)
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise IngestError(f"the command ended with {process.returncode}", hint="run it by hand to see what it says")


def _wait_for(process: subprocess.Popen[bytes], hook: JobEndHook, event: bytes, ending: threading.Event) -> None:
    deadline = time.monotonic() + hook.seconds
    while True:
        try:
            process.communicate(event or None, timeout=min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            event = b""  # what is not read yet is kept by `process`
            if ending.is_set():
                raise EndingError("this process ended, and the command with it") from None
            if time.monotonic() >= deadline:
                raise IngestError(f"the command took longer than {hook.seconds:g} s and was ended") from None
        else:
            return
