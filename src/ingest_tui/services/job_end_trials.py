"""Trying an entry of ``on_job_end`` before a job ends: its command or webhook is told of a made-up job."""

from __future__ import annotations

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.job_end_hook import JobEndHook, text_of_end
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.job_end_hooks import JobEndHooks

TRIAL = "trial"
"""The identifier of the made-up job, its kind and its trigger, so that receivers can tell it from a real one."""


def try_job_end_hook(workspace: Workspace, name: str) -> str:
    """Tell the entry ``name`` of a job that never was, once; returns the line that it was told.

    Nothing is written. Raises `NotFoundError` for an entry that there is not, and what the command or the call fails
    with.
    """
    hook = _hook_called(workspace, name)
    manifest = _made_up(hook)
    JobEndHooks(workspace, lambda _message, _fields: None).tell_now(hook, manifest)
    return text_of_end(manifest, held=0)


def _hook_called(workspace: Workspace, name: str) -> JobEndHook:
    hooks = workspace.read_settings().on_job_end
    for hook in hooks:
        if hook.name == name:
            return hook
    there = ", ".join(hook.name for hook in hooks)
    hint = f"{did_you_mean(name, [hook.name for hook in hooks])}there are: {there}" if there else "docs/operations.md"
    raise NotFoundError(f"on_job_end has no entry '{safe_display(name)}'", hint=hint)


def _made_up(hook: JobEndHook) -> Manifest:
    """Return a job that the entry would hear of."""
    now = rfc3339_now()
    return Manifest(
        job_id=TRIAL,
        kind=TRIAL,
        source_id=hook.sources[0] if hook.sources else "",
        collection_id="default",
        state=JobState(hook.states[0]) if hook.states else JobState.SUCCEEDED,
        trigger=TRIAL,
        requested_by=requester(),
        created_at=now,
        started_at=now,
        finished_at=now,
        updated_at=now,
    )
