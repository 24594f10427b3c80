"""The main job on the examples, from an empty folder to a search."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.source import Source
from ingest_tui.services.sources import add_source
from ingest_tui.services.workspaces import init
from ingest_tui.store.workspace import Workspace

SEARCH = "rain gauge calibration"


def examples_folder() -> Path:
    """Return the folder of the example documents: in the installed package, or in a checkout."""
    installed = Path(str(resources.files("ingest_tui"))) / "examples"
    checkout = Path(__file__).resolve().parents[3] / "examples" / "documents"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise NotFoundError("the example documents are not installed", hint="install ingest-tui from its repository")


def make_demo_workspace(root: Path) -> tuple[Workspace, Source]:
    """Make a workspace in a fresh folder with the examples as its source; raises `UsageError` when it is not fresh."""
    if root.exists() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty", hint="name a folder that does not exist yet")
    workspace, _ = init(root)
    source = add_source(workspace, source_type="local", name="examples", config={"path": str(examples_folder())})
    return workspace, source
