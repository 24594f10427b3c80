"""Running a program for the secret that it prints (pass, vault, aws, …), without a shell or our environment."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

TIMEOUT_SECONDS = 30.0
LARGEST_BYTES = 1_048_576

# What any program may need to find its files, its agent and its language. Nothing here carries a secret.
_FOR_ALL = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "DISPLAY",
    "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY",
    "no_proxy",
)  # fmt: skip
_FOR_ALL_PREFIXES = ("LC_", "XDG_")
_GPG = ("GNUPGHOME", "GPG_TTY", "GPG_AGENT_INFO", "SSH_AUTH_SOCK")

# What well-known programs sign in with: it is theirs. A name that ends in _ is a prefix.
_FOR_PROGRAM: Mapping[str, tuple[str, ...]] = {
    "pass": ("PASSWORD_STORE_", *_GPG),
    "gopass": ("GOPASS_", "PASSWORD_STORE_", *_GPG),
    "gpg": _GPG,
    "gpg2": _GPG,
    "sops": ("SOPS_", *_GPG),
    "vault": ("VAULT_",),
    "bao": ("BAO_", "VAULT_"),
    "aws": ("AWS_",),
    "gcloud": ("CLOUDSDK_", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": ("AZURE_",),
    "op": ("OP_",),
    "bw": ("BW_", "BITWARDENCLI_"),
    "doppler": ("DOPPLER_",),
}


class HelperFailedError(Exception):
    """The program gave no secret; ``reason`` is a phrase without anything that the program printed."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def helper_environment(program: str, environment: Mapping[str, str], also: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of ``environment`` that ``program`` gets; ``also`` are further names, from the entry."""
    wanted = (*_FOR_ALL, *_FOR_PROGRAM.get(Path(program).name, ()), *also)
    names = {name for name in wanted if not name.endswith("_")}
    prefixes = tuple(name for name in wanted if name.endswith("_")) + _FOR_ALL_PREFIXES
    return {name: value for name, value in environment.items() if name in names or name.startswith(prefixes)}


def output_of(
    arguments: list[str], *, environment: Mapping[str, str], folder: Path, timeout: float = TIMEOUT_SECONDS
) -> bytes:
    """Run a program to its end and return what it wrote to stdout; raises `HelperFailedError`.

    ``folder`` is where it runs, so that relative names mean the same from everywhere. stderr is thrown away: a program
    that fails may print what it was to keep. A program that takes longer than ``timeout`` seconds is killed with all
    that it started.
    """
    pipe, its_end = os.pipe()
    os.set_blocking(pipe, False)
    try:
        try:
            process = subprocess.Popen(  # noqa: S603 - the owner of the credentials file chose the program
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=its_end,
                stderr=subprocess.DEVNULL,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            reason = f"cannot be started ({error.strerror or type(error).__name__})"
            raise HelperFailedError(reason, "is it installed and in PATH?") from None
        finally:
            os.close(its_end)
        output = _read_until_it_ends(process, pipe, timeout)
    finally:
        os.close(pipe)
    code = process.wait()
    if code != 0:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise HelperFailedError(ended, "run it by hand to see what it says; that is never shown here")
    return output


def _read_until_it_ends(process: subprocess.Popen[bytes], pipe: int, timeout: float) -> bytes:
    """Read until the program itself has ended: an agent that it leaves behind may hold the pipe open."""
    pidfd = os.pidfd_open(process.pid)
    try:
        return _read_until(pidfd, pipe, timeout)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    finally:
        os.close(pidfd)


def _read_until(pidfd: int, pipe: int, timeout: float) -> bytes:
    deadline = time.monotonic() + timeout
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pidfd, selectors.EVENT_READ)
        selector.register(pipe, selectors.EVENT_READ)
        has_ended = False
        while not has_ended:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise HelperFailedError(f"gave no answer within {timeout:g} seconds", "does it wait for input?")
            has_ended = any(key.fd == pidfd for key, _ in ready)
            if pipe in selector.get_map() and _drain(pipe, output):
                selector.unregister(pipe)
    return bytes(output)


def _drain(pipe: int, output: bytearray) -> bool:
    """Read what is there; returns whether the pipe has come to its end."""
    while True:
        try:
            piece = os.read(pipe, 65_536)
        except BlockingIOError:
            return False
        if not piece:
            return True
        output += piece
        if len(output) > LARGEST_BYTES:
            raise HelperFailedError("printed more than 1 MiB", "a secret is short; does it print the right thing?")
