"""What parser processes may read and write: their input, the code they run, and one folder each."""

from __future__ import annotations

import importlib.util
import os
import shutil
import site
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest_tui.extraction.pool.orphans import owner_lives
from ingest_tui.model.errors import RefusedError
from ingest_tui.model.safe_text import safe_display

_PACKAGE_FOLDERS = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Confinement:
    """The walls around the processes of a pool.

    ``readable``: folders below which the input of tasks is. ``scratch``: a folder on the file system of the outputs of
    tasks, in which each process gets one of its own. ``may_run_programs``: for backends that work through others.
    """

    readable: tuple[str, ...]
    scratch: str
    may_run_programs: bool = False

    def make_folder(self, mark: str) -> str:
        """Make the folder of one process, named by its mark; returns its path."""
        folder = f"{self.scratch}/{mark}"
        if os.path.islink(self.scratch):  # noqa: PTH114
            raise RefusedError(
                f"{safe_display(self.scratch)} is a symbolic link, so writes would land elsewhere",
                hint="remove it if it is not yours; the program makes it again",
                code="planted_file",
            )
        os.makedirs(self.scratch, 0o700, exist_ok=True)  # noqa: PTH103
        os.mkdir(folder, 0o700)  # noqa: PTH102
        return folder

    def sweep(self) -> None:
        """Remove what processes of dead workers left."""
        for folder in _folders_in(self.scratch):
            if not owner_lives(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _folders_in(scratch: str) -> Iterator[Path]:
    try:
        yield from [path for path in Path(scratch).iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return


def code_folders(modules: Iterable[str]) -> list[str]:
    """Return the folders that the code of a parser is in: Python, installed packages, ours, and those of ``modules``.

    The rest of ``sys.path`` is left out: with ``python -m`` it begins with the working folder, which may be a home.
    """
    packages = Path(__file__).resolve().parents[3]
    found = [sys.prefix, sys.base_prefix, str(packages), *filter(None, [site.getusersitepackages()])]
    found += [entry for entry in sys.path if Path(entry).name in _PACKAGE_FOLDERS or entry.endswith(".zip")]
    for module in modules:
        spec = importlib.util.find_spec(module.partition(".")[0])
        if spec is not None:
            found += spec.submodule_search_locations or filter(None, [spec.origin])
    return list(dict.fromkeys(path for path in found if path.startswith("/") and path != "/"))
