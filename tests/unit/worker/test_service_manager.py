"""What a worker tells systemd, over a real socket; and what signals ask of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.worker.service_manager import ServiceManager, watchdog_seconds
from tests.waiting import wait_until


class Manager:
    """The other end: what was received so far, one dictionary for each datagram."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(20)

    def receive(self) -> dict[str, str]:
        """Wait for the next message."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    short = Path("/tmp") / f"notify-{os.getpid()}.socket"  # the kernel takes 108 bytes at most
    address = str(short) if request.param == "path" else f"@ingest-tui-test-{os.getpid()}"
    with contextlib.closing(Manager(address)) as listening:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listening
    short.unlink(missing_ok=True)


@pytest.mark.usefixtures("manager")
def test_children_do_not_report_in_the_name_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the service manager are gone from the environment once the worker has them."""
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    ServiceManager.of().close()
    assert {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(os.environ) == set()


def test_messages_follow_the_protocol(manager: Manager) -> None:
    """READY, STATUS, RELOADING with its time, STOPPING; a status that has not changed is not sent again."""
    told = ServiceManager.of()
    told.ready("2 jobs running")
    assert manager.receive() == {"READY": "1", "STATUS": "2 jobs running"}
    told.show("2 jobs running")
    told.show("1 job\nrunning")
    assert manager.receive() == {"STATUS": "1 job running"}, "one line, and only what is new"
    told.reloading()
    reloading = manager.receive()
    assert reloading["RELOADING"] == "1"
    assert int(reloading["MONOTONIC_USEC"]) > 0
    told.stopping()
    assert manager.receive()["STOPPING"] == "1"


def test_watchdog_is_answered_only_while_the_main_loop_turns(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats come by themselves, twice in each interval; they end when the main loop does not go on."""
    monkeypatch.setenv("WATCHDOG_USEC", "50000")
    told = ServiceManager.of()
    assert manager.receive() == {"WATCHDOG": "1"}
    monkeypatch.setattr("ingest_tui.worker.service_manager._LONGEST_TURN_SECONDS", -1.0)
    told.ready("now")
    while manager.receive() == {"WATCHDOG": "1"}:
        pass  # beats that were under way
    told.show("nothing comes in between")
    assert manager.receive() == {"STATUS": "nothing comes in between"}
    told.close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_watchdog_interval_is_that_of_this_process(environment: dict[str, str], seconds: float) -> None:
    """The interval counts for the process that it names, or for any."""
    assert watchdog_seconds(environment, 7) == seconds


@pytest.mark.parametrize("address", ["", "/nowhere/notify.socket", "vsock:2:1234"])
def test_no_manager_is_no_trouble(address: str) -> None:
    """Without a manager, or with one that does not answer, nothing is sent and nothing is raised."""
    told = ServiceManager.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"})
    told.ready("fine")
    told.stopping()
    told.close()


_LISTEN = """
import fcntl, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have it ignored
if sys.argv[1:]:
    fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
from ingest_tui.worker.signals import WorkerSignals
signals = WorkerSignals()
signals.listen()
print("ready", flush=True)
while not (signals.stop.wait(0.02) or signals.reload.is_set()):
    pass
print("stop" if signals.stop.is_set() else "reload", flush=True)
"""


def _listening(terminal: int | None) -> subprocess.Popen[str]:
    passed = () if terminal is None else (terminal,)
    process = subprocess.Popen(
        [sys.executable, "-c", _LISTEN, *map(str, passed)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=passed,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(
    ("number", "answer"), [(signal.SIGHUP, "reload"), (signal.SIGTERM, "stop"), (signal.SIGINT, "stop")]
)
def test_a_service_reloads_on_hangup(number: int, answer: str) -> None:
    """Without a terminal SIGHUP asks to read settings again; SIGTERM and SIGINT end."""
    process = _listening(None)
    process.send_signal(number)
    assert process.communicate(timeout=20)[0] == f"{answer}\n"


def test_a_terminal_that_hangs_up_ends_the_worker() -> None:
    """Closing the terminal that a worker runs in ends it, as it always did."""
    keyboard, terminal = os.openpty()
    process = _listening(terminal)
    os.close(terminal)
    os.close(keyboard)
    assert process.communicate(timeout=20)[0] == "stop\n"


def test_other_threads_have_no_handlers() -> None:
    """Outside of the main thread nothing is changed about signals."""
    from ingest_tui.worker.signals import WorkerSignals

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=WorkerSignals().listen)
    thread.start()
    thread.join()
    wait_until(lambda: not thread.is_alive())
    assert signal.getsignal(signal.SIGTERM) is before
