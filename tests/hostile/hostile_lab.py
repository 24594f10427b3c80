"""A workspace into which every hostile name has gone, and what must hold of all that comes out of it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from tests.cli.running import Cli, Result
from tests.hostile import hostile_connector
from tests.hostile.hostile_names import FILES, SENTINEL

Snapshot = dict[bytes, tuple[int, int, int]]
DOCUMENTED_EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 130}
PROBLEM_SOURCES = {"fail": 3, "refuse": 0, "gaps": 3, "locked": 1}
"""Sources that only make trouble, and how a sync of each ends."""

# Where absolute and climbing names lead when a program follows them.
_TRAPS = ("/etc/hostile-names-owned", "/tmp/hostile-names-owned.txt", "/etc/cron.d/owned")
_SILENCE_SECONDS = 20
_BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_OWN_STYLE = re.compile(r"\x1b\[[0-9;]*m")

# Makes calls on the terminal that it was given; their exit codes go to a file.
_ON_TERMINAL = """
import json, os, sys
from ingest_tui.cli.main import run
with open(sys.argv[1]) as calls, open(sys.argv[2], "w") as codes:
    for line in calls:
        codes.write(f"{run([os.fsdecode(bytes.fromhex(part)) for part in json.loads(line)])}\\n")
"""


def assert_harmless(shown: str) -> None:
    """Fail when a text holds anything that a terminal obeys, other than line feeds and tabs.

    An oracle of its own, from the Unicode database instead of from the code under test.
    """
    for character in set(shown) - {"\n", "\t"}:
        acts = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        acts = acts or unicodedata.bidirectional(character) in _BIDIRECTIONAL
        place = shown.find(character)
        assert not acts, f"{character!r} in {shown[max(0, place - 60) : place + 20]!r}"


def assert_harmless_on_a_terminal(stream: str) -> None:
    """Fail when a stream to a terminal holds anything but text, line ends and our own colours."""
    assert "\x1b" not in _OWN_STYLE.sub("", stream)
    assert_harmless(_OWN_STYLE.sub("", stream).replace("\r\n", "\n"))
    assert not re.search(rf"[\x1b\x90\x9b\x9d-\x9f][^\n]{{0,12}}{SENTINEL}", stream)


def assert_ended_well(result: Result) -> None:
    """Fail when a call ended in a way that is not documented, or wrote what acts; `Cli` has looked for tracebacks."""
    assert result.code in DOCUMENTED_EXIT_CODES, result
    assert_harmless(result.out)
    assert_harmless(result.err)


def snapshot(folder: Path, *, without: Sequence[Path] = ()) -> Snapshot:
    """Return mode, size and time of every file below a folder, modes of folders; not what lies in ``without``."""
    left_out = {os.fsencode(path) for path in without}
    found: Snapshot = {}
    for above, folders, files in os.walk(os.fsencode(folder)):
        folders[:] = [name for name in folders if above + b"/" + name not in left_out]
        for name in (*folders, *files):
            path = above + b"/" + name
            status = os.lstat(path)
            is_file = name not in folders
            found[path] = (status.st_mode, is_file * status.st_size, is_file * status.st_mtime_ns)
    return found | {os.fsencode(trap): (0, 0, 0) for trap in _TRAPS if os.path.lexists(trap)}


class HostileCli(Cli):
    """Calls on a workspace whose sources are the files of hostile names and a connector to the other ones.

    ``place`` is a folder well above the workspace, so that names which climb stay where they are seen.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        home = place / "far" / "down" / "home"
        home.mkdir(parents=True)
        (place / "temporary").mkdir()
        super().__init__(home)
        on_path = hostile_connector.install(place / "plugins")
        self.environment |= {
            "PYTHONPATH": os.pathsep.join([self.environment["PYTHONPATH"], *map(str, on_path)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(place / "temporary"),
        }
        for name in FILES:
            self.write(name.raw, name.content)

    def outside(self) -> Snapshot:
        """Return what is there around the workspace."""
        return snapshot(self.place, without=[self.workspace])

    def fill(self) -> None:
        """Make the workspace and bring every name in, through the local folder or the connector."""
        adding = [("source", "add", "hostile", name, "--path", name, "--collection", name) for name in PROBLEM_SOURCES]
        synced = {"docs": 0, "take": 0} | PROBLEM_SOURCES
        results = self.run_each(
            ("init",),
            ("source", "add", "local", "docs", "--path", self.docs, "--hidden"),
            ("source", "add", "hostile", "take"),
            *(("collection", "add", name) for name in PROBLEM_SOURCES),
            *adding,
            *(("sync", name) for name in synced),
            code=None,
        )
        codes = [result.code for result in results]
        assert codes == [0] * (len(codes) - len(synced)) + list(synced.values()), results

    def jobs(self) -> dict[str, str]:
        """Return the newest job of each source."""
        return {manifest["source_id"]: manifest["job_id"] for manifest in self.manifests()}

    def run_each_on_a_terminal(self, *calls: Sequence[str | bytes | Path]) -> tuple[list[int], str]:
        """Run calls in one process on a terminal of 100 columns; returns their exit codes and all that it was sent."""
        commands, codes = self.place / "calls", self.place / "codes"
        lines = [json.dumps([part.hex() for part in self.command(*arguments)[3:]]) for arguments in calls]
        commands.write_text("\n".join(lines))
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, commands, codes],
            cwd=self.home,
            env=self.environment | {"COLUMNS": "100", "LINES": "30"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        stream = b"".join(iter(lambda: _read(leader), b"")).decode()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        process.kill()
        os.close(leader)
        assert process.wait(30) == 0, f"it ended with an error or waits for an answer: {stream[-2000:]!r}"
        ended = [int(code) for code in codes.read_text().split()]
        commands.unlink()
        codes.unlink()
        assert len(ended) == len(calls)
        assert "Traceback" not in stream
        return ended, stream


def _read(leader: int) -> bytes:
    if not select.select([leader], [], [], _SILENCE_SECONDS)[0]:
        return b""
    try:
        return os.read(leader, 65536)
    except OSError:  # how Linux tells that the other end is closed
        return b""
