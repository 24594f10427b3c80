"""Whole programs at work for a length of time, while all goes wrong around them: in the end everything is right.

It takes half a minute, in CI as long as INGEST_TUI_SOAK_SECONDS says. The whole takes ten minutes, or as long as that
says:

    INGEST_TUI_SOAK_SECONDS=36000 pytest -n 0 -s tests/faults/test_programs_soak.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import REPOSITORY
from tests.cli.running import SOURCE_TREE

SECONDS = float(os.environ.get("INGEST_TUI_SOAK_SECONDS", "600" if os.environ.get("INGEST_TUI_WHOLE") == "1" else "30"))
MOST_GROWTH = 1.10
MOST_FURTHER_DESCRIPTORS = 8  # one job more than before runs at every moment of a short run


def with_own_mounts() -> list[str]:
    """Return the command line before which a program may mount, in a namespace of its own; empty where none may."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    before = [unshare, *as_root, "--mount", "--propagation", "private"]
    trial = subprocess.run([*before, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return before if trial.returncode == 0 else []


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.parametrize("with_mounts", [True, False], ids=["real mounts", "a folder that vanishes"])
def test_programs_survive_what_happens_around_them(tmp_path: Path, with_mounts: bool) -> None:
    """Worker, TUI and commands, killed, unmounted and without room: no traceback, `verify --deep` clean, flat memory.

    Each document is what its file is, and memory and descriptors of the last worker do not grow while it is calm.
    """
    before = with_own_mounts() if with_mounts else []
    if with_mounts and not before:
        pytest.skip("nothing may be mounted here")
    seed = int(os.environ.get("INGEST_TUI_SEED", "1"))
    orders = {"root": str(tmp_path), "seconds": SECONDS, "seed": seed, "with_mounts": with_mounts}
    laboratory = subprocess.run(
        [*before, sys.executable, "-m", "tests.faults.programs_lab"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(SOURCE_TREE)},
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        check=False,
    )
    assert laboratory.returncode == 0, laboratory.stderr[-4000:]
    result = json.loads(laboratory.stdout.splitlines()[-1])
    print(json.dumps(result, indent=1))  # noqa: T201
    assert result["findings"] == []
    assert result["deeds"]["worker killed"] > 0
    for figures in result["measured"].values():
        _, early, _, late = figures["memory"]
        assert late < early * MOST_GROWTH, figures
        _, early, _, late = figures["descriptors"]
        assert late <= early + MOST_FURTHER_DESCRIPTORS, figures
