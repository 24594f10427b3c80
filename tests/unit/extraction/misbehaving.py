"""A parser that misbehaves on command, for the tests of the sandbox. Given to a pool as its parser.

A file that begins with ``misbehave:`` and an order is not parsed but obeyed; every other file is parsed as usual.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest_tui.extraction import parse
from ingest_tui.model.extraction import Extraction

MISBEHAVING = f"{__name__}:extract"
"""How a `ParserPool` is told of this parser."""
_PREFIX = b"misbehave:"
_PR_GET_DUMPABLE = 3


def extract(content: bytes, **options: Any) -> Extraction:
    """Obey the order in ``content``, then parse it as `parse.extract` does, if the order leaves anybody to do so."""
    if content.startswith(_PREFIX):
        order, _, argument = content[len(_PREFIX) :].split(b"\n", 1)[0].decode().strip().partition(" ")
        _ORDERS[order](argument, options["tick"])
    return parse.extract(content, **options)


Tick = Callable[[], None]


def _hang(_argument: str, _tick: Tick) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def _crawl(argument: str, tick: Tick) -> None:
    """Make progress for ever, or for the given number of seconds."""
    end = time.monotonic() + float(argument or "inf")
    while time.monotonic() < end:
        time.sleep(0.02)
        tick()


def _sleep(argument: str, _tick: Tick) -> None:
    time.sleep(float(argument))


def _burn(argument: str, tick: Tick) -> None:
    """Use the processor for the given number of seconds of its time, with progress."""
    while time.process_time() < float(argument):
        sum(range(10_000))
        tick()


def _leave_a_mark(_argument: str, _tick: Tick) -> None:
    """Change the state of the process, as a library with global state does."""
    _LEAK.append(b"mark")


def _stumble(argument: str, tick: Tick) -> None:
    """Do what the argument orders, but only where an earlier file has left a mark."""
    if b"mark" in _LEAK:
        _ORDERS[argument]("", tick)


def _run_out_of_memory(_argument: str, _tick: Tick) -> None:
    raise MemoryError


def _segfault(_argument: str, _tick: Tick) -> None:
    ctypes.string_at(0)


def _grow_and_segfault(argument: str, tick: Tick) -> None:
    """End as a native library does that gets no memory after the given number of megabytes."""
    _grow(argument, tick)
    ctypes.string_at(0)


def _leave(argument: str, _tick: Tick) -> None:
    os._exit(int(argument or 0))


def _eat(_argument: str, _tick: Tick) -> None:
    eaten = []
    while True:
        eaten.append(bytearray(64 * 1024**2))


def _grow(argument: str, _tick: Tick) -> None:
    """Leak the given number of megabytes."""
    _LEAK.append(b"x" * (int(argument) * 1024**2))


def _print(_argument: str, _tick: Tick) -> None:
    sys.stdout.write('{"seq": 1, "result": {}}\n' * 1000)
    sys.stdout.flush()
    os.write(1, b"not json\n" * 1000)
    os.write(2, b"noise\n" * 50_000)


def _read_input(_argument: str, _tick: Tick) -> None:
    if sys.stdin.read(1) or os.read(0, 1):
        raise ValueError("it could read what was not meant for it")


# Says its number as it is seen from outside, then does nothing for long. /bin/sh becomes the sleep.
_SLEEPER = "read -r number rest </proc/self/stat; echo $number >>$0; exec /bin/sleep 300"


def _fork(argument: str, _tick: Tick) -> None:
    """Leave two grandchildren behind, one of them in a session of its own, write all their numbers to a file; hang."""
    with open(argument, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(f"{os.readlink('/proc/self')}\n")  # noqa: PTH115
    for has_own_session in (False, True):
        command = ["/bin/sh", "-c", _SLEEPER, argument]
        subprocess.Popen(command, start_new_session=has_own_session)
    _hang("", _tick)


def _raise(_argument: str, _tick: Tick) -> None:
    raise SystemExit(3)


def _connect(_argument: str, _tick: Tick) -> None:
    import socket

    socket.create_connection(("127.0.0.1", int(_argument)), timeout=2).close()


def _report(argument: str, _tick: Tick) -> None:
    """Write to the given file what this process is allowed and how it stands among others."""
    names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
    told = {
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in names},
        "environment": dict(os.environ),
        "pid": int(os.readlink("/proc/self")),  # noqa: PTH115
        "group": os.getpgrp(),
        "descriptors": [_name_of_descriptor(name) for name in os.listdir("/proc/self/fd")],  # noqa: PTH208
        "may_dump_core": ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 1,
    }
    Path(argument).write_text(json.dumps(told), encoding="ascii")


def _name_of_descriptor(number: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}").partition(":")[0]  # noqa: PTH115
    except OSError:  # that of the listing itself
        return ""


def _write_file(argument: str, _tick: Tick) -> None:
    """Write to the given file without end."""
    with Path(argument).open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024**2)


def _open_files(_argument: str, _tick: Tick) -> None:
    """Open files without end and close none."""
    while True:
        os.open("/dev/null", os.O_RDONLY)


def _leak_files(argument: str, _tick: Tick) -> None:
    """Leave the given number of files open."""
    for _ in range(int(argument)):
        os.open("/dev/null", os.O_RDONLY)


def _forge(argument: str, _tick: Tick) -> None:
    """Write what looks like a result, or is none, wherever something can be written."""
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(descriptor, argument.encode() + b"\n")


def _flood(_argument: str, _tick: Tick) -> None:
    """Write without end and without a line feed wherever something can be written."""
    while True:
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"x" * 65_536)


def _environment(argument: str, _tick: Tick) -> None:
    if any(name.startswith(argument) for name in os.environ):
        raise ValueError("it could see the environment")


def _escape(argument: str, _tick: Tick) -> None:
    """Reach for what no parser may have, as ``way target``; whoever succeeds has escaped."""
    from tests.unit.extraction.ways_out import WAYS_OUT

    way, _, target = argument.partition(" ")
    try:
        WAYS_OUT[way](target)
    except OSError:
        return
    raise ValueError(f"escaped: {way}")


_LEAK: list[bytes] = []
_ORDERS: dict[str, Callable[[str, Tick], None]] = {
    "hang": _hang,
    "crawl": _crawl,
    "sleep": _sleep,
    "burn": _burn,
    "leave-a-mark": _leave_a_mark,
    "stumble": _stumble,
    "run-out-of-memory": _run_out_of_memory,
    "segfault": _segfault,
    "grow-and-segfault": _grow_and_segfault,
    "leave": _leave,
    "eat": _eat,
    "grow": _grow,
    "print": _print,
    "read-input": _read_input,
    "fork": _fork,
    "raise": _raise,
    "connect": _connect,
    "environment": _environment,
    "escape": _escape,
    "report": _report,
    "write-file": _write_file,
    "open-files": _open_files,
    "leak-files": _leak_files,
    "forge": _forge,
    "flood": _flood,
}
