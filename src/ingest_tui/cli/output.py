"""stdout: the only place that writes it. Whatever comes from outside is made safe here."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ingest_tui.cli.formats import as_json, write_record, write_value
from ingest_tui.model.safe_text import safe_block, safe_display

__all__ = [
    "as_json",
    "block",
    "data",
    "data_line",
    "has_styles",
    "line",
    "log_line",
    "prepare",
    "raw_bytes",
    "raw_line",
    "raw_text",
    "snippet",
    "table",
    "what_is_empty",
]

_ESCAPING = "ingest-tui-escape"


def prepare() -> None:
    """Let streams escape what their encoding lacks, instead of failing. Called once, before anything is written."""
    codecs.register_error(_ESCAPING, _escape_unwritable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("_", "-") != "utf-8":
            stream.reconfigure(errors=_ESCAPING)


def _escape_unwritable(error: UnicodeError) -> tuple[str, int]:
    r"""Write characters as ``\uNNNN``, which means the same in JSON; for `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end


def line(text: str = "") -> None:
    """Write one line."""
    sys.stdout.write(safe_display(text) + "\n")


def log_line(record: dict[str, Any], *, without: Collection[str] = ()) -> str:
    """Return a line of a log for people: time, level, message, then the rest as ``name=value``; safe to print."""
    shown = {name: value for name, value in record.items() if name not in {"at", "level", "message", *without}}
    rest = " ".join(f"{name}={value}" for name, value in shown.items())
    text = f"{record.get('at', '')} {record.get('level', ''):7} {record.get('message', '')} {rest}"
    return safe_display(text.rstrip())


def block(text: str) -> None:
    """Write several lines, as of a document; other control characters than line feeds and tabs are escaped."""
    sys.stdout.write(safe_block(text).rstrip("\n") + "\n")


def data(value: Any, *, columns: Iterable[str] = ()) -> None:
    """Write one value in the form that the call asks for: JSON readable by people, YAML or CSV.

    ``columns``: those of a CSV, which an empty list has, too.
    """
    write_value(value, sys.stdout.write, columns)


def data_line(value: Any) -> None:
    """Write one record of a stream in the form that the call asks for: JSON lines, YAML documents or rows of a CSV."""
    write_record(value, sys.stdout.write)


def what_is_empty(nothing: str, *, of: str, is_narrowed: bool) -> str:
    """Return the line for an empty list ``of`` a command: that there is nothing, or only nothing of what was asked."""
    return f"nothing is like that; 'ingest-tui {of}' without options shows all" if is_narrowed else nothing


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Write a table, or what to do when there is nothing in it. Columns are aligned; nothing is cut off."""
    from ingest_tui.cli.tables import table_lines

    cells = [[safe_display(str(cell if cell is not None else "-")) for cell in row] for row in rows]
    if not cells:
        line(empty)
        return
    for text in table_lines(headers, cells, is_terminal=sys.stdout.isatty(), bold=has_styles()):
        sys.stdout.write(text + "\n")


def has_styles() -> bool:
    """Tell whether what is printed may be bold: on a terminal, unless --no-color or NO_COLOR forbids it."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def snippet(text: str) -> str:
    """Return a search snippet with its marks as ``*`` on a pipe or bold on a terminal, safe to print raw."""
    start, end = ("\x1b[1m", "\x1b[0m") if has_styles() else ("*", "*")
    parts = text.replace("\n", " ").replace("\x02", "\0s").replace("\x03", "\0e").split("\0")
    marked = ((start if part[0] == "s" else end) + safe_display(part[1:]) for part in parts[1:])
    return safe_display(parts[0]) + "".join(marked)


def raw_line(text: str) -> None:
    """Write a line that was made safe already and may hold our own styling."""
    sys.stdout.write(text + "\n")


def raw_text(text: str) -> None:
    """Write text that was made safe already, with its line feeds."""
    sys.stdout.write(text)


def raw_bytes(pieces: Iterable[bytes]) -> None:
    """Write bytes as they are. Never to a terminal: they may do anything there."""
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
