"""Everything at once, killed at random, rebuilt again and again: in the end catalogue, search and folders agree.

Each of both takes half a minute, in CI as long as INGEST_TUI_SOAK_SECONDS says. The whole takes ten minutes:

    INGEST_TUI_WHOLE=1 pytest -n 0 -s tests/faults/test_soak.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import REPOSITORY

IS_WHOLE = os.environ.get("INGEST_TUI_WHOLE") == "1"
SECONDS = 600.0 if IS_WHOLE else float(os.environ.get("INGEST_TUI_SOAK_SECONDS", "30"))
# Shorter than the some six seconds that an actor lives, or no rebuild would come to its end.
BETWEEN_REBUILDS = 3.0


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.parametrize("share_of_losses", [0.0, 0.3], ids=["rebuilds", "losses"])
def test_everything_at_once_ends_clean(tmp_path: Path, share_of_losses: float) -> None:
    """No command meets what it may not, and the checker finds nothing, before and after a last rebuild.

    In the second run the catalogue is removed again and again besides.
    """
    seed = int(os.environ.get("INGEST_TUI_SEED", "1"))
    orders = {
        "root": str(tmp_path),
        "seconds": SECONDS,
        "seed": seed,
        "seconds_between_rebuilds": BETWEEN_REBUILDS,
        "share_of_losses": share_of_losses,
    }
    laboratory = subprocess.run(
        [sys.executable, "-m", "tests.faults.soak_lab"],
        cwd=REPOSITORY,
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        check=False,
    )
    assert laboratory.returncode == 0, laboratory.stderr[-4000:]
    result = json.loads(laboratory.stdout.splitlines()[-1])
    print(json.dumps(result["deeds"], indent=1))  # noqa: T201
    assert result["findings"] == []
