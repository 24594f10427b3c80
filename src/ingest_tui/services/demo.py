"""The main job on the examples, from an empty folder to a search."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.source import Source
from ingest_tui.services.sources.sources import add_source
from ingest_tui.services.workspaces import init
from ingest_tui.store.workspace import Workspace

SEARCH = "rain gauge calibration"
BROKEN_EXAMPLE = "special-cases/broken.docx"

# Escape sequences for the title and for red, a right-to-left override that makes "fdp.txt" look like "txt.pdf", and
# (the slash parts folder from file) a closing markup tag for which nothing is open. Made when the demo runs: installers
# refuse packages that hold such names.
HOSTILE_NAME = "special-cases/[bold red]names[/]\x1b]0;new title\x07 \x1b[31mred \u202efdp.txt"
HOSTILE_TEXT = """\
The name of this file holds a terminal title sequence, a colour sequence, square brackets that look like markup
and a right-to-left override. It is a document like any other: its text can be found, and its name is shown with
the acting characters written out.
"""


def examples_folder() -> Path:
    """Return the folder of the example documents: in the installed package, or in a checkout."""
    installed = Path(str(resources.files("ingest_tui"))) / "examples"
    checkout = Path(__file__).resolve().parents[3] / "examples" / "documents"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise NotFoundError("the example documents are not installed", hint="install ingest-tui from its repository")


def make_demo_documents(folder: Path) -> None:
    """Copy the examples into a fresh folder, and add the file whose name no package may hold."""
    shutil.copytree(examples_folder(), folder, dirs_exist_ok=True)
    hostile = folder / HOSTILE_NAME
    hostile.parent.mkdir(parents=True)
    hostile.write_text(HOSTILE_TEXT, encoding="utf-8")


def make_demo_workspace(root: Path) -> tuple[Workspace, Source]:
    """Make a workspace in a fresh folder, and next to it the examples as its source.

    Raises `UsageError` when one of both folders holds anything.
    """
    root = root.resolve()
    documents = root.parent / f"{root.name}-examples"
    for folder in (root, documents):
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", hint="name a folder that does not exist yet")
    workspace, _ = init(root)
    make_demo_documents(documents)
    source = add_source(workspace, source_type="local", name="examples", config={"path": str(documents)})
    return workspace, source
