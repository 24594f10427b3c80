"""One parser process as its parent sees it: start it, talk to it, watch it, end it."""

from __future__ import annotations

import contextlib
import mmap
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from ingest_tui.extraction.backends import model_folders
from ingest_tui.extraction.pool.confinement import Confinement, code_folders
from ingest_tui.extraction.pool.lockdown import PEAK_OFFSET
from ingest_tui.extraction.pool.orphans import MARK, kill_marked, new_mark
from ingest_tui.extraction.validators.registered import installed_validators
from ingest_tui.model.extraction import AtWork
from ingest_tui.model.parse_limits import FileLimits, ParseLimits

_BOOT = (
    "import gc, sys; gc.disable(); from json import loads; config = loads(sys.stdin.buffer.raw.readline()); "
    "sys.path[:] = config['path']; "
    "from ingest_tui.extraction.pool.lockdown import enter; enter(config)"
)
_STDERR_KEPT = 2_000
_START_SECONDS = 60.0
_MAX_LINE_BYTES = 64 * 1024**2
_DYING_MILLISECONDS = 2000
_LARGE_SHARE = 3
"""A process that crashes with more than this part of its memory in use most likely wanted more than all of it."""
_READS_AT_ONCE = 16
_READ_BYTES = 1 << 20
_PROCESSORS = os.cpu_count() or 1
"""Of 1 MB each: a parser that writes without end must not hold up the others."""
_USES_NAMESPACES = True
_PROCESS_CPU_CLOCK = 2
"""With the complement of a process number it makes the clock of all its threads (clock_getcpuclockid(3))."""

# Of the parent's environment only the folders of models go to a parser: it may hold secrets, proxies and preload
# libraries.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "HOME": "/nonexistent",
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "HF_HUB_OFFLINE": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # One process per core is the parallelism: threads inside would fight for the same cores and address space.
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
}


def _wire_form(confinement: Confinement, scratch: str, validators: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    modules = (reference.partition(":")[0] for _, reference in validators)
    return {
        "readable": [*confinement.readable, *model_folders().values(), *code_folders(modules)],
        "scratch": scratch,
        "may_run_programs": confinement.may_run_programs,
    }


@dataclass(slots=True)
class Flight:
    """A task that was sent to a process. ``payload`` is the caller's; ``weight`` its estimated milliseconds."""

    payload: Any
    weight: float


@dataclass(slots=True)
class ParserProcess:
    """A running parser process and the tasks in its pipe.

    Lines to it: tasks with a ``seq`` that grows by one. Lines from it: ``{"hello": {…}}`` once,
    ``{"seq", "result", "retire"}`` for each task, ``{"returned": seq}`` for one that was taken back, and
    ``{"resident_bytes", "open_files"}`` after each batch.
    """

    popen: subprocess.Popen[bytes]
    progress: mmap.mmap
    pidfd: int
    stdin_fd: int
    stdout_fd: int
    stderr_fd: int
    in_flight: dict[int, Flight] = field(default_factory=dict)
    in_flight_weight: float = 0.0
    outgoing: deque[bytes] = field(default_factory=deque)
    incoming: bytearray = field(default_factory=bytearray)
    stderr_tail: bytes = b""
    last_seq: int = 0
    taken_back_to: int = 0
    served: float = 0.0
    said_hello: bool = False
    scratch: str = ""
    """Its own folder, the only one it may write in; empty for one that is not confined."""
    mark: str = ""
    """Carried by the process and whatever it starts; see `orphans`."""
    children_contained: bool = False
    """Whether the kernel ends what it has started together with it. Then ``popen`` only waits for the parser."""
    parser_pid: int = 0
    parser_pidfd: int = -1
    is_retiring: bool = False
    kill_reason: tuple[str, str, str] | None = None
    peak_bytes: int = 0
    """Most memory it had in use at once, known when it is buried; 0 where that is not known."""
    inherited_peak_bytes: int = 0
    """The same of the process that started it: the kernel lets a child begin with the mark of its parent.

    Matters only where no process around the parser says how much the parser itself had.
    """
    forger_is_unknown: bool = False
    """Whether it was killed for what one of its tasks wrote into the pipe, no matter which."""
    _seen: tuple[int, int] = (0, 0)
    changed_at: float = 0.0
    began_at: float = 0.0

    @classmethod
    def start(
        cls, limits: ParseLimits, *, confinement: Confinement | None = None, parser: str | None = None
    ) -> ParserProcess:
        """Start a process. Takes about 2 ms; the process is ready some 60 ms later."""
        progress_fd = os.memfd_create("progress")
        os.ftruncate(progress_fd, mmap.PAGESIZE)
        mark = new_mark()
        try:
            popen = subprocess.Popen(  # noqa: S603 the program is this interpreter, the arguments are constants
                [sys.executable, "-I", "-S", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_ENVIRONMENT, **model_folders(), MARK: mark},
                cwd="/",
                pass_fds=(progress_fd,),
                start_new_session=True,
                bufsize=0,
            )
            progress = mmap.mmap(progress_fd, mmap.PAGESIZE)
        finally:
            os.close(progress_fd)
        stdin, stdout, stderr = (pipe.fileno() for pipe in (popen.stdin, popen.stdout, popen.stderr) if pipe)
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe, False)
        scratch = confinement.make_folder(mark) if confinement else ""
        process = cls(popen, progress, os.pidfd_open(popen.pid), stdin, stdout, stderr, mark=mark, scratch=scratch)
        # Asked afterwards, so that it is at least what the child began with.
        process.inherited_peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        # Made while the interpreter starts, which takes longer than looking for validators.
        validators = installed_validators()
        config = {
            "confinement": _wire_form(confinement, scratch, validators) if confinement else None,
            "path": [entry for entry in sys.path if entry.startswith("/")],
            "parent_pid": os.getpid(),
            "progress_fd": progress_fd,
            "memory_bytes": limits.memory_bytes,
            "file_size_bytes": limits.file_size_bytes,
            "open_files": limits.open_files,
            "namespaces": _USES_NAMESPACES,
            "validators": validators,
            "parser": parser,
        }
        process.outgoing.append(orjson.dumps(config) + b"\n")
        process.changed_at = process.began_at = time.monotonic()
        return process

    def greet(self, *, pid: int, children_contained: bool) -> None:
        """Note that it has started: its clocks run from here. ``pid`` is that of the parser proper."""
        self.said_hello = True
        self.parser_pid = pid
        self.children_contained = children_contained
        if children_contained:
            with contextlib.suppress(ProcessLookupError):
                self.parser_pidfd = os.pidfd_open(pid)
        self.changed_at = self.began_at = time.monotonic()

    def queue(self, task: dict[str, Any], flight: Flight) -> None:
        """Add a task to what will be written next."""
        if not self.in_flight:
            self.changed_at = self.began_at = time.monotonic()
        self.last_seq += 1
        self.in_flight[self.last_seq] = flight
        self.in_flight_weight += flight.weight
        self.outgoing.append(orjson.dumps({"seq": self.last_seq, **task}) + b"\n")

    def land(self, seq: int) -> Flight | None:
        """Take a task out of flight; None when it was taken back before."""
        flight = self.in_flight.pop(seq, None)
        if flight is not None:
            self.in_flight_weight -= flight.weight
        return flight

    def write_some(self) -> bool:
        """Write what the pipe takes; return whether something is left."""
        if not self.outgoing:
            return False
        data = self.outgoing[0] if len(self.outgoing) == 1 else b"".join(self.outgoing)
        self.outgoing.clear()
        try:
            written = os.write(self.stdin_fd, data)
        except BlockingIOError:
            written = 0
        except OSError:
            return False  # it died: its end is noticed elsewhere
        if written < len(data):
            self.outgoing.append(data[written:])
        return bool(self.outgoing)

    def read_lines(self) -> list[dict[str, Any]]:
        """Return the lines that have come in. Raises ValueError for anything that is not the protocol."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(_READS_AT_ONCE):
                received = os.read(self.stdout_fd, _READ_BYTES)
                self.incoming += received
                if len(received) < _READ_BYTES:  # nothing more is there, or nothing more will come
                    break
        end = self.incoming.rfind(b"\n")
        if end < 0:
            if len(self.incoming) > _MAX_LINE_BYTES:
                raise ValueError("a line without an end")
            return []
        complete = bytes(self.incoming[:end])
        del self.incoming[: end + 1]
        return [orjson.loads(line) for line in complete.split(b"\n")]

    def read_noise(self) -> bool:
        """Keep the end of what it wrote to stderr; return whether more may come."""
        try:
            received = os.read(self.stderr_fd, 1 << 16)
        except BlockingIOError:
            return True
        self.stderr_tail = (self.stderr_tail + received)[-_STDERR_KEPT:]
        return bool(received)

    def begun_seq(self) -> int:
        """Return the number of the task it began last."""
        return int.from_bytes(self.progress[0:8], "little")

    def at_work(self) -> AtWork | None:
        """Return the task that it parses; None when it has nothing to do, or has not begun."""
        flight = self.in_flight.get(self.begun_seq())
        return AtWork(flight.payload.task.task_id, self.parser_pid, self.began_at) if flight is not None else None

    def take_back(self) -> list[Flight]:
        """Take back every task it has not begun, in order; the one it is about to begin comes back as a line."""
        self.taken_back_to = self.last_seq
        self.progress[16:24] = self.last_seq.to_bytes(8, "little")
        begun = self.begun_seq()
        taken = [self.land(seq) for seq in list(self.in_flight) if seq > begun]
        return [flight for flight in taken if flight is not None]

    def overdue(self, limits: FileLimits, now: float) -> tuple[str, str] | None:
        """Return detail and hint for the limit that the task at work has passed, or None."""
        if not self.said_hello:  # the limits of a file are not those of an interpreter on a busy machine
            is_late = now - self.changed_at > _START_SECONDS
            return ("the parser did not start", "sync again when the machine is less busy") if is_late else None
        seen = (self.begun_seq(), int.from_bytes(self.progress[8:16], "little"))
        if seen != self._seen:
            if seen[0] != self._seen[0]:
                self.began_at = now
            self._seen = seen
            self.changed_at = now
        running = now - self.began_at
        # Threads of a library may use several processors at once: asked well before one alone could be too much.
        cpu = self._cpu_seconds() if running * _PROCESSORS > limits.cpu_seconds else 0.0
        return limits.out_of_time(silent=now - self.changed_at, running=running, cpu=cpu)

    def _cpu_seconds(self) -> float:
        """Return the processor time that the task at work has used; 0 where the system does not show it."""
        clock = (~self.parser_pid << 3) | _PROCESS_CPU_CLOCK
        try:
            used = time.clock_gettime(clock)
        except OSError:
            return 0.0
        return used - int.from_bytes(self.progress[24:32], "little") / 1e9

    def kill(self, reason: str, detail: str, hint: str = "") -> None:
        """Kill it and all it has started; SIGKILL because a hung parser may ignore anything else."""
        self.kill_reason = self.kill_reason or (reason, detail, hint)
        if self.parser_pidfd >= 0:
            # The process around it ends when the parser and all that it has started are gone for certain.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.parser_pidfd, signal.SIGKILL)
                return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def finish(self) -> None:
        """Let it end by itself: nothing more comes. Its input must not be watched any longer."""
        if self.popen.stdin is not None and not self.popen.stdin.closed:
            self.popen.stdin.close()
            self.stdin_fd = -1
            self.outgoing.clear()

    def bury(self) -> int:
        """Free everything after its end and return its exit status (negative: the signal)."""
        if self.parser_pidfd >= 0:
            # The process around the parser collects it and then ends: at once, unless a disk holds the parser up.
            end = select.poll()
            end.register(self.pidfd, select.POLLIN)
            end.poll(_DYING_MILLISECONDS)
        # Before it is reaped its number cannot belong to anybody else.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        if not self.children_contained:
            kill_marked(self.mark)
        with contextlib.suppress(BlockingIOError, OSError):
            self.read_noise()
        _, waited, usage = os.wait4(self.popen.pid, 0)
        status = self.popen.returncode = os.waitstatus_to_exitcode(waited)
        peak_bytes = usage.ru_maxrss * 1024
        self.peak_bytes = int.from_bytes(self.progress[PEAK_OFFSET : PEAK_OFFSET + 8], "little") or (
            peak_bytes if peak_bytes > self.inherited_peak_bytes else 0
        )
        for pipe in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        os.close(self.pidfd)
        if self.parser_pidfd >= 0:
            os.close(self.parser_pidfd)
        self.progress.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return status

    def cause_of_death(self, status: int, limits: FileLimits) -> tuple[str, str, str]:
        """Return reason, detail and hint for the task that it died of, which had these ``limits``."""
        if self.kill_reason is not None:
            return self.kill_reason
        noise = self.stderr_tail.decode("utf-8", "replace")
        if (
            "memory allocation of" in noise
            or "bad_alloc" in noise
            or "MemoryError" in noise
            or "Out of memory" in noise
        ):
            return ("memory", *limits.out_of_memory())
        if status == -signal.SIGKILL:
            return (
                "memory",
                "the system killed the parser, most likely for its memory",
                "free memory, or split the file",
            )
        name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        if status < 0 and self.peak_bytes * _LARGE_SHARE > limits.memory_bytes:
            # Native libraries end the process when they get no memory, in ways that look like any other crash.
            detail, hint = limits.out_of_memory()
            return "memory", f"the parser died ({name}), most likely for memory: {detail}", hint
        last = " ".join(noise.strip().splitlines()[-1:])[:200]
        return "crashed", f"the parser died ({name}){': ' + last if last else ''}", "try another backend for this file"
