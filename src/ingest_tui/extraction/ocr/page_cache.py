"""Pages that OCR has read before, looked up from within a parser process, which may not write them.

What is new goes back with the result, and whoever keeps the cache writes it. An entry that cannot be read, or is not
what was written, is none; those of programs of before have no checksum.
"""

from __future__ import annotations

import json
import os

from ingest_tui.model.ocr import OcrPage

MAX_ENTRY_BYTES = 1024**2


def entry_path(folder: str, key: str) -> str:
    """Return where the page of a key is kept."""
    return f"{folder}/{key[:2]}/{key}.json"


def cached_page(folder: str, key: str) -> OcrPage | None:
    """Return a page that was read before, or None."""
    if not folder:
        return None
    try:
        descriptor = os.open(entry_path(folder, key), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            kept = json.loads(file.read(MAX_ENTRY_BYTES))
        page = OcrPage(key, str(kept["text"]), min(1.0, max(0.0, float(kept["confidence"]))))
        return page if kept.get("checksum", page.checksum) == page.checksum else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
