"""What the TUI tests share: workspaces with chosen jobs, hostile names, and a way to run a story on the screens."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import orjson
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.timer import Timer

from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.job import JobError, JobState, Manifest, Phase, Transition, WorkerMark
from ingest_tui.model.outcome import COUNTER_OF, Outcome
from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.services.sources.sources import add_source
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.workspace import init_workspace, open_workspace_at
from ingest_tui.tui.app import TOAST_SECONDS, IngestApp
from ingest_tui.tui.widgets.line import Line

NOW_TEXT = "2026-11-21T12:00:00.000Z"
NOW = seconds_since_epoch(NOW_TEXT) or 0.0

# Each acts on a terminal, on markup, or on the order of what is next to it.
HOSTILE_NAMES = [
    "clip\x1b]52;c;aGVsbG8=\x07board.txt",
    "red\x1b[31m.txt",
    "title\x1b]0;owned\x07.txt",
    "c1\x9b31mred\x9d0;x\x9c.txt",
    "line\nbreak\r.txt",
    "\u202etxt.exe",
    "b[/].pdf",
    "[bold red]x[/bold].md",
    "[@click=app.quit]quit[/].md",
    "zero\u200bwidth\u2066.txt",
    "sur\udc80rogate.txt",
    "日本語" * 30 + ".txt",
    "a" * 300,
    "tab\tand\x00nul.txt",
]


def add_job(root: Path, job_id: str, state: str = "succeeded", **values: Any) -> Manifest:
    """Put a job on disk as a worker would have left it."""
    at = values.pop("at", "2026-11-21T11:58:00.000Z")
    listed, failed = values.pop("listed", 0), values.pop("failed", 0)
    manifest = Manifest(
        job_id=job_id,
        source_id=values.pop("source_id", "docs"),
        collection_id="default",
        created_at=at,
        updated_at=at,
        started_at=at,
        state=JobState(state),
        requested_by="user@host",
        transitions=[Transition.model_validate({"from": None, "to": "queued", "at": at, "by": "user@host"})],
    )
    manifest.finished_at = at if manifest.ended else None
    manifest.counters.descriptors_listed = listed
    manifest.counters.items_failed = failed
    manifest.counters.items_ingested = values.pop("ingested", listed - failed)
    manifest.progress.percent = values.pop("percent", 100.0)
    manifest.progress.items_per_second = 14.0
    manifest.progress.bytes_per_second = 120_000.0
    manifest.progress.eta_seconds = values.pop("eta", None)
    manifest.phases["list"] = Phase(state="done", done=listed, total=listed, started_at=at, finished_at=at)
    if state == "running":
        manifest.phases["extract"] = Phase(state="running", done=listed // 2, total=listed, started_at=at)
        manifest.worker = WorkerMark(host="host", pid=4412, heartbeat_at=at)
    for text in values.pop("errors", []):
        manifest.add_error(JobError(code="malformed", message=text, at=at, uri="file:///scans/scan_0091.pdf"))
    if "held" in values:  # only a source that is there asks anybody
        with closing(open_workspace_at(root)) as workspace:
            name = manifest.source_id
            if not workspace.sources.exists(name):
                workspace.sources.add(Source(source_id=name, name=name, source_type="local", source_config={}))
    write_manifest(root, manifest.model_copy(update=values))
    return manifest


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Replace a manifest by a rename, as a worker does."""
    folder = root / "jobs" / manifest.job_id
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / ".tmp.manifest"
    temporary.write_bytes(orjson.dumps(manifest.model_dump(mode="json", by_alias=True)))
    temporary.rename(folder / "manifest.json")


def add_outcomes(root: Path, job_id: str, outcomes: list[Outcome]) -> None:
    """Append outcomes to the journal of a job."""
    with Journal(root / "jobs" / job_id / "outcomes.jsonl") as journal:
        journal.append([outcome.as_dict() for outcome in outcomes], durable=False)


def outcome(key: str, kind: str = "ingested", reason: str = "new", **values: Any) -> Outcome:
    """Return an outcome of one document."""
    assert kind in COUNTER_OF
    return Outcome(f"file:///docs/{os.fsencode(key).hex()}", key, kind, reason, NOW_TEXT, **values)


def new_workspace(root: Path) -> Path:
    """Make an empty workspace."""
    workspace, _ = init_workspace(root)
    workspace.close()
    return root


def add_folder(root: Path, folder: Path, name: str = "handbook", **common: Any) -> None:
    """Add a source the way the command line does."""
    with closing(open_workspace_at(root)) as workspace:
        add_source(workspace, source_type="local", name=name, config={"path": str(folder)}, **common)


def sync_by_hand(root: Path, source_id: str) -> Manifest:
    """Sync a source in this process, so that there are documents."""
    from ingest_tui.services.jobs.jobs import enqueue_sync
    from ingest_tui.services.workers import follow_job

    workspace = open_workspace_at(root)
    try:
        job_id = enqueue_sync(workspace, source_id).job_id
        return follow_job(workspace, job_id, lambda _manifest: None, run_here=True)
    finally:
        workspace.close()


Story = Callable[[IngestApp, Pilot[int]], Awaitable[None]]


def run_story(
    root: Path,
    story: Story,
    *,
    size: tuple[int, int] = (80, 24),
    client: Client | None = None,
    now: float = NOW,
    read_only: bool = False,
) -> None:
    """Run a story on the application without a terminal."""

    async def run() -> None:
        app = IngestApp(root, client=client, now=lambda: now, read_only=read_only)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.model.complete and app.knows_workers)
            await story(app, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[int], true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Let the application go on until something is true."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause(0.02)
        try:
            if true():
                return
        except Exception:  # noqa: BLE001 - not there yet
            continue
    raise AssertionError("it did not become true; on screen:\n" + screen_text(pilot.app))


async def at_rest(pilot: Pilot[int]) -> None:
    """Let the application go on until nothing more comes of what was done: two times in a row nothing is due."""
    looks_at_rest = 0

    def is_at_rest() -> bool:
        nonlocal looks_at_rest
        looks_at_rest = 0 if _is_anything_due(pilot.app) else looks_at_rest + 1
        return looks_at_rest >= 2

    await until(pilot, is_at_rest)


def _is_anything_due(app: Any) -> bool:
    """Whether a thread has a question, something moves, or a timer is set: no interval, and none of a notice."""

    def is_due(timer: Timer) -> bool:
        is_running = timer._task is not None and not timer._task.done()
        return is_running and timer._repeat == 0 and timer._interval < TOAST_SECONDS

    nodes = [app, *app.screen_stack, *app.screen.walk_children()]
    is_asked = any(not worker.is_finished for worker in app.workers)
    return is_asked or bool(app.animator._animations) or any(is_due(timer) for node in nodes for timer in node._timers)


@asynccontextmanager
async def stretches() -> AsyncIterator[list[float]]:
    """Measure for how long at a time the loop of the application computes: processor seconds, whatever else runs."""
    measured: list[float] = []

    async def measure() -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0.002)
            now = time.thread_time()
            measured.append(now - last)
            last = now

    task = asyncio.create_task(measure())
    try:
        yield measured
    finally:
        task.cancel()


def send_together(app: Any, *keys: str) -> None:
    """Send keys as a terminal does on a slow link: all of them are there before the first one acts."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        app.post_message(events.Key(name, key if len(key) == 1 else None))


CLICK = (events.MouseDown, events.MouseUp)


def send_mouse(app: Any, x: int, y: int, kinds: Sequence[type[events.MouseEvent]] = CLICK) -> None:
    """Use the mouse at a place of the screen, as a terminal reports it."""
    for made in kinds:
        event = made(None, x, y, 0, 0, int(kinds is CLICK), False, False, False, screen_x=x, screen_y=y)
        app.post_message(event)


def screen_text(app: Any) -> str:
    """Return what the screen shows, line by line."""
    return "\n".join(str(strip.text) for strip in app.screen._compositor.render_strips())


def said(app: Any, line: str) -> str:
    """Return the text of one of the lines around the body: header, tabs, hint or keys; info is in the border."""
    if line == "info":
        return str(app.screen.info)
    return str(app.screen.query_one(f"#{line}", Line).said)


def let_answer(part: Any, **functions: Callable[..., Any]) -> None:
    """Let functions of a part of a client be these ones."""
    for name, function in functions.items():
        setattr(part, name, function)
