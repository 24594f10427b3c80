"""The unit file with which systemd runs a worker: its text, and whether a person has edited it.

What each line does is in systemd.service(5), systemd.exec(5) and systemd.kill(5). The parsers of a worker raise
walls of their own, for which they need namespaces of users, network and processes; no line here may refuse them that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.safe_text import safe_display

ServiceScope = Literal["user", "system"]
_DIGEST = "# Made by ingest-tui service, digest "
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_METRICS_LINE = "Environment=INGEST_TUI_METRICS="
_METRICS = re.compile(r"[A-Za-z0-9./_+@:\[\]-]+")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - what PrivateTmp hides

_BY_SECCOMP = """\
NoNewPrivileges=yes
RestrictNamespaces=user net pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
UMask=0077
"""
_BY_MOUNTS = """\
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
CapabilityBoundingSet=
"""
_LIFE = """\
Type=notify
NotifyAccess=main
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 4 6
WatchdogSec=300
TimeoutStartSec=infinity
TimeoutStopSec=120
KillMode=mixed
OOMPolicy=continue
LimitNOFILE=65536
LimitCORE=0
"""


@dataclass(frozen=True, slots=True)
class ServiceUnit:
    """What is known of a service. Paths are absolute; ``owner`` is the user of a system service.

    ``program`` is the command without the options that are added here. ``read`` are folders that are read besides the
    workspace: those of sources. They decide whether the folders for temporary files may be private.
    """

    scope: ServiceScope
    workspace: str
    credentials: str
    program: tuple[str, ...]
    owner: str = ""
    read: tuple[str, ...] = ()
    metrics: str = ""
    """Where metrics go, as ``--metrics`` names it, a file by its whole path; empty for nowhere."""

    def text(self) -> str:
        """Return the unit file; raises `ValidationError` for a path that none can hold."""
        body = "\n".join(["[Unit]", *self._unit(), "", "[Service]", *self._service(), "", "[Install]", self._install()])
        return f"{_DIGEST}{_digest(body)}\n{body}\n"

    def _unit(self) -> list[str]:
        lines = [f"Description=ingest-tui, {_specifiers(_one_line(self.workspace))}"]
        if self.scope == "system":
            lines += ["Wants=network-online.target", "After=network-online.target"]
            lines += [f"RequiresMountsFor={_path(self.workspace)}"]
        return lines

    def _service(self) -> list[str]:
        places = ("--workspace", self.workspace, "--credentials", self.credentials)
        command = (*self.program, *places, "--log-format", "journal", "--watch")
        lines = [f"ExecStart={' '.join(map(_argument, command))}", *self._metrics(), *_LIFE.splitlines()]
        if self.scope == "user":
            return [*lines, *_BY_SECCOMP.splitlines()]
        lines += [f"User={self.owner}", *_BY_SECCOMP.splitlines(), *_BY_MOUNTS.splitlines()]
        lines += [f"ReadWritePaths={_path(self.workspace)}"]
        if self.metrics.startswith("/"):
            lines += [f"ReadWritePaths={_path(self.metrics.rpartition('/')[0] or '/')}"]
        hidden = next(
            (path for path in (self.workspace, self.credentials, self.metrics, *self.read) if _is_temporary(path)), None
        )
        if hidden is not None:
            return [
                *lines,
                "# Needed by the service in a folder for temporary files:",
                "PrivateTmp=no",
                "ReadWritePaths=/tmp /var/tmp",
            ]
        return [*lines, "PrivateTmp=yes"]

    def _metrics(self) -> list[str]:
        if not self.metrics:
            return []
        if not _METRICS.fullmatch(self.metrics):
            raise ValidationError(
                f"the metrics of a service cannot go to {safe_display(self.metrics)}",
                hint="name a port, HOST:PORT, or a file by letters, digits and ./_-+@",
            )
        return [f"{_METRICS_LINE}{self.metrics}"]

    def _install(self) -> str:
        return "WantedBy=default.target" if self.scope == "user" else "WantedBy=multi-user.target"


def is_made_here(text: str) -> bool:
    """Whether a unit file is as it was written by this program, of whatever version: nobody has edited it."""
    first, _, body = text.partition("\n")
    return first == f"{_DIGEST}{_digest(body.removesuffix(chr(10)))}"


def workspace_in(text: str) -> str:
    """Return the description of a unit, which names its workspace; empty when it has none."""
    found = re.search(r"^Description=ingest-tui, (.*)$", text, re.MULTILINE)
    return found[1].replace("%%", "%") if found else ""


def metrics_in(text: str) -> str:
    """Return where the metrics of a unit go; empty when it has none."""
    found = re.search(f"^{_METRICS_LINE}(.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def check_unit_name(name: str) -> str:
    """Return a name of a unit without its ending; raises `ValidationError` for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"{safe_display(name)} is no name for a service", hint="use letters, digits, '-', '_' and '.'"
        )
    return name


def enabling_commands(scope: ServiceScope, name: str) -> Sequence[str]:
    """Return what a person types to have an installed service start now and at every boot."""
    whose, more = (" --user", ("loginctl enable-linger",)) if scope == "user" else ("", ())
    return (f"systemctl{whose} daemon-reload", f"systemctl{whose} enable --now {name}.service", *more)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is_temporary(path: str) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in _TEMPORARY)


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValidationError(
            f"a unit file cannot name {safe_display(text)}: it has control characters",
            hint="use a link to it with another name",
        )
    return text


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    return '"' + _specifiers(_one_line(text)).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _path(path: str) -> str:
    return _quoted(path)


def _argument(word: str) -> str:
    """Return a word of ExecStart: quoted where it must be, without variables."""
    escaped = _specifiers(_one_line(word)).replace("$", "$$")
    return escaped if re.fullmatch(r"[\w./%$@:+=-]+", escaped) else _quoted(word).replace("$", "$$")
