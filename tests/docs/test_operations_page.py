"""The commands of docs/operations.md run as they stand, in the order of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ingest_tui.cli.main import run

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def commands() -> list[str]:
    """Return the lines of all blocks of commands."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a workspace with a source of the page's name each of them ends with 0."""
    home = tmp_path / "home"
    (home / "docs").mkdir(parents=True)
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    (home / "docs" / "a.md").write_text("# A\n\nwords\n")
    for words in (["init"], ["source", "add", "local", "notes", "--path", "docs"], ["sync", "notes"]):
        assert run(words) == 0
    assert run(["source", "edit", "notes", "--no-watch"]) == 0
    job = min(path.name for path in Path("workspace/jobs").iterdir())
    assert len(commands()) > 15
    for command in commands():
        program, *words = shlex.split(command.replace("DOCUMENT", "docs/a.md").replace("JOB", job))
        assert program == "ingest-tui"
        assert run(words) == 0, command
