"""A soak of whole programs: a worker that watches, a TUI in a terminal, and commands, while all goes wrong around them.

Run as a program it does so for as long as its orders say: in the first part processes are killed with SIGKILL, a folder
is unmounted and the disk is filled; in the second the same goes on without that, and the worker is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ingest_tui import open_workspace
from ingest_tui.model.errors import IngestError
from ingest_tui.worker.living_workers import living_workers
from tests.cli.running import lives
from tests.faults.programs_world import World
from tests.tui.pty_app import PtyApp

_STORMY_SHARE = 0.6
_SAMPLE_SECONDS = 1.0
_FEWEST_SAMPLES = 8
_USES_UNTIL_WARM = 8  # after so many the views were shown once, and what they need is loaded
_CONTRACT = frozenset({0, 1, 3, 4, 5, 6})
_KEYS = (*"jkgG1234567", "\r", "\x1b", "\x1b[B", "\x1b[A", "\x1b[6~", "\t", "?", "/rain\r", "s")
_SIZES = ((80, 24), (120, 35), (200, 50), (60, 20))

Act = Callable[[World, random.Random], None]


# People who type commands

_COMMANDS = (
    "status", "stats", "health", "search rain", "search snow --json", "doc list --json", "doc list --retired",
    "doc text {document}", "doc trace {document}", "doc explain {document}", "job list", "job show last",
    "job items last", "logs last", "errors list", "trash list", "plan called", "worker status", "audit",
    "prune --dry-run", "prune --yes", "verify",
    "sync called", "sync watched --detach", "sync called --force", "sync --all", "job cancel last",
    "job retry last --detach", "backup {home}/backup.tar.zst --force", "upload {home}/note.txt",
    "source list", "source disable mounted", "source enable mounted", "rebuild",
    "export --to {home}/export.jsonl --force",
)  # fmt: skip
_OTHER_CODES = {
    "health": {2}, "doc text": {2}, "doc trace": {2}, "doc explain": {2},
    "job retry last --detach": {2}, "job cancel last": {2},
}  # fmt: skip
"""Those of monitors; several documents may be called the same, and a job may have begun again, or have ended."""
_SECONDS_FOR_A_COMMAND = 120


def type_a_command(world: World, chance: random.Random) -> None:
    """Run a command as people do; whatever happens around it, it ends in words and with a code of the contract."""
    command = chance.choice(_COMMANDS)
    home = world.cli.home
    _write_note(home / "note.txt", chance)
    document = f"{chance.randrange(8)}.md"
    arguments = [part.format(document=document, home=home) for part in command.split()]
    try:
        ended = world.cli.run(*arguments, code=None, timeout=_SECONDS_FOR_A_COMMAND)
    except subprocess.TimeoutExpired:
        waiting = ", ".join(world.unfinished_jobs())
        world.notes.found(f"{command} did not end within {_SECONDS_FOR_A_COMMAND} s; unfinished jobs: {waiting}")
        return
    name = command.partition(" {")[0]
    world.notes.did(f"{name}: {ended.code}{': ' * bool(ended.code)}{_first_words(ended.err)}")
    if ended.code not in _CONTRACT | _OTHER_CODES.get(name, set()):
        world.notes.found(f"{command} ends with {ended.code}: {ended.err[-1000:]}")


def _write_note(path: Path, chance: random.Random) -> None:
    """Write it aside and put it in its place: another person may be uploading it, and half a note is another fault."""
    aside = path.with_name(f"{path.name}.{threading.get_ident()}")
    aside.write_text(f"a note about number{chance.randrange(1000)}\n")
    aside.replace(path)


def pause_a_job(world: World, chance: random.Random) -> None:
    """Pause the newest job for a moment, where it can be, and resume what an earlier turn could not on a full disk.

    Whoever follows a job that stays paused waits for ever.
    """
    paused = world.cli.run("job", "pause", "last", "--json", code=None)
    world.notes.did(f"job pause: {paused.code}")
    if paused.code == 0:
        world.is_over.wait(chance.uniform(0, 2))
    world.resume_paused()


def _first_words(errors: str) -> str:
    told = next((line for line in errors.splitlines() if line.startswith("error: ")), "")
    return re.sub(r"[0-9].*", "…", told.removeprefix("error: "))[:60]


def change_files(world: World, chance: random.Random) -> None:
    """Change a file, or some."""
    world.notes.did(world.folders.change(chance))


def unmount_for_a_while(world: World, chance: random.Random) -> None:
    """Take a folder away, and bring it back."""
    world.folders.vanish()
    try:
        world.is_calm.wait(chance.uniform(1, 5))
    finally:
        world.folders.come_back()
    world.notes.did("unmounted")


def fill_disk_for_a_while(world: World, chance: random.Random) -> None:
    """Fill the disk of the workspace, and give it room again."""
    world.disk.fill()
    try:
        world.is_calm.wait(chance.uniform(1, 5))
    finally:
        world.disk.free()
    world.notes.did("disk filled")


def fail_to_listen(world: World, chance: random.Random) -> None:
    """Let the receiver of webhooks be out of order for a moment."""
    world.notes.did(world.listeners.fail_for_a_while(chance, world.is_calm))


# Programs that go on


class Worker:
    """``ingest-tui --watch``, started again whenever it is killed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._process = world.cli.start("--watch")
        self._at_work: subprocess.Popen[bytes] | None = None

    def pid_at_work(self) -> int | None:
        """Return the process that works now, None while it still starts, which takes memory, or stands by."""
        process = self._process
        if self._at_work is not process:
            told = self._world.cli.output_of(process)
            if "worker started" in told and ("standing by" not in told or "taking over" in told):
                self._at_work = process
        return process.pid if self._at_work is process else None

    def _kill_others(self) -> None:
        """Kill the workers that the TUI has started while none ran: ours would only stand by, and nobody is killed."""
        with contextlib.suppress(IngestError, OSError), open_workspace(self._world.cli.workspace) as handle:
            for worker in living_workers(handle.workspace):
                if worker.mode in {"watch", "standby"} and worker.pid != self._process.pid:
                    os.kill(worker.pid, signal.SIGKILL)
                    self._world.notes.did("worker of the TUI killed")

    def see_to(self, world: World, chance: random.Random) -> None:
        """Kill it while it is stormy; it never ends by itself."""
        self._kill_others()
        if self._process.poll() is not None:
            told = world.cli.output_of(self._process)[-3000:]
            world.notes.found(f"the worker ended by itself with {self._process.returncode}: {told}")
        elif world.is_calm.is_set():
            return
        else:
            self._process.kill()
            self._process.wait()
            world.notes.did("worker killed")
        world.is_over.wait(chance.choice((0, 0, 2)))
        self._process = world.cli.start("--watch")

    def end(self) -> None:
        """Stop it as a service manager does."""
        self._kill_others()
        code = self._world.cli.end(self._process, seconds=60)
        if code:
            self._world.notes.found(f"the worker ended with {code} after SIGTERM")


class Screen:
    """The TUI in a terminal, used and killed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._uses = 0
        self.app = self._start()

    def pid_when_warm(self) -> int | None:
        """Return the process that lives now, None while it is young: until its views were shown its memory grows."""
        return self.app.pid if self._uses >= _USES_UNTIL_WARM else None

    def _start(self) -> PtyApp:
        self._uses = 0
        app = PtyApp(self._world.cli.workspace, view="")
        app.read_until(b"verview", 60)
        return app

    def see_to(self, world: World, chance: random.Random) -> None:
        """Press some keys and see that it paints; now and then kill it, or close its terminal."""
        self.app.output = b""
        for _ in range(chance.randrange(1, 12)):
            self.app.send(chance.choice(_KEYS).encode())
            self.app.read(0.05)
        self.app.read(0.5)
        self.app.output = b""
        self.app.resize(chance.choice(_SIZES))
        if self.app.wait(0.1) is not None:
            world.notes.found(f"the TUI ended by itself: {self.app.output[-3000:]!r}")
            self.app = self._start()
        self.app.read_until(lambda output: len(output) > 0, 60)
        self._uses += 1
        world.notes.did("TUI used")
        if not world.is_calm.is_set() and chance.random() < 0.1:
            self.app.close()
            world.notes.did("TUI killed")
            self.app = self._start()

    def end(self) -> None:
        """Kill it."""
        self.app.close()


# What a process has


@dataclass(frozen=True)
class Sample:
    """Memory in kB, and how many descriptors and threads a process has."""

    memory: int
    descriptors: int
    threads: int


class Samples:
    """What processes had, second by second, while it was calm."""

    def __init__(self, pids: dict[str, Callable[[], int | None]]) -> None:
        self._pids = pids
        self._taken: dict[str, list[Sample]] = {name: [] for name in pids}

    def take(self, world: World, _chance: random.Random) -> None:
        """Take one of each process, once it is calm."""
        if not world.is_calm.is_set():
            return
        for name, pid_of in self._pids.items():
            if (pid := pid_of()) is not None and lives(pid):
                self._taken[name].append(sample_of(pid))

    def report(self) -> dict[str, dict[str, list[float]]]:
        """Return a value for each quarter of the time, for each process and figure.

        Of memory it is the median; of what each running job has some of, the least: what is left when few run.
        """
        return {
            name: {
                figure: [of_quarter(getattr(one, figure) for one in quarter) for quarter in quarters_of(taken)]
                for figure, of_quarter in (("memory", statistics.median), ("descriptors", min), ("threads", min))
            }
            for name, taken in self._taken.items()
            if len(taken) >= _FEWEST_SAMPLES
        }


def quarters_of(taken: list[Sample]) -> list[list[Sample]]:
    """Return the samples in four parts."""
    bounds = [len(taken) * part // 4 for part in range(5)]
    return [taken[first:last] for first, last in pairwise(bounds)]


def sample_of(pid: int) -> Sample:
    """Return what a process has now."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    memory, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
    return Sample(memory, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads)


# The run


class Actor(threading.Thread):
    """Does the same thing again and again with pauses of ``seconds`` on average; what it raises is a finding."""

    def __init__(self, world: World, act: Act, seconds: float, seed: str, *, only_stormy: bool = False) -> None:
        super().__init__(name=seed, daemon=True)
        self._world, self._act, self._seconds = world, act, seconds
        self._chance = random.Random(seed)
        self._end = world.is_calm if only_stormy else world.is_over

    def run(self) -> None:
        """Act until it is over."""
        while not self._end.wait(self._chance.uniform(0.5, 1.5) * self._seconds):
            try:
                self._act(self._world, self._chance)
            except (Exception, AssertionError):  # noqa: BLE001 - exactly these are looked for
                self._world.notes.found(f"{self.name}: {traceback.format_exc()[-3000:]}")


def live(world: World, seconds: float, seed: int) -> dict[str, dict[str, list[float]]]:
    """Let everybody loose for so long; returns what worker and TUI had while it was calm."""
    worker, screen = Worker(world), Screen(world)
    samples = Samples({"worker": worker.pid_at_work, "TUI": screen.pid_when_warm})
    actors = [
        Actor(world, change_files, 0.2, f"files {seed}"),
        Actor(world, type_a_command, 0.5, f"first person {seed}"),
        Actor(world, type_a_command, 0.5, f"second person {seed}"),
        Actor(world, pause_a_job, 5.0, f"third person {seed}"),
        Actor(world, screen.see_to, 1.0, f"TUI {seed}"),
        Actor(world, worker.see_to, 7.0, f"worker {seed}"),
        Actor(world, samples.take, _SAMPLE_SECONDS, "samples"),
        Actor(world, unmount_for_a_while, 6.0, f"mounts {seed}", only_stormy=True),
        Actor(world, fill_disk_for_a_while, 10.0, f"disk {seed}", only_stormy=True),
        Actor(world, fail_to_listen, 5.0, f"listeners {seed}", only_stormy=True),
    ]
    for actor in actors:
        actor.start()
    time.sleep(seconds * _STORMY_SHARE)
    world.is_calm.set()
    time.sleep(seconds * (1 - _STORMY_SHARE))
    world.is_over.set()
    for actor in actors:
        actor.join()
    screen.end()
    worker.end()
    return samples.report()


def main() -> None:
    """Run the soak that the orders on stdin describe; print what was done, measured and found as JSON."""
    orders = json.loads(sys.stdin.read())
    world = World(Path(orders["root"]), with_mounts=orders["with_mounts"])
    measured = {}
    try:
        world.begin()
        for _ in range(40):
            world.folders.change(random.Random(orders["seed"]))
        measured = live(world, orders["seconds"], orders["seed"])
        world.settle()
        world.judge()
    except (IngestError, AssertionError, OSError):
        world.notes.found(traceback.format_exc()[-5000:])
    finally:
        world.close()
    report = {"deeds": dict(sorted(world.notes.deeds.items())), "measured": measured, "findings": world.notes.findings}
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
