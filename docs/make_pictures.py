"""Make the README's pictures of the TUI: the program itself, on the example documents.

    python docs/make_pictures.py /srv/weather

Makes a demo workspace in the named folder, which must not exist (it shows in the pictures and is removed afterwards),
syncs it, opens the TUI headless and exports SVG files to docs/pictures/.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from textual.pilot import Pilot

from ingest_tui.services.client import Client
from ingest_tui.services.demo import make_demo_documents
from ingest_tui.services.jobs.jobs import enqueue_sync
from ingest_tui.services.sources.sources import add_source
from ingest_tui.services.workers import follow_job
from ingest_tui.services.workspaces import init
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.app import IngestApp

SYNCS = 3
LETTERS = 12_000
LIVE_FROM_PERCENT = 20.0
CHANGED = "station-guide.md"
CHANGES = (
    ("Below 11.8 V the logger stops the radio; below 11.2 V", "Below 11.9 V the logger stops the radio; below 11.4 V"),
    ("It draws 80 mA", "It draws 95 mA"),
    ("Swap it; wash the old one in distilled water", "Swap it; throw the old one away"),
    ("Rime on the anemometer is removed by hand warmth, never with a tool.\n", "Leave rime alone.\n"),
)
"""What somebody changes in the second version of a document."""
PICTURES = Path(__file__).parent / "pictures"
WIDE, NARROW, OVERVIEW = (150, 36), (100, 24), (120, 30)


def main(folder: Path) -> None:
    """Make all pictures."""
    PICTURES.mkdir(exist_ok=True)
    os.environ["LOGNAME"] = "ops"
    socket.gethostname = lambda: "search-01"
    make_demo_documents(folder / "documents")
    try:
        workspace, _ = init(folder / "corpus")
        add_source(workspace, source_type="local", name="manual", config={"path": str(folder / "documents")})
        add_source(
            workspace, source_type="local", name="stations", config={"path": str(folder / "documents")}, watch=True
        )
        for _ in range(SYNCS):
            job = enqueue_sync(workspace, "manual")
            follow_job(workspace, job.job_id, lambda _manifest: None, run_here=True)
        changed = folder / "documents" / CHANGED
        text = changed.read_text()
        for older, newer in CHANGES:
            text = text.replace(older, newer)
        changed.write_text(text)
        job = enqueue_sync(workspace, "manual")
        follow_job(workspace, job.job_id, lambda _manifest: None, run_here=True)
        enqueue_sync(workspace, "stations")
        workspace.close()
        for name, size, keys in (
            ("overview", OVERVIEW, ["0"]),
            ("jobs", WIDE, ["1"]),
            ("job", WIDE, ["1", "j", "j", "j", "enter"]),
            ("search", NARROW, ["3", "s", *"rain"]),
            ("sources", NARROW, ["2"]),
            ("source", WIDE, ["2", "enter"]),
            ("documents", NARROW, ["3"]),
            ("folders", WIDE, ["3", "b", "escape"]),
            ("diff", WIDE, ["3", "/", *CHANGED, "enter", "enter", "d", "enter"]),
            ("errors", NARROW, ["4"]),
            ("source-form", NARROW, ["2", "a", "enter"]),
            ("help", NARROW, ["question_mark"]),
        ):
            asyncio.run(_take(workspace.root, name, size, keys))
        _take_live(workspace.root, folder / "letters")
    finally:
        shutil.rmtree(folder)


def _take_live(root: Path, letters: Path) -> None:
    """Take a picture of a job while it runs: of so many letters that it takes a while."""
    letters.mkdir()
    for number in range(LETTERS):
        (letters / f"letter-{number:05d}.md").write_text(f"# Letter {number}\n\n{'Rain again. ' * 200}{number}\n")
    with closing(open_workspace_at(root)) as workspace:
        add_source(workspace, source_type="local", name="letters", config={"path": str(letters)})
        job_id = enqueue_sync(workspace, "letters").job_id
    work = threading.Thread(target=_work, args=(root, job_id))
    work.start()
    while Client(root).jobs.get(job_id).progress.percent < LIVE_FROM_PERCENT and work.is_alive():
        time.sleep(0.1)
    asyncio.run(_take(root, "live-job", WIDE, ["1", "g", "enter"]))
    Client(root).jobs.cancel(job_id)
    work.join()


def _work(root: Path, job_id: str) -> None:
    with closing(open_workspace_at(root)) as workspace:
        follow_job(workspace, job_id, lambda _manifest: None, run_here=True)


async def _take(root: Path, name: str, size: tuple[int, int], keys: list[str]) -> None:
    app = IngestApp(root)
    async with app.run_test(size=size) as pilot:
        await _settle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await _settle(app, pilot)
        picture = app.export_screenshot(title="ingest-tui")
        (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


async def _settle(app: IngestApp, pilot: Pilot[int]) -> None:
    """Let the application go on until all that it asked for is answered, and shown."""
    await pilot.pause(1.0)
    while not app.model.complete or any(not worker.is_finished for worker in app.workers):
        await pilot.pause(0.1)
    await pilot.pause(0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
