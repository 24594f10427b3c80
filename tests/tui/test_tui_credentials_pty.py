"""Credentials under a real terminal: which file is used, and that what is typed as a secret is never sent back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ingest_tui
from ingest_tui.credentials.credential_registry import CredentialRegistry
from tests.tui.pty_app import PtyApp, foreign_controls

pytestmark = pytest.mark.slow

_RUN = (
    "import sys; from ingest_tui.__main__ import main; "
    "sys.argv = ['ingest-tui', '--workspace', sys.argv[1], '--credentials', 'elsewhere/keys.json']; sys.exit(main())"
)
_SECRET = b"hunter22-canary"


@pytest.fixture(autouse=True)
def environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process find the package, and run it next to the workspace."""
    monkeypatch.setenv("PYTHONPATH", str(Path(ingest_tui.__file__).parents[1]))
    monkeypatch.delenv("INGEST_TUI_CREDENTIALS", raising=False)
    monkeypatch.chdir(root.parent)


def test_the_file_that_the_command_line_names_is_the_one_that_is_shown(root: Path) -> None:
    """--credentials, relative to the folder of the call, reaches the view; the default file is not touched."""
    other = root.parent / "elsewhere" / "keys.json"
    other.parent.mkdir()
    CredentialRegistry(other).add("wiki-reader", {"type": "token", "token": "env:WIKI"})
    app = PtyApp(root, script=_RUN)
    try:
        app.read_until(b"No jobs yet")
        app.send(b"6")
        app.read_until(b"wiki-reader")
    finally:
        app.close()
    assert not (root.parent / "credentials.json").exists()


def test_a_secret_that_is_typed_is_not_sent_to_the_terminal(root: Path) -> None:
    """Typed, selected, copied and saved: the bytes that go out never hold it."""
    other = root.parent / "elsewhere" / "keys.json"
    other.parent.mkdir()
    app = PtyApp(root, script=_RUN, size=(100, 40))
    try:
        app.read_until(b"No jobs yet")
        app.send(b"6")
        app.read_until(b"No credentials yet")
        app.send(b"a")
        app.read_until(b"token sent as it is")
        app.send(b"jjj\r")
        app.read_until(b"Add a credential of type token")
        app.read(0.5)
        app.send(b"api\t" + _SECRET)  # in one bunch, as on a slow link
        app.read_until(b"kept in the credentials file itself")
        app.send(b"\x1b[1;2H\x03")  # shift+home, ctrl+c
        app.read(0.3)
        app.send(b"\r")
        app.read_until(b"all is well")
        app.send(b"\x1b")
        app.read_until(b"secret in the file")
        app.read(0.5)  # an Esc and a letter right behind it would be an Alt key
        app.send(b"R")
        app.read_until(b"Rotate api")
        app.read(0.3)
    finally:
        app.close()
    assert json.loads(other.read_text())["credentials"]["api"]["token"] == _SECRET.decode()
    assert _SECRET not in app.output
    assert foreign_controls(app.output) == []
