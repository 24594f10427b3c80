"""Which files this process has open; other threads open and close theirs meanwhile."""

from __future__ import annotations

import contextlib
from pathlib import Path


def open_files(below: Path | None = None) -> list[str]:
    """Return where the descriptors of this process lead, each as often as it is open; only those below a folder."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(one.readlink()))
    return sorted(path for path in found if below is None or path.startswith(f"{below.resolve()}/"))
