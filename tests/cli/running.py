"""Runs the program as people do, in processes of its own, and checks what every call must keep."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ingest_tui
from ingest_tui import open_workspace
from ingest_tui.services.jobs.jobs import job_items

SOURCE_TREE = Path(ingest_tui.__file__).resolve().parents[1]
SAMPLES = SOURCE_TREE.parent / "examples" / "documents"
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2

# Makes many calls in one process: the same entry point, each call with streams of its own.
_MANY = """
import io, json, os, sys
from ingest_tui.cli.main import run
genuine, genuine_errors = sys.stdout, sys.stderr
for line in sys.stdin:
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    try:
        code = run([os.fsdecode(bytes.fromhex(part)) for part in json.loads(line)])
    except BaseException:
        sys.stderr = genuine_errors
        raise
    sys.stdout.flush(), sys.stderr.flush()
    out, err = sys.stdout.buffer.getvalue(), sys.stderr.buffer.getvalue()
    genuine.write(json.dumps([code, out.hex(), err.hex()]) + "\\n")
genuine.flush()  # no longer standard output at the end of the interpreter, which flushes that alone
"""

# C0 (but for line feed and tab), DEL, C1, bidirectional controls, line and paragraph separators.
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass
class Result:
    """How a call ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The error that --json wrote to stderr, with the keys of the contract."""
        error = json.loads(self.err.splitlines()[-1])["error"]
        assert set(error) == {"code", "message", "hint", "details"}
        return dict(error)


def checked(code: int, out: bytes, err: bytes, *, debug: bool = False) -> Result:
    """Return the result of a call after checking what holds for every one: no traceback, no acting character."""
    result = Result(code, out.decode(), err.decode())
    if not debug:
        assert "Traceback" not in result.err, result.err
        assert "run the command again with --debug" not in result.err, result.err
    for stream in (result.out, result.err):
        found = ACTING.search(stream)
        assert found is None, f"{found.group()!r} in {stream[max(0, found.start() - 80) : found.end() + 20]!r}"
    return result


class Cli:
    """Calls ``ingest-tui`` on one workspace. Relative paths are relative to ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.workspace = home / "workspace"
        self.docs = home / "docs"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PYTHONPATH": str(SOURCE_TREE),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def command(self, *arguments: str | bytes | Path) -> list[bytes]:
        """Return the whole command line of a call."""
        program: list[str | bytes | Path] = [sys.executable, "-m", "ingest_tui", "--workspace", self.workspace]
        return [os.fsencode(part) for part in (*program, *arguments)]

    def run(
        self,
        *arguments: str | bytes | Path,
        code: int | None = 0,
        typed: str = "",
        umask: int = 0o022,
        as_ordinary_user: bool = False,
        timeout: float = 40,
    ) -> Result:
        """Run a call to its end and check its exit code (None: any)."""
        ended = subprocess.run(
            self.command(*arguments),
            cwd=self.home,
            env=self.environment,
            input=typed.encode(),
            capture_output=True,
            timeout=timeout,
            umask=umask,
            preexec_fn=_without_override if as_ordinary_user else None,
            check=False,
        )
        result = checked(ended.returncode, ended.stdout, ended.stderr, debug=b"--debug" in self.command(*arguments))
        assert code in {None, result.code}, f"exit code {result.code}\n{result.out}\n{result.err}"
        return result

    def run_each(self, *calls: Sequence[str | bytes | Path], code: int | None = 0) -> list[Result]:
        """Run calls one after the other in a single process, which saves starting one for each."""
        lines = [json.dumps([part.hex() for part in self.command(*arguments)[3:]]) for arguments in calls]
        ended = subprocess.run(
            [sys.executable, "-c", _MANY],
            cwd=self.home,
            env=self.environment,
            input="\n".join(lines).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        answers = [json.loads(line) for line in ended.stdout.splitlines()]
        results = [checked(number, bytes.fromhex(out), bytes.fromhex(err)) for number, out, err in answers]
        assert len(results) == len(calls), ended.stderr.decode()
        for arguments, result in zip(calls, results, strict=True):
            assert code in {None, result.code}, (arguments, result)
        return results

    def start(self, *arguments: str | bytes | Path) -> subprocess.Popen[bytes]:
        """Start a call that goes on; it is killed at the end of the test if it still lives."""
        log = self.home / f"call-{len(self._started)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        self._started.append(process)
        return process

    def output_of(self, process: subprocess.Popen[bytes]) -> str:
        """Return what a started call has written so far, both streams together."""
        written = (self.home / f"call-{self._started.index(process)}.log").read_bytes()
        return checked(0, written, b"").out

    def end(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM, seconds: float = 15) -> int:
        """Send a signal and return the exit code."""
        process.send_signal(number)
        return process.wait(seconds)

    def close(self) -> None:
        """Kill what was started and still lives, detached workers of the workspace too."""
        for record in self.workspace.glob("workers/*.json"):
            with contextlib.suppress(OSError, ValueError):
                pid = json.loads(record.read_text())["pid"]
                if os.fsencode(self.workspace) in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait(10)

    # What most tests need

    def write(self, name: str | bytes, content: str | bytes = "some words of no importance") -> Path:
        """Write a file of the source folder."""
        path = Path(os.fsdecode(os.fsencode(self.docs) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def init(self, *options: str, **settings: Any) -> None:
        """Make the workspace and add the folder ``docs`` as a source of that name."""
        self.docs.mkdir(exist_ok=True)
        self.run("init")
        if settings:
            self.change_settings(**settings)
        self.run("source", "add", "local", "docs", "--path", "docs", *options)

    def change_settings(self, **settings: Any) -> None:
        """Change workspace.json."""
        path = self.workspace / "workspace.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | settings))

    def sync(self, *options: str, code: int | None = 0, **how: Any) -> dict[str, Any]:
        """Sync the source and return the manifest, whose counters add up."""
        manifest = self.run("sync", "docs", "--json", *options, code=code, **how).json
        assert_counters_add_up(manifest)
        return dict(manifest)

    def outcomes(self, job: str = "last") -> dict[str, tuple[str, str]]:
        """Return outcome and reason of each item of a job."""
        with open_workspace(self.workspace) as handle:
            job_id = self.manifests()[-1]["job_id"] if job == "last" else job
            items = job_items(handle.workspace, job_id)
            return {outcome.key: (outcome.outcome, outcome.reason) for outcome, _ in items}

    def found(self, query: str) -> set[str]:
        """Return the last part of the address of every hit."""
        with open_workspace(self.workspace) as handle:
            return {hit.uri.rpartition("/")[2] for hit in handle.search(query, limit=5000)}

    def manifests(self) -> list[dict[str, Any]]:
        """Return the manifests of all jobs as they are on disk, oldest first."""
        manifests = [json.loads(path.read_text()) for path in self.workspace.glob("jobs/*/manifest.json")]
        return sorted(manifests, key=lambda manifest: str(manifest["created_at"]))


def assert_counters_add_up(manifest: dict[str, Any]) -> None:
    """Every listed item of a job that is done has exactly one outcome, and the counters say so."""
    counters = manifest["counters"]
    assert manifest["state"] in {"succeeded", "partial"}, manifest["errors"]
    kinds = ("skipped_incremental", "duplicate", "moved", "ingested", "empty", "rejected", "failed")
    assert counters["descriptors_listed"] == sum(counters[f"items_{kind}"] for kind in kinds), counters


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes below a process."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from descendants(int(child))


def lives(pid: int) -> bool:
    """Tell whether a process still runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _without_override() -> None:
    """Give up root's right to read everything, so that file modes mean what they say in a container too."""
    libc = ctypes.CDLL(None)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
