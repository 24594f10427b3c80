"""A Git repository as the other side of a connector, and a git that fails on request."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.git import git_process
from ingest_tui.connectors.git.connector import GitConnector
from tests.conformance.connectors.connector_suite import Site
from tests.conformance.connectors.interruptions import Failure

WHAT_GIT_DOES: dict[Failure, str] = {
    "throttled": "echo 'fatal: cannot open: Too many open files' >&2; exit 128",
    "broken": "echo 'error: unable to read: Input/output error' >&2; exit 128",
    "timeout": "exec sleep 600",
    "closed": "kill -9 $$",
    "cut": '"$REAL_GIT" "$@" | head -c 40; exit 128',
    "forbidden": "echo 'fatal: cannot open: Permission denied' >&2; exit 128",
    "malformed": "echo '<html>'; exit 0",
    "empty": "exit 0",
}
_ROLES = ("AUTHOR", "COMMITTER")
_WRAPPER = """#!/bin/sh
REAL_GIT='{git}'
number=$(($(cat '{folder}/calls') + 1))
echo $number > '{folder}/calls'
if [ $number -gt {skip} ] && [ $number -le {last} ]; then
    {failure}
fi
exec "$REAL_GIT" "$@"
"""


def git(folder: Path, *arguments: str, given: bytes = b"") -> str:
    """Run git in a repository, without the settings of whoever runs the tests."""
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    environment |= {f"GIT_{role}_{part}": "person@example.org" for role in _ROLES for part in ("NAME", "EMAIL")}
    command = ["git", "-c", "safe.directory=*", "-c", "fastimport.unpackLimit=100000", "-C", str(folder), *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True, env=environment).stdout.decode()


def commit_files(folder: Path, files: dict[str, bytes], *, branch: str = "main") -> None:
    """Make a commit of just these files the branch's next one, after whatever it was."""
    lines = [b"commit refs/heads/%s\n" % branch.encode()]
    lines.append(b"committer A Person <person@example.org> 1796022990 +0100\ndata 0\n")
    lines.append(b"deleteall\n")
    for name, content in files.items():
        lines.append(b"M 100644 inline %s\ndata %d\n" % (_quoted(name), len(content)) + content + b"\n")
    git(folder, "fast-import", "--quiet", "--force", given=b"".join(lines))


def _quoted(name: str) -> bytes:
    return b'"' + b"".join(b"\\%03o" % byte for byte in name.encode()) + b'"'


class GitSite(Site):
    """A bare repository; what was put is committed before a connector looks."""

    page_size = 1000

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "repository.git"
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main")
        self._monkeypatch = monkeypatch
        self._programs = folder / "programs"
        self._programs.mkdir()
        self._files: dict[str, bytes] = {}
        self._is_committed = False
        self._times = 0

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        self._commit()
        return GitConnector({"repository": str(self.folder), "ref": "main", "hidden": True}, max_size=max_size)

    def _commit(self) -> None:
        if not self._is_committed:
            commit_files(self.folder, self._files)
            self._is_committed = True

    def put(self, name: str, content: bytes) -> None:
        self._files[name] = content
        self._is_committed = False

    replace = put

    def rename(self, name: str, new_name: str) -> None:
        self.put(new_name, self._files.pop(name))

    def remove(self, name: str) -> None:
        del self._files[name]
        self._is_committed = False

    def _object(self, name: str) -> Path:
        self._commit()
        object_id = git(self.folder, "rev-parse", f"main:{name}").strip()
        return self.folder / "objects" / object_id[:2] / object_id[2:]

    def close_part(self, name: str) -> None:
        self._object(name).unlink()

    def forbid(self, name: str) -> None:
        # The superuser, as whom tests may run, may read everything. Of an object that it may not read git says what it
        # says of a damaged one.
        closed, access = self._object(name), os.access
        closed.chmod(stat.S_IRUSR | stat.S_IWUSR)
        closed.write_bytes(b"unreadable")
        may_not = lambda path, mode: path != closed and access(path, mode)  # noqa: E731
        self._monkeypatch.setattr("ingest_tui.connectors.git.git_errors.os.access", may_not)

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        self._commit()
        self._skip = skip
        self._monkeypatch.setattr(git_process, "SILENCE_SECONDS", 0.5 if failure == "timeout" else 60.0)
        (self._programs / "calls").write_text("0")
        program = self._programs / "git"
        program.write_text(
            _WRAPPER.format(
                git=shutil.which("git"),
                folder=self._programs,
                skip=skip,
                last=skip + times,
                failure=WHAT_GIT_DOES[failure],
            )
        )
        program.chmod(0o755)
        self._monkeypatch.setenv("PATH", f"{self._programs}{os.pathsep}{os.environ['PATH']}")

    def recover(self) -> bool:
        path = os.environ["PATH"].removeprefix(f"{self._programs}{os.pathsep}")
        self._monkeypatch.setenv("PATH", path)
        return int((self._programs / "calls").read_text()) > self._skip

    def lock_out(self) -> None:
        shutil.rmtree(self.folder)

    def wrong_settings(self) -> list[dict[str, Any]]:
        return [
            {},
            {"repository": ""},
            {"repository": 3},
            {"repository": "a\0b"},
            {"repository": "/x", "novelty": 1},
            {"repository": "/x", "ref": "--output=/tmp/x"},
            {"repository": "/x", "ref": "a..b"},
            {"repository": "/x", "ref": "a b"},
            {"repository": "/x", "include": "*.md"},
        ]
