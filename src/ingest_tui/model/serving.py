"""How the HTTP server is asked to listen."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where to listen: at ``socket``, a Unix socket, or else at ``port`` of ``host`` (0: any that is free).

    ``allowed_hosts`` are further names that clients may call it by, ``origins`` the pages of a browser that may use it.
    ``certificate`` and ``private_key`` are PEM files for TLS.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    socket: Path | None = None
    read_only: bool = False
    allowed_hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    certificate: Path | None = None
    private_key: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect: by a Unix socket or a loopback address."""
        return self.socket is not None or is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as it names itself: ``localhost``, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
