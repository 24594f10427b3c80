"""The way into a parser process: what it may not use is shut before any library of a parser is loaded.

Imports next to nothing, because the process forks here: where the system allows it, the parser becomes the first
process of a process namespace, so that the kernel ends whatever it has started the moment the parser itself ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
from typing import Any

from ingest_tui.extraction.pool.privileges import drop_capabilities, needs_rights_of_root

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000
PEAK_OFFSET = 32
"""Where in the page of progress the process around a parser leaves the peak of its memory, in bytes."""


def enter(config: dict[str, Any]) -> None:
    """Lock this process down, then serve tasks until the input ends. ``config`` is the first line from the parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Asked before: in a namespace of users, root's rights on the files of others are gone.
    is_guest = needs_rights_of_root(libc, _folders(config))
    network_isolated, children_contained = _leave_namespaces(libc, 0 if is_guest else _CLONE_NEWUSER, config)
    # After the namespaces: changing credentials clears the death signal (see prctl(2)).
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != config["parent_pid"]:
        os._exit(1)  # the parent died before the death signal was set
    _set_limits(config)
    if children_contained:
        _become_first_process(libc, config["progress_fd"])
    unprivileged = drop_capabilities(libc, keeps_rights_on_files=is_guest)
    walls = _raise_walls(libc, config)
    from ingest_tui.extraction.pool.child import main

    main(
        config,
        {
            "network_isolated": network_isolated,
            "children_contained": children_contained,
            "pid": int(os.readlink("/proc/self")),  # noqa: PTH115 as the parent sees it: getpid() is 1 by now
            "unprivileged": unprivileged,
            **walls,
        },
    )


def _raise_walls(libc: ctypes.CDLL, config: dict[str, Any]) -> dict[str, Any]:
    """Shut this process in before any library of a parser is loaded; returns which walls hold."""
    if config["confinement"] is None:
        return {"landlock": 0, "seccomp": False}
    from ingest_tui.extraction.pool.walls import raise_walls

    os.environ["TMPDIR"] = config["confinement"]["scratch"]
    return raise_walls(libc, config["confinement"])


def _folders(config: dict[str, Any]) -> list[str]:
    """Return what it must be able to enter: its code, its input and where it writes."""
    own = config["confinement"]
    paths = (*own["readable"], own["scratch"]) if own else config["path"]
    return [path for path in paths if os.path.isdir(path)]  # noqa: PTH112


def _leave_namespaces(libc: ctypes.CDLL, users: int, config: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether the network is out of reach and whether children can be contained; some systems allow neither.

    ``users`` is the flag of a namespace of users, which lets anybody make the others.
    """
    if not config["namespaces"]:
        return False, False
    if libc.unshare(users | _CLONE_NEWNET | _CLONE_NEWPID) == 0:
        return True, True
    return libc.unshare(users | _CLONE_NEWNET) == 0, False


def _set_limits(config: dict[str, Any]) -> None:
    for name, value in (
        (resource.RLIMIT_AS, config["memory_bytes"]),
        (resource.RLIMIT_FSIZE, config["file_size_bytes"]),
        (resource.RLIMIT_NOFILE, config["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(name)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (limit, limit))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a file is an error of that file, not of the process


def _become_first_process(libc: ctypes.CDLL, progress_fd: int) -> None:
    """Return in a child, the first process of its namespace; this process only waits for it and ends as it did.

    It leaves the child's peak of memory in the shared page. The mark of this process itself would not do: it begins
    with that of the program which started it.
    """
    pulse, heart = os.pipe()
    child = os.fork()
    if child:
        low, high = sorted((heart, progress_fd))
        os.closerange(0, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        _, status, usage = os.wait4(child, 0)
        os.pwrite(progress_fd, (usage.ru_maxrss * 1024).to_bytes(8, "little"), PEAK_OFFSET)
        if os.WIFSIGNALED(status):
            os.kill(os.getpid(), os.WTERMSIG(status))
        os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)
    os.close(heart)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # programs that collect cores are not bound by the limit on their size
    if select.select([pulse], [], [], 0)[0]:
        os._exit(1)  # the waiting process died before the death signal was set
    os.close(pulse)
