"""Workers as a service manager runs them: what they tell it, how they reload, and who stands by."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def watching(cli: Cli) -> dict[int, str]:
    """Return what each living worker does, by its process."""
    return {item["pid"]: item["mode"] for item in cli.run("worker", "status", "--json").json}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])
def test_a_second_worker_stands_by_and_takes_over(cli: Cli, number: int) -> None:
    """Of two `--watch` one works and one waits; when the first ends, however, the second works within seconds."""
    cli.init("--watch", rescan_seconds=1.0, stable_seconds=0.1)
    first = cli.start("--watch")
    wait_until(lambda: watching(cli) == {first.pid: "watch"})
    second = cli.start("--watch")
    wait_until(lambda: watching(cli) == {first.pid: "watch", second.pid: "standby"})
    assert "standby" in cli.run("worker", "status").out
    cli.end(first, number)
    wait_until(lambda: watching(cli) == {second.pid: "watch"}, seconds=10, what="the second takes over")
    cli.write("a.txt", "taken in by the second")
    wait_until(lambda: cli.found("second") == {"a.txt"}, what="the second watches")
    assert cli.end(second) == 0
    told = cli.output_of(second)
    assert "standing by: another worker watches" in told
    assert "taking over" in told
    assert "problem" not in cli.run("doctor", code=None).out


def test_stopping_all_workers_has_none_take_over(cli: Cli) -> None:
    """`worker stop` ends who stands by first, so that nobody takes over for a moment."""
    cli.init()
    first = cli.start("--watch")
    wait_until(lambda: watching(cli) == {first.pid: "watch"})
    second = cli.start("--watch")
    wait_until(lambda: watching(cli) == {first.pid: "watch", second.pid: "standby"})
    assert cli.run("worker", "stop", "--json").json == {"stopped": 2, "remaining": []}
    assert [first.wait(10), second.wait(10)] == [0, 0]
    assert "taking over" not in cli.output_of(second)


def test_a_worker_whose_workspace_is_gone_does_not_stand_by_for_ever(cli: Cli) -> None:
    """Who stands by ends with 1 when the workspace is moved away."""
    cli.init()
    first = cli.start("--watch")
    wait_until(lambda: watching(cli) == {first.pid: "watch"})
    second = cli.start("--watch")
    wait_until(lambda: "standby" in watching(cli).values())
    cli.workspace.rename(cli.home / "moved")
    assert [first.wait(20), second.wait(20)] == [1, 1]


def test_hangup_reads_settings_again(cli: Cli) -> None:
    """After SIGHUP new settings hold; a bad file, source or credential is reported, and the worker goes on."""
    cli.init("--watch", rescan_seconds=3600.0, stable_seconds=3600.0)
    cli.write("a.txt", "alpha")
    pid = cli.run("worker", "start", "--json").json["pid"]
    log = cli.workspace / "worker.log"

    def reloads() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        return [line for line in lines if "read" in line["message"]]

    settings = (cli.workspace / "workspace.json").read_text()
    (cli.workspace / "workspace.json").write_text("{")
    (cli.home / "credentials.json").write_text("no JSON")
    os.kill(pid, signal.SIGHUP)
    wait_until(lambda: len(reloads()) == 3, what="both files are named")
    *problems, end = reloads()
    assert [problem["level"] for problem in problems] == ["error", "error"]
    assert "workspace.json" in str(problems[0]["error"])
    assert "settings of before" in str(problems[0]["error"])
    assert "credentials" in str(problems[1]["error"])
    assert end["problems"] == 2
    (cli.home / "credentials.json").unlink()
    (cli.workspace / "workspace.json").write_text(settings)
    cli.change_settings(rescan_seconds=0.5, stable_seconds=0.0)
    os.kill(pid, signal.SIGHUP)
    wait_until(lambda: len(reloads()) == 4)
    assert reloads()[-1]["problems"] == 0
    wait_until(lambda: cli.found("alpha") == {"a.txt"}, what="files are taken at once by the new settings")
    cli.run("worker", "stop")


def test_a_running_worker_talks_to_its_service_manager(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> None:
    """READY, then what it does, RELOADING and READY at SIGHUP, WATCHDOG in between, STOPPING at the end."""
    cli.init()
    address = f"@ingest-tui-cli-{os.getpid()}"
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(f"\0{address[1:]}")
        manager.settimeout(20)
        told: list[str] = []

        def hear(what: str) -> bool:
            while not any(line.startswith(what) for line in told):
                told.extend(manager.recv(4096).decode().splitlines())
            return True

        with (tmp_path_factory.mktemp("log") / "out").open("wb") as log:
            worker = subprocess.Popen(
                cli.command("--watch"),
                env=cli.environment | {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"},
                start_new_session=True,
                stdout=log,
                stderr=log,
            )
        try:
            assert hear("READY=1")
            assert hear("STATUS=0 jobs running")
            assert hear("WATCHDOG=1")
            told.clear()
            worker.send_signal(signal.SIGHUP)
            assert hear("RELOADING=1")
            assert hear("READY=1")
            worker.send_signal(signal.SIGTERM)
            assert hear("STOPPING=1")
            assert worker.wait(20) == 0
        finally:
            worker.kill()
            worker.wait(10)
    assert not Path(address).exists()
