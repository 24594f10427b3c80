"""What a further Ctrl-C does while the program is ending."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ingest_tui.__main__ import _INTERRUPTED
from ingest_tui.cli.diagnostics import EXIT_INTERRUPTED

WHILE_IT_WAITS_FOR_A_THREAD = """
import os, signal, threading, time
import ingest_tui.cli.main
from ingest_tui.__main__ import main

def interrupt():
    while threading.main_thread().is_alive():  # until the interpreter waits for this thread alone
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)

def run(**_options):
    threading.Thread(target=interrupt).start()
    return 130

ingest_tui.cli.main.run = run
main()
"""
WHILE_THE_FIRST_IS_REPORTED = """
import ingest_tui.cli.main
from ingest_tui.__main__ import main

def run(**_options):
    raise KeyboardInterrupt

ingest_tui.cli.main.run = run
main()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [(WHILE_IT_WAITS_FOR_A_THREAD, -signal.SIGINT), (WHILE_THE_FIRST_IS_REPORTED, EXIT_INTERRUPTED)],
    ids=["threads", "report"],
)
def test_a_further_ctrl_c_shows_no_traceback(program: str, code: int) -> None:
    """The process ends at once, as one that was interrupted, and prints nothing more."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")


def test_the_exit_code_is_that_of_the_commands() -> None:
    """It is written down twice, since a program that is starting loads no more than it needs."""
    assert _INTERRUPTED == EXIT_INTERRUPTED
