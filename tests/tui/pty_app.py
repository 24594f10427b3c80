"""A real process under a pseudo-terminal: what Pilot cannot see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

_POINTER_SHAPE = re.compile(rb"\x1b\]22;[a-z-]*\x07")
RUN = "import sys, pathlib; from ingest_tui.tui.app import run_tui; sys.exit(run_tui(pathlib.Path(sys.argv[1])))"

# What Textual itself sends: colours, cursor moves, modes, the shape of the pointer. Everything else that begins with
# ESC comes from the data.
_OWN_SEQUENCES = re.compile(rb"\x1b\[[0-9;:?<>=]*[ -/]*[A-Za-z]|\x1b[78=>]|\x1b\]22;[a-z-]*\x07")
_CONTROLS = re.compile(rb"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")


def foreign_controls(output: bytes) -> list[bytes]:
    """Return what acts in a stream to a terminal and does not come from Textual."""
    return _CONTROLS.findall(_OWN_SEQUENCES.sub(b"", output))


# Most of what is tested begins at a list.
_BEGIN_AT = "from ingest_tui.tui.app import IngestApp; IngestApp.DEFAULT_MODE = {view!r}\n"


class PtyApp:
    """The TUI on a workspace, in a terminal of its own. ``view``: where it begins; empty for where people begin."""

    def __init__(
        self,
        root: Path,
        *,
        size: tuple[int, int] = (80, 24),
        ignore_hangup: bool = False,
        script: str = RUN,
        view: str = "jobs",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.output = b""
        self._fed = 0
        self._emulated = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._emulated)
        self.started = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            inherited = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            for name in ("NO_COLOR", "TMUX", "TEXTUAL_DRIVER", "COLUMNS", "LINES"):
                inherited.pop(name, None)
            begin = _BEGIN_AT.format(view=view) if view else ""
            arguments = [sys.executable, "-c", f"{begin}{script}", str(root)]
            os.execvpe(sys.executable, arguments, {**inherited, **(environment or {})})
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """Give the terminal so many columns and rows, as it is seen, too."""
        if self.output:
            self.screen  # noqa: B018 - what came until now was for the size of before
        self._emulated.resize(size[1], size[0])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def read(self, seconds: float) -> bytes:
        """Read for so long; returns what came."""
        end = time.monotonic() + seconds
        came = b""
        while (rest := end - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], rest)[0]:
                break
            try:
                came += os.read(self.terminal, 65536)
            except OSError:
                break
        self.output += came
        return came

    @property
    def screen(self) -> str:
        """What a terminal shows after all of the output: only what differs from what was there before is sent."""
        self._fed = min(self._fed, len(self.output))  # a test may have begun anew
        new = _POINTER_SHAPE.sub(b"", self.output[self._fed :])  # pyte takes each such sequence for a title
        unfinished = new.rfind(b"\x1b]")
        if unfinished >= 0 and b"\x07" not in new[unfinished:]:
            return "\n".join(self._emulated.display)
        self._fed = len(self.output)
        self._stream.feed(new)
        return "\n".join(self._emulated.display)

    def read_until(self, wanted: Callable[[bytes], bool] | bytes, seconds: float = 60.0) -> float:
        """Read until the output or the screen has something; returns the seconds since the start of the process."""
        test = wanted if callable(wanted) else (lambda output: wanted in output or wanted.decode() in self.screen)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if test(self.output):
                return time.monotonic() - self.started
            self.read(0.02)
        end_of_it = f"the end was {self.output[-500:]!r}; on screen:\n{self.screen}"
        raise AssertionError(f"not seen within {seconds} s: {wanted!r}; {end_of_it}")

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.terminal, keys)

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self.terminal)
        self.terminal = -1

    def wait(self, seconds: float) -> int | None:
        """Wait for the end of the process; returns its exit code (negative for a signal), None when it lives on."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ended, status, used = os.wait4(self.pid, os.WNOHANG)
            if ended:
                self.pid = 0
                self._used_seconds = used.ru_utime + used.ru_stime
                return os.waitstatus_to_exitcode(status)
            if self.terminal >= 0:
                self.read(0.02)
            else:
                time.sleep(0.02)
        return None

    def cpu_seconds(self) -> float:
        """Return the processor time of the process so far; of one that has ended, all of it."""
        if not self.pid:
            return self._used_seconds
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it whatever it does."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
        if self.terminal >= 0:
            os.close(self.terminal)
