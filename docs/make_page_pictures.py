"""Make the pictures of the server's page: the page itself in a headless Chromium, on the example documents.

    PYTHONPATH=. python docs/make_page_pictures.py /srv/weather

Makes a demo workspace in the named folder, which must not exist (it shows in the pictures and is removed afterwards),
syncs it, serves it and writes PNG files to docs/pictures/.
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

from ingest_tui.services.demo import make_demo_documents
from ingest_tui.services.jobs.jobs import enqueue_sync
from ingest_tui.services.sources.sources import add_source
from ingest_tui.services.workers import follow_job
from ingest_tui.services.workspaces import init
from tests.cli.running import Cli
from tests.page.chromium import Chromium, Page
from tests.servers.running_server import running_server

PICTURES = Path(__file__).parent / "pictures"
WIDTH, HEIGHT, COLORS = 1000, 720, 128
HIT = "#hits a"
VERDICT = "document.getElementById('verdict').textContent"
VIEWS = (
    ("page-search", "light", "#search?q=rain+gauge", "document.querySelector('#hits mark')"),
    ("page-document", "dark", "", f"{VERDICT} && document.querySelector('.passage')"),
)


def main(folder: Path) -> None:
    """Make all pictures."""
    make_demo_documents(folder / "documents")
    try:
        workspace, _ = init(folder / "workspace")
        add_source(workspace, source_type="local", name="manual", config={"path": str(folder / "documents")})
        job = enqueue_sync(workspace, "manual")
        follow_job(workspace, job.job_id, lambda _manifest: None, run_here=True)
        workspace.close()
        with running_server(Cli(folder)) as (_process, address), tempfile.TemporaryDirectory() as home:
            browser = Chromium(Path(home))
            try:
                with browser.page() as page:
                    _take_all(page, address)
            finally:
                browser.close()
    finally:
        shutil.rmtree(folder)


def _take_all(page: Page, address: str) -> None:
    """Take each view; the document is the one that the first hit of the search leads to."""
    page.open(f"{address}/")
    for name, scheme, view, is_shown in VIEWS:
        page.look(scheme, WIDTH, HEIGHT)
        page.value(f"location.hash = {view!r}" if view else f"document.querySelector({HIT!r}).click()")
        page.wait(is_shown)
        picture = base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"])
        with Image.open(io.BytesIO(picture)) as taken:
            taken.convert("RGB").quantize(COLORS).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
