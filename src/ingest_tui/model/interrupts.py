"""Whether a KeyboardInterrupt is a person's Ctrl-C, or only what the code of others raised."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class _CtrlC:
    """The handler of SIGINT while a command runs: as Python's own, but it remembers that it was called."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> NoReturn:
        self.came = True
        signal.default_int_handler(number, frame)


@contextmanager
def noting_ctrl_c() -> Iterator[None]:
    """Remember within the context whether SIGINT came: then a KeyboardInterrupt without it is not a person's.

    Nothing is changed outside of the main thread, or where somebody else handles the signal.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _CtrlC())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_ctrl_c(error: BaseException) -> bool:
    """Whether what came out of the code of others can be a real Ctrl-C, which has to end the program.

    Python raises that in the main thread only, and never while the signal is ignored, as it is in parser processes.
    Where `noting_ctrl_c` is not in force, as in a script of somebody else, any of the main thread may be one.
    """
    if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    handler = signal.getsignal(signal.SIGINT)
    return handler.came if isinstance(handler, _CtrlC) else handler is not signal.SIG_IGN
