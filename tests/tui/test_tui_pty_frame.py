"""Real processes under pseudo-terminals: clipboard, editor, themes and ``--read-only`` as a terminal sees them."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

import ingest_tui
from ingest_tui.store.workspace import open_workspace_at
from tests.tui.pty_app import PtyApp, foreign_controls
from tests.tui.stories import HOSTILE_NAMES, add_job

pytestmark = pytest.mark.slow

JOB = "20261121-000001-docs-aaaa"
_COLOURS = {b"38", b"48", *(str(code).encode() for code in (*range(30, 38), *range(40, 48), *range(90, 108)))}
_OPTIONS = (
    "import sys, pathlib, json; from ingest_tui.tui.app import run_tui; "
    "sys.exit(run_tui(pathlib.Path(sys.argv[1]), **json.loads({options!r})))"
)


@pytest.fixture(autouse=True)
def package_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes find the package as the tests do."""
    monkeypatch.setenv("PYTHONPATH", str(Path(ingest_tui.__file__).parents[1]))


def colours_of(output: bytes) -> set[bytes]:
    """Return the colour codes in a stream to a terminal."""
    return {code for codes in re.findall(rb"\x1b\[([0-9;]*)m", output) for code in codes.split(b";")} & _COLOURS


@pytest.mark.parametrize("tmux", ["", "/tmp/tmux-0/default,1,0"])
def test_a_copy_reaches_the_terminal_and_passes_through_tmux(root: Path, tmux: str) -> None:
    """OSC 52 with the id of the job; inside tmux it is sent wrapped as well, with its escapes doubled."""
    add_job(root, JOB)
    app = PtyApp(root, environment={"TMUX": tmux} if tmux else {})
    try:
        app.read_until(b"succeeded")
        app.send(b"y")
        app.read_until(b"command")
        app.send(b"\r")
        app.read_until(b"sent to the terminal")
    finally:
        app.close()
    plain = b"\x1b]52;c;" + base64.b64encode(JOB.encode()) + b"\x07"
    wrapped = b"\x1bPtmux;" + plain.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
    assert plain in app.output
    assert (wrapped in app.output) == bool(tmux)


def test_a_command_that_comes_in_one_bunch_is_taken_whole(root: Path) -> None:
    """On a slow link all keys arrive together: none acts on the list, and Tab completes what stood before it."""
    for number, state in enumerate(("failed", "succeeded", "queued")):
        add_job(root, f"20261121-00000{number}-docs-aaa{number}", state)
    app = PtyApp(root)
    try:
        app.read_until(b"queued")
        app.read(1.0)
        app.send(b":jo\tfailed aaa\r")
        app.read_until(b"there is no command")
        app.read(1.0)
        app.send(b"\x1b")
        app.read(3.0)  # with a key right behind it an Esc is another key, and no output says that it was taken
        app.send(b":jobs fail\t\r")
        app.read_until(b"/failed")
        app.read_until(b"1 of 3 jobs")
        app.send(b":q\r")
        assert app.wait(6) == 0
    finally:
        app.close()


def test_an_editor_gets_the_terminal_and_gives_it_back(root: Path, tmp_path: Path) -> None:
    """The alternate screen is left while the editor runs; then keys work again, and a lost terminal is noticed."""
    add_job(root, JOB)
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\necho EDITING; read line; cp "$1" "$COPY"\n')
    script.chmod(0o700)
    app = PtyApp(root, environment={"VISUAL": str(script), "COPY": str(tmp_path / "copy.json")}, ignore_hangup=True)
    try:
        app.read_until(b"succeeded")
        app.read(0.5)
        app.output = b""
        app.send(b"e")
        app.read_until(b"EDITING")
        assert b"\x1b[?1049l" in app.output
        app.output = b""
        app.send(b"done\n")
        app.read_until(b"\x1b[?1049h")
        app.read_until(b"succeeded")
        assert json.loads((tmp_path / "copy.json").read_text())["job_id"] == JOB
        app.send(b"2")
        app.read_until(b"No sources yet")
        app.hang_up()
        assert app.wait(6) is not None
    finally:
        app.close()


@pytest.mark.parametrize("options", ['{"theme": "none"}', '{"slow_link": true, "theme": "none"}'])
def test_the_theme_without_colour_sends_none(root: Path, options: str) -> None:
    """``--theme none`` is NO_COLOR by another name: no colour code, also not of the terminal's own sixteen."""
    add_job(root, JOB, "failed")
    app = PtyApp(root, script=_OPTIONS.format(options=options))
    try:
        app.read_until(b"failed")
        app.send(b"5")
        app.read_until(b"No lines yet")
    finally:
        app.close()
    assert colours_of(app.output) == set()


def test_a_theme_that_is_asked_for_goes_before_no_color(root: Path) -> None:
    """NO_COLOR is what holds when nobody says otherwise."""
    add_job(root, JOB, "failed")
    app = PtyApp(root, script=_OPTIONS.format(options='{"theme": "ansi"}'), environment={"NO_COLOR": "1"})
    try:
        app.read_until(b"failed")
        app.read(0.3)
    finally:
        app.close()
    assert colours_of(app.output)


def test_read_only_leaves_every_file_as_it_was(root: Path) -> None:
    """No key changes anything in the workspace, not even what the views remember."""
    add_job(root, JOB, "queued")
    (root / "queue" / JOB).touch()

    def state() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith("catalogue.db")
        }

    before = state()
    app = PtyApp(root, script=_OPTIONS.format(options='{"read_only": true}'))
    try:
        app.read_until(b"read-only")
        for keys in ("D", "p", "w", "x", "\x1b", "a", "R", "2", "a", "s", "E", "7", "X", "\x1b", ":theme light\r", "1"):
            app.send(keys.encode())
            app.read(0.2)
        assert b"not done" in app.output
        for _ in range(3):  # whatever was opened is closed, also where an Esc came too late to be one of its own
            app.send(b"\x1b")
            app.read(0.4)
        app.send(b"q")
        assert app.wait(6) == 0
    finally:
        app.close()
    assert state() == before


def test_hostile_logs_and_audits_send_only_textuals_own_sequences(root: Path) -> None:
    """Walking through Logs and Audit with hostile lines, no byte of the data acts on the terminal."""
    add_job(root, JOB)
    clean = [name.encode("utf-8", "replace").decode() for name in HOSTILE_NAMES]
    lines = [json.dumps({"at": "", "level": "error", "message": name, "job": JOB, "odd": name}) for name in clean]
    (root / "jobs" / JOB / "log.jsonl").write_text("\n".join(lines) + "\n")
    (root / "worker.log").write_bytes(b"\x1b]52;c;aGk=\x07 \x9b31m \xff\n" + "\n".join(clean).encode() + b"\n")
    workspace = open_workspace_at(root)
    for name in clean:
        workspace.audit.add(at="2026-11-21T11:00:00.000Z", by=name, action="x", target=name, outcome=name, note=name)
    workspace.close()
    app = PtyApp(root, size=(160, 40))
    try:
        app.read_until(b"succeeded")
        for keys in (
            "5",
            "kkkk",
            "g",
            "v",
            "t",
            "y",
            "\x1b",
            "7",
            "jjjj",
            "\r",
            "\x1b",
            "y",
            "\x1b",
            "[",
            "]",
            ":\x1b",
        ):
            app.send(keys.encode())
            app.read(0.25)
        app.send(b"\x1b")
        app.read(0.3)
        app.send(b"q")
        assert app.wait(6) == 0
    finally:
        app.close()
    assert b"\\x1b" in app.output, "the names were never shown"
    assert foreign_controls(app.output) == []


def test_a_new_line_of_a_log_sends_below_a_kilobyte(root: Path) -> None:
    """Following costs the lines in view at most, and an idle log nothing."""
    add_job(root, JOB)
    log = root / "jobs" / JOB / "log.jsonl"
    line = json.dumps({"at": "2026-11-21T11:00:00.000Z", "level": "info", "message": "short", "job": JOB}) + "\n"
    log.write_text(line * 3)
    app = PtyApp(root)
    try:
        app.read_until(b"succeeded")
        app.send(b"5")
        app.read_until(b"following")
        app.read(1.5)
        sent = []
        for _ in range(3):
            with log.open("a") as more:
                more.write(line)
            sent.append(len(app.read(2.2)))
        assert all(0 < number < 1024 for number in sent), sent
        before = app.cpu_seconds()
        assert app.read(3.0) == b""
        assert app.cpu_seconds() - before < 1
    finally:
        app.close()
