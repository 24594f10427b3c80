"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ingest_tui.model.redaction import forget_secrets
from tests.servers.fault_proxy import FaultProxy
from tests.servers.processes import moto_process


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: archives hold times, and test names must be the same in every process."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs root by the fixture that it asks for, itself or through another one."""
    for item in items:
        if "superuser" in getattr(item, "fixturenames", ()):
            item.add_marker("root")


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
