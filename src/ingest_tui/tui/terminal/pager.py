"""Showing a file in the person's own pager. What it shows cannot act on the terminal, and nothing of it is run."""

from __future__ import annotations

import codecs
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from ingest_tui.model.safe_text import safe_block

MOST_BYTES = 5_000_000
_PROBE_BYTES = 8_192
_BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")  # controls that no text has; ESC is in logs


def text_to_page(path: Path) -> str | None:
    """Return the text of a file, safe to show, its end left out where it is long; None when it is no text."""
    with path.open("rb") as handle:
        data = handle.read(MOST_BYTES)
        goes_on = bool(handle.read(1))
    if _BINARY.search(data[:_PROBE_BYTES]):
        return None
    return safe_block(_decoded(data)) + ("\n… the file continues\n" if goes_on else "")


def _decoded(data: bytes) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # the last character may be cut
    except UnicodeDecodeError:
        return data.decode("latin-1")
    return data.decode("utf-8", "replace")


def pager_command() -> list[str]:
    """Return the pager of the person: ``$PAGER``, else less or more; empty when there is none."""
    wanted = shlex.split(os.environ.get("PAGER", ""))
    candidates = [wanted, ["less"], ["more"]]
    return next((command for command in candidates if command and shutil.which(command[0])), [])


def show_in_pager(text: str) -> bool:
    """Show a text until the person is done; the caller has given the terminal back. Tells whether there is a pager.

    The pager gets the text, never the file: `less` would run a program on it (``LESSOPEN``), an editor its modelines.
    """
    command = pager_command()
    if not command:
        return False
    environment = {**os.environ, "LESSSECURE": "1", "LESS": "-M"}
    environment.pop("LESSOPEN", None)
    subprocess.run(command, input=text.encode(), env=environment, check=False)  # noqa: S603 - the person's own choice
    return True
