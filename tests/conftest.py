"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.redaction import forget_secrets
from tests.servers.fault_proxy import FaultProxy
from tests.servers.processes import moto_process

_HELD = pytest.StashKey[int]()
"""How many files this process had open after the last collection."""

_LEFT_OPEN = 100


def pytest_configure() -> None:
    """Look for cycles as seldom as the program does: to look through this large process makes screens stand still."""
    gc.set_threshold(50_000)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: archives hold times, and test names must be the same in every process."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs root by the fixture that it asks for, itself or through another one."""
    for item in items:
        if "superuser" in getattr(item, "fixturenames", ()):
            item.add_marker("root")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let go of what tests left in cycles: a process may hold 1,024 files, and the collector comes by rarely."""
    if _open_files() - item.config.stash.get(_HELD, 0) > _LEFT_OPEN:
        gc.collect()
        item.config.stash[_HELD] = _open_files()


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def superuser() -> None:
    """Skip where the tests are not root's; CI runs those that ask for this as root, all others as somebody else."""
    if os.geteuid() != 0:
        pytest.skip("only root can do what this test does")


@pytest.fixture(autouse=True)
def _no_secrets_of_others() -> Iterator[None]:
    """Let no test meet the secrets that another one has resolved in the same process: each makes redacting slower."""
    yield
    forget_secrets()


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    """The port of an S3 server that runs for the whole session; tests make buckets of their own."""
    with moto_process() as port:
        yield port


@pytest.fixture
def moto_proxy(moto_port: int) -> Iterator[FaultProxy]:
    """A proxy in front of that server, without faults at first."""
    with FaultProxy(moto_port) as proxy:
        yield proxy
