"""Hooks hear of each job at least once: what is kept for them, who tells them, and when it is given up."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import IngestError, TransientSourceError
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.job_end_hook import JobEndHook
from ingest_tui.store.job_notices import NoticeStore, leave_queue
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.transport.retrying import RetryPolicy
from ingest_tui.worker import job_end_hooks
from ingest_tui.worker.job_end_hooks import JobEndHooks
from ingest_tui.worker.queue import claim_next
from tests.waiting import wait_until

AT = "2026-11-21T08:00:00.000Z"
JOB = "20261121-080000-docs-aaaa"
CHAT = JobEndHook(name="chat", url="https://chat.example.org/", states=())
Calls = list[str]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace that tells a webhook of every job."""
    workspace = init_workspace(tmp_path / "workspace")[0]
    return use(workspace, CHAT)


def use(workspace: Workspace, *hooks: JobEndHook) -> Workspace:
    workspace.settings = workspace.settings.model_copy(update={"on_job_end": hooks})
    return workspace


def ended(workspace: Workspace, job_id: str = JOB) -> Manifest:
    """Put a job that has ended into the queue, as a worker leaves it that is killed right then."""
    manifest = Manifest(
        job_id=job_id, source_id="docs", collection_id="default", created_at=AT, updated_at=AT, state=JobState.FAILED
    )
    workspace.jobs.create(manifest)
    return manifest


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Calls]:
    """Have webhooks answered by a function: raise what it is given, each once, then take what comes."""

    def answer(*errors: Exception) -> Calls:
        left, made = list(errors), Calls()

        def call(_workspace: Workspace, hook: JobEndHook, event: dict[str, Any]) -> None:
            made.append(f"{hook.name} {event['id']}")
            if left:
                raise left.pop(0)

        monkeypatch.setattr(job_end_hooks, "call_webhook", call)
        return made

    return answer


def tell(workspace: Workspace) -> list[str]:
    """Take up what waits and end; returns what was reported, in order."""
    said: list[str] = []
    with closing(JobEndHooks(workspace, lambda message, _fields: said.append(message))) as hooks:
        hooks.take_up_waiting()
    return said


def test_a_job_that_ends_is_noted_before_it_leaves_the_queue(workspace: Workspace) -> None:
    """A notice that cannot be written keeps the job in the queue; one that nobody wants is none."""
    manifest, notices = ended(workspace), NoticeStore(workspace.layout)
    workspace.layout.notices.write_text("in the way")
    with pytest.raises(OSError, match="notices"):
        leave_queue(workspace, manifest)
    assert workspace.jobs.queued_ids() == [JOB]
    workspace.layout.notices.unlink()
    leave_queue(workspace, manifest)
    assert workspace.jobs.queued_ids() == []
    assert notices.ids() == [JOB]
    use(workspace, CHAT.model_copy(update={"states": ("succeeded",)}))
    leave_queue(workspace, ended(workspace, "20261121-090000-docs-aaaa"))
    assert notices.ids() == [JOB]


def test_a_worker_killed_right_after_the_end_of_a_job_loses_nothing(
    workspace: Workspace, calls: Callable[..., Calls]
) -> None:
    """Whoever looks at the queue next clears the job up and notes it; it is told once."""
    ended(workspace)
    made = calls()
    assert claim_next(workspace) is None
    assert tell(workspace) == ["told that the job has ended"]
    assert made == [f"chat {JOB}"]
    assert tell(workspace) == []
    assert list(workspace.layout.notices.iterdir()) == []


def test_what_may_pass_is_told_later(
    workspace: Workspace, calls: Callable[..., Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its attempts at once a hook waits for its moment; the others are told, and it alone is left."""
    monkeypatch.setattr(job_end_hooks, "_POLICY", RetryPolicy(attempts=1))
    use(workspace, CHAT, CHAT.model_copy(update={"name": "pager"}))
    leave_queue(workspace, ended(workspace))
    made = calls(TransientSourceError("it answered 503"))
    with closing(JobEndHooks(workspace, lambda _message, _fields: None)) as hooks:
        hooks.take_up_waiting()
        wait_until(lambda: len(made) == 2)
        wait_until(lambda: not hooks._tellings)
        hooks.take_up_waiting()
    notice = NoticeStore(workspace.layout).get(JOB)
    assert notice is not None
    [left] = notice.waiting
    assert (left.attempts, len(made)) == (1, 2), "not due yet"
    due = notice.model_copy(update={"waiting": (left.model_copy(update={"not_before": AT}),)})
    NoticeStore(workspace.layout).save(due)
    tell(workspace)
    assert made[-1] == f"{left.name} {JOB}"
    assert list(workspace.layout.notices.iterdir()) == []


def test_a_refusal_is_final(workspace: Workspace, calls: Callable[..., Calls]) -> None:
    """It is in the audit, once, and not tried again."""
    calls(IngestError("it answered 404"))
    leave_queue(workspace, ended(workspace))
    assert tell(workspace) == ["nobody was told that the job has ended"]
    assert tell(workspace) == []
    lines = [json.loads(line) for line in workspace.layout.audit.read_text().splitlines()]
    assert [line["action"] for line in lines].count("job.notify") == 1


def test_one_process_tells_at_a_time(workspace: Workspace, calls: Callable[..., Calls]) -> None:
    """What another process tells is left to it."""
    made = calls()
    leave_queue(workspace, ended(workspace))
    other = NoticeStore(workspace.layout).lock(JOB)
    assert other.try_acquire()
    assert tell(workspace) == []
    other.release()
    tell(workspace)
    assert made == [f"chat {JOB}"]


def test_a_notice_that_cannot_be_read_keeps_nobody_from_being_told(
    workspace: Workspace, calls: Callable[..., Calls]
) -> None:
    """The others are told, then it is an error; a lock that a death has left goes, and what is no notice stays."""
    made, notices = calls(), workspace.layout.notices
    later = "20261121-090000-docs-aaaa"
    leave_queue(workspace, ended(workspace, later))
    (notices / f"{JOB}.json").write_text("{")
    (notices / "20261121-080000-docs-bbbb.lock").touch()
    (notices / "No notice.json").touch()
    with pytest.raises(IngestError, match=JOB):
        tell(workspace)
    wait_until(lambda: made == [f"chat {later}"])
    wait_until(lambda: {path.name for path in notices.iterdir()} == {f"{JOB}.json", f"{JOB}.lock", "No notice.json"})


def test_the_queue_of_notices_is_bounded(
    workspace: Workspace, calls: Callable[..., Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest beyond the limit are given up with a line for each; hooks that are configured no more are dropped."""
    monkeypatch.setattr(job_end_hooks, "MOST_NOTICES", 1)
    made = calls()
    later = "20261121-090000-docs-aaaa"
    for job_id in (JOB, later):
        leave_queue(workspace, ended(workspace, job_id))
    assert sorted(tell(workspace)) == ["nobody was told that the job has ended", "told that the job has ended"]
    assert made == [f"chat {later}"]
    leave_queue(workspace, ended(workspace, "20261121-100000-docs-aaaa"))
    use(workspace)
    assert tell(workspace) == []
    assert list(workspace.layout.notices.iterdir()) == []
