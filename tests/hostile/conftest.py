"""One workspace for the whole suite: filling it is the most expensive part."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.hostile.hostile_lab")

from tests.hostile.hostile_lab import HostileCli  # noqa: E402


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileCli]:
    """A workspace that every name of the catalogue has gone into; nobody may change it."""
    cli = HostileCli(tmp_path_factory.mktemp("hostile"))
    before = cli.outside()
    cli.fill()
    assert cli.outside() == before, "a name has left something outside of the workspace"
    yield cli
    cli.close()


@pytest.fixture
def another(hostile: HostileCli, tmp_path: Path) -> HostileCli:
    """A copy of the filled workspace that may be changed; its sources are the same."""
    copy = object.__new__(HostileCli)
    copy.__dict__ |= hostile.__dict__
    copy.workspace = tmp_path / "workspace"
    shutil.copytree(hostile.workspace, copy.workspace, copy_function=_link_versions)
    return copy


def _link_versions(source: str, target: str) -> str:
    """Copy a file; what is in a version folder is never written again, so that a second name for it will do."""
    if "/documents/" in source:
        os.link(source, target)
        return target
    return shutil.copy2(source, target)
