"""Write docs/workspace.schema.json and .env.example from the settings of the program.

    python docs/make_settings_files.py

A test compares both files with what this would write.
"""

from __future__ import annotations

import json
from pathlib import Path

from ingest_tui.services.settings import environment_example, settings_schema

_ROOT = Path(__file__).parents[1]


def files() -> dict[Path, str]:
    """Return what is in each file."""
    return {
        _ROOT / "docs" / "workspace.schema.json": json.dumps(settings_schema(), indent=2) + "\n",
        _ROOT / ".env.example": environment_example(),
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
