"""Pages that OCR has read, so that the same picture is not read twice: a cache of bounded size.

An entry is ``KK/KEY.json``, as parser processes look for it. A lost or torn one is read again, so nothing is synced.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ingest_tui.model.errors import RefusedError
from ingest_tui.model.ocr import OcrPage
from ingest_tui.store.fs.atomic import make_inner_folder, temporary_path_for, write_new
from ingest_tui.store.layout import Layout

MOST_IN_A_FOLDER = 400
"""Of 256 folders: 100,000 pages in all, some 300 MB."""
_MAX_ENTRY_BYTES = 1024**2
_KEY = re.compile(r"[0-9a-f]{64}")


def keep_pages(layout: Layout, pages: Iterable[OcrPage]) -> None:
    """Keep pages; one that cannot be written is none. Keys come from parser processes and are checked."""
    for page in pages:
        if _KEY.fullmatch(page.key):
            with contextlib.suppress(OSError, RefusedError):
                _keep(layout.ocr_pages / page.key[:2], page)


def _keep(folder: Path, page: OcrPage) -> None:
    data = json.dumps(
        {"text": page.text, "confidence": page.confidence, "checksum": page.checksum}, ensure_ascii=True
    ).encode()
    if len(data) > _MAX_ENTRY_BYTES:
        return
    make_inner_folder(folder.parent)
    make_inner_folder(folder)
    _make_room(folder)
    path = folder / f"{page.key}.json"
    temporary = temporary_path_for(path)
    try:
        write_new(temporary, data, sync=False)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    """Remove the older half of a full folder."""
    with os.scandir(folder) as entries:
        found = [(entry.stat(follow_symlinks=False).st_mtime_ns, entry.name) for entry in entries]
    if len(found) >= MOST_IN_A_FOLDER:
        for _, name in sorted(found)[: MOST_IN_A_FOLDER // 2]:
            (folder / name).unlink(missing_ok=True)
