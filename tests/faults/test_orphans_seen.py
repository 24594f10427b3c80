"""What the trials of system calls take for a process that was left behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.syscall_trial import inheriting_orphans, orphans_after


@contextmanager
def sleeping() -> Iterator[None]:
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield
        finally:
            process.kill()


def test_only_what_was_not_there_before_is_an_orphan() -> None:
    """The server of other tests, which lives on, is none."""
    with sleeping(), inheriting_orphans():
        assert orphans_after(0) == []
        with sleeping():
            assert [one.strip() for one in orphans_after(0)] == ["sleep 600"]
        assert orphans_after(10) == []
