"""What a whole job takes of memory when an object is large."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.servers.fake_bucket import FakeBucket

pytestmark = pytest.mark.slow

SMALL, LARGE, HUGE = 8 << 20, 128 << 20, 1 << 30
MOST_MEGABYTES = 30
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def peak_of_a_sync(cli: Cli, size: int) -> float:
    """Return the highest resident megabytes of the process of a job that fetches one object of so many bytes."""
    with FakeBucket([b"huge"], size=size) as bucket:
        name = f"of-{size}"
        url = str(bucket.settings["endpoint_url"])
        cli.run(
            "source", "add", "s3", name, "--bucket", "fake", "--endpoint-url", url, "--anonymous", "--max-size", "2GB"
        )
        process = cli.start("sync", name)
        peak = 0
        while process.poll() is None:
            match = _HIGH_WATER.search(Path(f"/proc/{process.pid}/status").read_text())
            peak = max(peak, int(match[1]) if match else 0)
            time.sleep(0.005)
        assert process.returncode == 0
        (job,) = cli.run("job", "list", "--source", name, "--json").json
        counters = cli.run("job", "show", job["job_id"], "--json").json["counters"]
        assert (counters["items_fetched"], counters["bytes_fetched"]) == (1, size)
        return peak / 1024


@pytest.mark.parametrize("size", [LARGE, pytest.param(HUGE, marks=pytest.mark.slow)])
def test_job_takes_no_more_memory_for_a_larger_object(cli: Cli, size: int) -> None:
    """Listing, fetching, hashing and staging pass an object on in pieces, however large it is."""
    cli.run("init")
    small = peak_of_a_sync(cli, SMALL)
    assert peak_of_a_sync(cli, size) - small < MOST_MEGABYTES
