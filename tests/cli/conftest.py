"""The command line under test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """Calls of ``ingest-tui`` in a folder of their own."""
    calls = Cli(tmp_path)
    yield calls
    calls.close()
