"""Calls that ask: a terminal of their own, on which somebody types."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import subprocess
import termios
import time
from collections.abc import Sequence

from tests.cli.running import Cli
from tests.waiting import wait_until


def talk(cli: Cli, answers: Sequence[tuple[str, str]], *arguments: str) -> tuple[int, str]:
    """Run a call on a terminal of its own and type each answer once its question is there, unseen ones without echo.

    An answer to a question that ends in ``not shown`` waits until the terminal has stopped echoing.
    """
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        cli.command(*arguments), cwd=cli.home, env=cli.environment, stdin=follower, stdout=follower, stderr=follower,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )  # fmt: skip
    os.close(follower)
    os.set_blocking(leader, False)
    screen = ""
    decoder = codecs.getincrementaldecoder("utf-8")()

    def read() -> str:
        nonlocal screen
        try:
            screen += decoder.decode(os.read(leader, 65_536))  # a read may end in the middle of a character
        except (BlockingIOError, OSError):
            time.sleep(0.01)
        return screen

    position = 0
    for question, answer in answers:
        wait_until(lambda at=position, text=question: text in read()[at:], what=question)  # type: ignore[misc]
        position = screen.index(question, position) + len(question)
        if question.endswith("not shown"):
            wait_until(lambda: not termios.tcgetattr(leader)[3] & termios.ECHO, what="echo is off")
        os.write(leader, answer.encode() + b"\n")
    wait_until(lambda: [read(), process.poll()][1] is not None, what="the end of the call")
    read()
    os.close(leader)
    return process.returncode, screen
