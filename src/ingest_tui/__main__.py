"""``python -m ingest_tui`` and the ``ingest-tui`` command."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from ingest_tui.model.mcp_options import McpOptions
    from ingest_tui.model.serving import ServeOptions

_GC_THRESHOLD = 100_000
"""To load the modules makes many objects that all stay: by default a tenth of a start is spent on looking at them."""
_INTERRUPTED = 130
"""As `cli.diagnostics.EXIT_INTERRUPTED`."""


def main() -> None:
    """Run the command line and end with its exit code."""
    gc.set_threshold(_GC_THRESHOLD)
    # Else pydantic reads what every installed package brings, to find plug-ins of its own. None is wanted here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from ingest_tui.cli.main import run
    from ingest_tui.cli.session import OtherFaces

    try:
        code = run(faces=OtherFaces(run_tui=_run_tui, run_server=_run_server, run_mcp=_run_mcp))
    except KeyboardInterrupt:  # a further Ctrl-C while the first was being reported
        code = _INTERRUPTED
    # Only threads that are about to end are waited for now. A further Ctrl-C ends the process without a traceback:
    # whatever is cut off is resumed, as after a kill.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.freeze()  # else all that was ever loaded is looked through for cycles once more: a tenth of a short command
    sys.exit(code)


def _run_tui(root: Path, *, slow_link: bool, read_only: bool, theme: str | None) -> int:
    """Open the TUI. The faces do not know each other: here is where they meet, and Textual is loaded only here."""
    from ingest_tui.tui.app import run_tui

    return run_tui(root, slow_link=slow_link, read_only=read_only, theme=theme)


def _run_server(root: Path, options: ServeOptions, until: threading.Event | None = None) -> int:
    """Serve the workspace over HTTP; what that needs is loaded only here."""
    with _needing_the_extra():
        from ingest_tui.server.running import run_server
    return run_server(root, options, until)


def _run_mcp(options: McpOptions) -> int:
    """Serve the agent that started this process; what that needs is loaded only here."""
    with _needing_the_extra():
        from ingest_tui.server.mcp.stdio import serve_stdio
    return serve_stdio(options)


@contextmanager
def _needing_the_extra() -> Iterator[None]:
    """Raise `MissingDependencyError` where what servers need is not installed."""
    from ingest_tui.model.errors import MissingDependencyError

    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the server needs the package {(error.name or '').partition('.')[0]}, which is not installed",
            hint="pip install 'ingest-tui[serve]'",
        ) from None


if __name__ == "__main__":
    main()
