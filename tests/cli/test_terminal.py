"""What a person sees on a terminal: progress while a job runs, colours, questions."""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest

from tests.cli.running import Cli


def on_a_terminal(cli: Cli, *arguments: str) -> tuple[int, str]:
    """Run a call on a terminal of 100 columns; returns its exit code and all that reached the screen."""
    leader, follower = pty.openpty()
    os.set_blocking(leader, True)
    environment = cli.environment | {"COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        cli.command(*arguments), cwd=cli.home, env=environment, stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    pieces = []
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(leader)
    return process.wait(30), b"".join(pieces).decode()


@pytest.mark.slow
def test_a_sync_on_a_terminal_shows_a_bar_for_each_phase(cli: Cli) -> None:
    """Listing, fetching, extracting and committing each have a bar with how much is done of how much."""
    for number in range(30):
        cli.write(f"{number}.txt", f"text {number}")
    cli.init()
    code, screen = on_a_terminal(cli, "sync", "docs")
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen)
    for phase in ("list", "fetch", "extract", "commit"):
        assert re.search(rf"{phase} +\S+ +30/30", plain), plain
    assert "docs: succeeded · 30 listed: 30 ingested" in plain
    assert "Traceback" not in plain


@pytest.mark.slow
def test_names_cannot_act_on_a_terminal_either(cli: Cli) -> None:
    """On a terminal, too, a name's escape sequences arrive written out; only our own colours pass."""
    cli.write(b"\x1b]0;owned\x07\x1b[2J [bold]x[/] .txt", "payload words")
    cli.init()
    cli.sync()
    for arguments in (("doc", "list"), ("job", "items", "last"), ("search", "payload"), ("plan", "docs", "--all")):
        code, screen = on_a_terminal(cli, *arguments)
        assert code == 0
        assert "\x07" not in screen
        assert "\x1b]0;" not in screen
        assert "\x1b[2J" not in screen
        assert re.fullmatch(r"(?:[^\x1b]|\x1b\[[0-9;]*m)*", screen), "only colours and styles"
    assert "[bold]x[/]" in re.sub(r"\x1b\[[0-9;]*m|\s", "", on_a_terminal(cli, "job", "items", "last")[1])
