"""A server as a process of its own, started as people start it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.running import Cli
from tests.waiting import wait_until

_PLACE = re.compile(r"serving at (\S+)")


@contextmanager
def running_server(cli: Cli, *options: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run ``serve`` at a free port; gives its process and its address. It must end well when it is asked to."""
    process = cli.start("serve", "--port", "0", *options)

    def place() -> str:
        assert process.poll() is None, cli.output_of(process)
        found = _PLACE.search(cli.output_of(process))
        return found[1] if found else ""

    address = wait_until(place, seconds=60, what="the server listens")
    yield process, address
    if process.poll() is None:
        assert cli.end(process, seconds=30) == 0, cli.output_of(process)
