"""``--watch --serve``: the HTTP server in the process of a worker."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ingest_tui.cli.session import Session, hand_over_credentials
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.serving import DEFAULT_HOST, ServeOptions

_PLACE = re.compile(r"(?:(?:\[(?P<six>[0-9a-fA-F:]+)\]|(?P<host>[A-Za-z0-9.-]+)):)?(?P<port>[0-9]{1,5})")
_LARGEST_PORT = 65_535
_AGAIN_SECONDS = 5.0


def options_of(place: str) -> ServeOptions:
    """Return where ``PORT`` or ``HOST:PORT`` is; raises `UsageError` for anything else."""
    found = _PLACE.fullmatch(place)
    if found is None or int(found["port"]) > _LARGEST_PORT:
        raise UsageError(f"'{safe_display(place)}' is no place to serve at", hint="give a port, or HOST:PORT")
    return ServeOptions(host=found["six"] or found["host"] or DEFAULT_HOST, port=int(found["port"]))


@contextmanager
def serving(session: Session, place: str | None, report: Callable[[str, dict[str, Any]], None]) -> Iterator[None]:
    """Serve within the context, in a thread; with no place nothing happens.

    What keeps it from serving is reported once and tried again: a worker that stands by waits for the port of the one
    that works.
    """
    if place is None:
        yield
        return
    options, run_server = options_of(place), session.faces.run_server
    if run_server is None:
        raise UsageError("the server is not part of this call", hint="run 'ingest-tui' or 'python -m ingest_tui'")
    hand_over_credentials(session)
    until = threading.Event()

    def serve() -> None:
        reported = ""
        while not until.is_set():
            try:
                run_server(session.root, options, until)
            except IngestError as error:
                if error.message != reported:
                    report("the server cannot be started", {"level": "warning", "error": error.message})
                reported = error.message
                until.wait(_AGAIN_SECONDS)

    thread = threading.Thread(target=serve, name="server")
    thread.start()
    try:
        yield
    finally:
        until.set()
        thread.join()
