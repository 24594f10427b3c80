"""A text in the person's own editor, while the screen is theirs."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest_tui.model.errors import IngestError


def editor_command(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the words of $VISUAL, else of $EDITOR, else ``vi``."""
    environment = os.environ if environment is None else environment
    return shlex.split(environment.get("VISUAL") or environment.get("EDITOR") or "vi")


def edited(text: str, name: str) -> str:
    """Let a person edit a text in a private file called ``name``, and return it as they left it.

    Blocks until the editor ends. Raises `IngestError` when it cannot be started or says that it failed.
    """
    hint = "VISUAL or EDITOR names the editor, such as 'nano' or 'vim'"
    try:
        command = editor_command()
    except ValueError as error:
        raise IngestError(f"the name of the editor cannot be read: {error}", hint=hint) from None
    with TemporaryDirectory(prefix="ingest-tui-") as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        try:
            ended = subprocess.run([*command, str(path)], check=False)  # noqa: S603 - the person's own choice
        except OSError as error:
            raise IngestError(f"the editor {command[0]!r} cannot be started: {error.strerror}", hint=hint) from None
        if ended.returncode:
            raise IngestError(
                f"the editor {command[0]!r} ended with {ended.returncode}; nothing is taken over", hint=hint
            )
        return path.read_text(encoding="utf-8", errors="replace")
