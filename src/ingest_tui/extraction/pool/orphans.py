"""What parsers have started and left behind, where the system does not let the kernel see to it.

Every parser carries a mark in its environment, and whatever it starts inherits that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator

MARK = "INGEST_TUI_PARSER"
_ROUNDS = 3


def new_mark() -> str:
    """Return a mark that names this process as the owner and occurs once."""
    return f"{os.getpid()}.{_start_of(os.getpid())}.{uuid.uuid4().hex}"


def kill_marked(mark: str) -> None:
    """Kill every process that carries a mark; again, while there are some, for one may fork while another is killed."""
    for _ in range(_ROUNDS):
        pids = [pid for pid, found in _marked_processes() if found == mark]
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            return


def kill_orphans() -> None:
    """Kill every marked process whose owner has died."""
    for mark in {mark for _, mark in _marked_processes()}:
        if not owner_lives(mark):
            kill_marked(mark)


def owner_lives(mark: str) -> bool:
    """Tell whether the process that made a mark is still there; True for what is no mark, which nobody may judge."""
    owner, _, rest = mark.partition(".")
    return not owner.isdigit() or _start_of(int(owner)) == rest.partition(".")[0]


def _marked_processes() -> Iterator[tuple[int, str]]:
    wanted = f"{MARK}=".encode()
    for name in os.listdir("/proc"):  # noqa: PTH208 names are enough
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123 one for each process of the machine
                environment = file.read()
        except OSError:  # gone, or somebody else's
            continue
        if wanted in environment:
            mark = next((one for one in environment.split(b"\0") if one.startswith(wanted)), b"")[len(wanted) :]
            if mark.count(b".") == 2 and mark.partition(b".")[0].isdigit():  # noqa: PLR2004 the form of `new_mark`
                yield int(name), mark.decode("ascii", "replace")


def _start_of(pid: int) -> str:
    """Return when a process was started, in ticks since the machine was; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
