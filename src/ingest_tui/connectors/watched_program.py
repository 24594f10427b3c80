"""Programs that end with this process, also when it is killed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence

# The reader ends with the last writer of its pipe, which is this process, however it ends; it then ends its group.
_WATCHED = """exec 3<&0 </dev/null
(read -r _; [ -z "$0" ] || rm -rf -- "$0"; kill -KILL 0) <&3 >/dev/null 2>&1 3<&- &
exec "$@" 3<&-"""
LOWEST_DESCRIPTOR = 10
"""Descriptors that a program inherits are not below: the shell that starts it uses those."""


def start_watched(
    command: Sequence[str | bytes],
    environment: Mapping[str, str],
    *,
    folder: str,
    removed: str = "",
    inherited: Iterable[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a group of its own that ends with this process; ``removed`` is a folder that goes then, too.

    Raises OSError and ValueError as `subprocess.Popen`. Its input, which is not the program's, must be closed in the
    end, also when the program has ended by itself: until then a process of its group is left.
    """
    lifeline, held = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - callers see to what they start
            ["/bin/sh", "-c", _WATCHED, removed, *command],
            stdin=lifeline,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            pass_fds=tuple(inherited),
            start_new_session=True,  # Ctrl-C is for the job to answer; a group of its own can be ended whole
        )
    except BaseException:
        os.close(held)
        raise
    finally:
        os.close(lifeline)
    process.stdin = os.fdopen(held, "wb", buffering=0)
    return process
