"""How far the catalogue is made again, for people, on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ingest_tui.cli import diagnostics
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, RebuildProgress

_SECONDS_BETWEEN = 0.2


def shown_on_stderr() -> ProgressListener:
    """Return a listener that says why and how it ended; in a terminal also how far it is, in one line."""
    announced = False
    last = 0.0

    def show(progress: RebuildProgress) -> None:
        nonlocal announced, last
        if not announced:
            announced = True
            diagnostics.say(progress._replace(ended=False).in_words())
        if progress.ended:
            diagnostics.show_progress("")
            diagnostics.say(progress.in_words())
            announced = False
        elif time.monotonic() - last > _SECONDS_BETWEEN:
            last = time.monotonic()
            diagnostics.show_progress(f"{counted(progress.documents, 'document')} …")

    return show
