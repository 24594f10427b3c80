"""The commands of docs/operations.md run as they stand, in the order of the page."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ingest_tui.cli.main import run
from ingest_tui.store.records.settings import Settings

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


def test_the_hooks_of_the_page_are_settings() -> None:
    """The example of on_job_end is accepted as it stands."""
    [block] = re.findall(r'```json\n("on_job_end": .*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    hooks = Settings.model_validate(json.loads(f"{{{block}}}")).on_job_end
    assert [hook.name for hook in hooks] == ["mail", "chat", "pager"]


def test_the_mail_of_the_page_is_one(tmp_path: Path) -> None:
    """The script of the page writes a mail with the line as its subject and the event as its text."""
    [script] = re.findall(r"```sh-script\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    sent = tmp_path / "sent"
    program = tmp_path / "mail-job-end"
    program.write_text(script.replace("/usr/sbin/sendmail -t", f"cat > {shlex.quote(str(sent))}"))
    program.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "INGEST_TUI_JOB_TEXT": "sync of docs: failed (0 ingested)"}
    command = ["sh", str(program), "ops@example.org"]
    subprocess.run(command, input=b'{"job_id": "x"}', env=environment, check=True, timeout=20)
    expected = 'To: ops@example.org\nSubject: sync of docs: failed (0 ingested)\n\n{"job_id": "x"}'
    assert sent.read_text() == expected
