"""``python -m ingest_tui`` and the ``ingest-tui`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end with its exit code."""
    from ingest_tui.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
