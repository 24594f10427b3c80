"""A script for `test_command_crash_points`: registers one document in the workspace that is its argument."""

from __future__ import annotations

import sys
from pathlib import Path

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.errors import IngestError

if __name__ == "__main__":
    try:
        with open_workspace(Path(sys.argv[1])) as workspace:
            workspace.register("default", IngestedDocument("The weather of a script.\n", "page-1", "wiki"))
    except (IngestError, OSError) as error:
        sys.exit(f"error: {error}")
    except Exception as error:
        if type(error).__module__ != "apsw":
            raise
        sys.exit(f"error: {type(error).__name__}")
