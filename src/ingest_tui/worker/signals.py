"""What signals ask of a worker: to end, or to read its settings again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


class WorkerSignals:
    """SIGTERM and SIGINT ask to end. SIGHUP asks to read settings again, but where a terminal may hang up, to end.

    ``stop`` and ``reload`` are set when they are asked for. Handlers are set in the main thread only; elsewhere, as in
    tests, the events are set by whoever has them.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.reload = threading.Event()

    def listen(self) -> None:
        """Set the handlers. A SIGHUP that was ignored for us (nohup) stays so where there is a terminal."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _setting(self.stop))
        if not has_terminal():
            signal.signal(signal.SIGHUP, _setting(self.reload))
        elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, _setting(self.stop))


def _setting(event: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handler(_number: int, _frame: FrameType | None) -> None:
        event.set()

    return handler


def has_terminal() -> bool:
    """Whether a terminal controls this process and may hang up, tty(4)."""
    try:
        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    os.close(descriptor)
    return True
