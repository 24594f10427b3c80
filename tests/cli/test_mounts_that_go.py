"""Watched folders whose file system is unmounted and comes back, with real mounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.running import Cli
from tests.mounts import MountedFolder
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("superuser")]

WORDS = {"one.txt", "two.txt", "three.txt"}


@pytest.fixture(params=["", "sub"], ids=["the root", "a sub-folder"])
def disk(request: pytest.FixtureRequest, cli: Cli) -> Iterator[MountedFolder]:
    try:
        mounted = MountedFolder(cli.docs / request.param, cli.home / "disk")
    except PermissionError:
        pytest.skip("this system lets root mount nothing")
    yield mounted
    mounted.close()


def ended_jobs(cli: Cli) -> int:
    return sum(bool(manifest["finished_at"]) for manifest in cli.manifests())


def test_a_mount_that_goes_and_comes_back_costs_nothing(cli: Cli, disk: MountedFolder) -> None:
    """While it is gone nothing is retired; when it is back the worker takes up what is new on it by itself."""
    for name in WORDS:
        (disk.point / name).write_text(f"words of {name}")
    cli.init("--watch", rescan_seconds=1.0, stable_seconds=0.1, hold_items=1000, hold_share=1, hold_always_share=1)
    worker = cli.start("--watch")
    wait_until(lambda: cli.found("words") == WORDS)
    wait_until(lambda: ended_jobs(cli) == len(cli.manifests()))
    before = ended_jobs(cli)
    disk.detach()
    cli.write("below.txt", "what is there without the mount")  # so that the look has something to report
    wait_until(lambda: ended_jobs(cli) > before, what="a look at what is no longer mounted")
    assert cli.found("words") == WORDS
    assert all(manifest["counters"]["items_retired"] == 0 for manifest in cli.manifests())
    disk.attach()
    (disk.point / "new.txt").write_text("words that are new")
    wait_until(lambda: cli.found("words") == {*WORDS, "new.txt"}, what="the worker sees that it is back")
    (disk.point / "later.txt").write_text("words that come later")
    wait_until(lambda: "later.txt" in cli.found("words"), what="it watches what is back")
    (disk.point / "later.txt").unlink()
    wait_until(lambda: "later.txt" not in cli.found("words"), what="what is deleted there is deleted again")
    assert cli.end(worker) == 0
