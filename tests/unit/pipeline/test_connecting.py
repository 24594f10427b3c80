"""From a source to its connector."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import logging, sys
from pathlib import Path
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import connect
from ingest_tui.services.workspaces import init
workspace, _ = init(Path(sys.argv[1]))
connect(workspace, Source(source_id="a", name="A", source_type="local", source_config={"path": "/"}))
try:
    raise ValueError("raw \\x1b[31m text")
except ValueError:
    logging.getLogger("office365.runtime").exception("Unhandled exception in listener")
"""


def test_what_libraries_log_reaches_no_screen(tmp_path: Path) -> None:
    """A library that logs a traceback where nobody has asked for its log says nothing on our stderr."""
    command = [sys.executable, "-c", _SCRIPT, str(tmp_path / "ws")]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("", "")
