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
from pathlib import Path

from ingest_tui.services.demo import make_demo_documents
from ingest_tui.services.jobs.jobs import enqueue_sync
from ingest_tui.services.sources.sources import add_source
from ingest_tui.services.workers import follow_job
from ingest_tui.services.workspaces import init
from ingest_tui.tui.app import IngestApp

SYNCS = 3
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
            ("errors", NARROW, ["4"]),
            ("source-form", NARROW, ["2", "a", "enter"]),
            ("help", NARROW, ["question_mark"]),
        ):
            asyncio.run(_take(workspace.root, name, size, keys))
    finally:
        shutil.rmtree(folder)


async def _take(root: Path, name: str, size: tuple[int, int], keys: list[str]) -> None:
    app = IngestApp(root)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.5)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(1.0)
        await pilot.pause(0.5)
        picture = app.export_screenshot(title="ingest-tui")
        (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
