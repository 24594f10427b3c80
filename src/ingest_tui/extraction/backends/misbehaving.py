"""A parser that misbehaves on command, for the tests of the sandbox. Reached only by `ParserPool(test_backend=True)`.

A file that begins with ``misbehave:`` and an order is not parsed but obeyed; every other file is parsed as usual.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from ingest_tui.extraction import parse
from ingest_tui.model.extraction import Extraction

_PREFIX = b"misbehave:"


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


def _segfault(_argument: str, _tick: Tick) -> None:
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


def _fork(argument: str, _tick: Tick) -> None:
    """Leave a grandchild behind, write its process number to the given file, and hang."""
    grandchild = subprocess.Popen(["/bin/sleep", "300"])
    with open(argument, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(f"{os.getpid()} {grandchild.pid}")
    _hang("", _tick)


def _raise(_argument: str, _tick: Tick) -> None:
    raise SystemExit(3)


def _connect(_argument: str, _tick: Tick) -> None:
    import socket

    socket.create_connection(("127.0.0.1", int(_argument)), timeout=2).close()


def _environment(argument: str, _tick: Tick) -> None:
    if any(name.startswith(argument) for name in os.environ):
        raise ValueError("it could see the environment")


_LEAK: list[bytes] = []
_ORDERS: dict[str, Callable[[str, Tick], None]] = {
    "hang": _hang,
    "crawl": _crawl,
    "sleep": _sleep,
    "segfault": _segfault,
    "leave": _leave,
    "eat": _eat,
    "grow": _grow,
    "print": _print,
    "read-input": _read_input,
    "fork": _fork,
    "raise": _raise,
    "connect": _connect,
    "environment": _environment,
}
