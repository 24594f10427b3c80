"""A served workspace, made once for a module; a test that changes it makes its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.servers.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A workspace that tests of a module only read."""
    return Served(tmp_path_factory.mktemp("served"))


@pytest.fixture
def asking(served: Served) -> Iterator[TestClient]:
    """A client of it, on this machine and without a token."""
    with served.asking() as client:
        yield client


@pytest.fixture
def own(tmp_path: Path) -> Served:
    """A workspace that a test may change."""
    return Served(tmp_path)
