"""A served workspace, made once; a test that changes it has a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.servers.served import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A workspace that tests only read."""
    return Served(tmp_path_factory.mktemp("served"))


@pytest.fixture
def asking(served: Served) -> Iterator[TestClient]:
    """A client of it, on this machine and without a token."""
    with served.asking() as client:
        yield client


@pytest.fixture
def own(served: Served, tmp_path: Path) -> Served:
    """A workspace that a test may change."""
    return served.copied(tmp_path)
