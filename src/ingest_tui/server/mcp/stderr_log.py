"""What the server writes to stderr, where clients keep it as its log."""

from __future__ import annotations

import logging
import sys

from ingest_tui.model.redaction import redact
from ingest_tui.model.safe_text import safe_block, safe_display

_LOGGERS = ("mcp", "ingest_tui.server.mcp", "asyncio")


class _SafeFormatter(logging.Formatter):
    """One line for each record, without secrets and without what acts on a terminal; a traceback only on demand."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__("%(levelname)s: %(message)s")
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it: tracebacks quote data."""
        line = safe_display(redact(f"{record.levelname.lower()}: {record.getMessage()}"))
        if not self._debug or not record.exc_info:
            return line
        return f"{line}\n{safe_block(redact(self.formatException(record.exc_info)))}"


def write_logs_to_stderr(*, debug: bool) -> None:
    """Write warnings and errors of the protocol to stderr, with ``debug`` their tracebacks too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SafeFormatter(debug=debug))
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING)


def say(message: str) -> None:
    """Write a line for people."""
    print(safe_display(redact(message)), file=sys.stderr, flush=True)  # noqa: T201
