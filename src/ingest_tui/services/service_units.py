"""What a person can do with the service that runs a workspace's worker: print its unit, install, see and remove it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import ConflictError, IngestError, NotFoundError, RefusedError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.service_unit import (
    ServiceScope,
    ServiceUnit,
    check_unit_name,
    enabling_commands,
    is_made_here,
    metrics_in,
    workspace_in,
)
from ingest_tui.store.users import requester, user_name
from ingest_tui.store.workspace import Workspace

_SYSTEM_FOLDER = Path("/etc/systemd/system")
_SYSTEMD_SECONDS = 20.0
_SHOWN = ("ActiveState", "SubState", "UnitFileState", "StatusText", "NRestarts", "MainPID")


@dataclass(frozen=True, slots=True)
class InstalledUnit:
    """A unit file after `install_service`. ``verified`` is what ``systemd-analyze verify`` said, None without it."""

    path: str
    changed: bool
    commands: tuple[str, ...]
    verified: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """``file``: ``missing``, ``current``, ``outdated`` (as an earlier version or other sources had it) or ``edited``.

    ``manager`` is what systemd says of it; empty where it does not answer.
    """

    path: str
    file: str
    workspace: str = ""
    manager: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def usual_scope() -> ServiceScope:
    """Return which kind of service fits this user."""
    return "system" if os.geteuid() == 0 else "user"


def service_unit(workspace: Workspace, scope: ServiceScope, metrics: str = "") -> str:
    """Return the unit file for the worker of a workspace; ``metrics``: as ``--watch --metrics`` takes it.

    Raises `UsageError` for what metrics cannot go to.
    """
    folders = (source.source_config.get("path") for source in workspace.sources.all() if source.enabled)
    return ServiceUnit(
        scope,
        str(workspace.root),
        str(workspace.credentials_path),
        (sys.executable, "-m", "ingest_tui"),
        owner=user_name(workspace.root.stat().st_uid),
        read=(sys.prefix, *(os.path.abspath(str(folder)) for folder in folders if folder)),  # noqa: PTH100
        metrics=_checked_metrics(metrics),
    ).text()


def _checked_metrics(text: str) -> str:
    if not text:
        return ""
    from ingest_tui.services.metrics import MetricsTarget

    file = MetricsTarget.parse(text).file
    return text if file is None else str(file)


def install_service(
    workspace: Workspace, scope: ServiceScope, name: str, *, metrics: str | None = None, overwrite: bool = False
) -> InstalledUnit:
    """Write the unit file and check it with ``systemd-analyze verify`` where that is; starts and enables nothing.

    A file that a person has edited is overwritten only when asked to: it raises `ConflictError` otherwise. One of
    another workspace is never. ``metrics``: None for as it was installed before, empty for none.
    """
    path = _path_of(scope, name)
    before = _read(path)
    text = service_unit(workspace, scope, metrics_in(before or "") if metrics is None else metrics)
    if before is not None and before != text:
        if workspace_in(before) not in {"", str(workspace.root)}:
            raise RefusedError(
                f"{safe_display(str(path))} is the service of {safe_display(workspace_in(before))}",
                hint="'ingest-tui service install --name NAME' makes another one",
            )
        if not overwrite and not is_made_here(before):
            raise ConflictError(
                f"{safe_display(str(path))} was edited, and is left as it is",
                hint=f"keep your changes with 'systemctl edit {name}', then 'ingest-tui service install --overwrite'",
            )
    if before != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.new")
        half.write_text(text, encoding="utf-8")
        half.chmod(0o644)
        half.replace(path)
        _audit(workspace, "service.install", path)
    return InstalledUnit(str(path), before != text, tuple(enabling_commands(scope, name)), _verify(scope, path))


def service_status(workspace: Workspace, scope: ServiceScope, name: str) -> ServiceStatus:
    """Return what is installed under a name, and what systemd says of it."""
    path = _path_of(scope, name)
    text = _read(path)
    if text is None:
        return ServiceStatus(str(path), "missing")
    is_current = text == _as_installed_now(workspace, scope, text)
    file = "current" if is_current else "outdated" if is_made_here(text) else "edited"
    return ServiceStatus(str(path), file, workspace_in(text), _shown_by_systemd(scope, name))


def _as_installed_now(workspace: Workspace, scope: ServiceScope, text: str) -> str | None:
    try:
        return service_unit(workspace, scope, metrics_in(text))
    except IngestError:  # the folder of its metrics is away
        return None


def uninstall_service(workspace: Workspace, scope: ServiceScope, name: str, *, overwrite: bool = False) -> str:
    """Remove the unit file of a service that does not run; returns its path.

    Raises `NotFoundError`, `ConflictError` for one that a person has edited, `RefusedError` for one that runs or is of
    another workspace.
    """
    path = _path_of(scope, name)
    text = _read(path)
    if text is None:
        raise NotFoundError(f"there is no {safe_display(str(path))}", hint="'ingest-tui service status' shows what is")
    if workspace_in(text) != str(workspace.root):
        raise RefusedError(
            f"{safe_display(str(path))} is not the service of this workspace",
            hint="name the workspace with --workspace DIR",
        )
    if not overwrite and not is_made_here(text):
        raise ConflictError(f"{safe_display(str(path))} was edited", hint="--overwrite removes it all the same")
    shown = _shown_by_systemd(scope, name)
    if shown.get("ActiveState") in {"active", "activating", "reloading"} or shown.get("UnitFileState") == "enabled":
        whose = " --user" if scope == "user" else ""
        raise RefusedError(
            f"{name}.service is enabled or runs", hint=f"first: systemctl{whose} disable --now {name}.service"
        )
    path.unlink()
    _audit(workspace, "service.uninstall", path)
    return str(path)


def _path_of(scope: ServiceScope, name: str) -> Path:
    settings = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    folder = _SYSTEM_FOLDER if scope == "system" else Path(settings).expanduser() / "systemd" / "user"
    return folder / f"{check_unit_name(name)}.service"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None


def _audit(workspace: Workspace, action: str, path: Path) -> None:
    workspace.audit.add(at=rfc3339_now(), by=requester(), action=action, target=safe_display(str(path)))


def _verify(scope: ServiceScope, path: Path) -> str | None:
    program = shutil.which("systemd-analyze")
    if program is None:
        return None
    said = _said_by([program, f"--{scope}", "verify", str(path)])
    return None if said is None else "\n".join(line for line in said.splitlines() if path.name in line)


def _shown_by_systemd(scope: ServiceScope, name: str) -> dict[str, str]:
    program = shutil.which("systemctl")
    if program is None:
        return {}
    said = _said_by([program, f"--{scope}", "show", "-p", ",".join(_SHOWN), f"{name}.service"])
    pairs = (line.partition("=") for line in (said or "").splitlines())
    return {key: value for key, equals, value in pairs if equals and key in _SHOWN}


def _said_by(command: list[str]) -> str | None:
    """Return what a program of systemd wrote, both streams together; None when it did not answer."""
    try:
        ended = subprocess.run(  # noqa: S603 - a program of the system, with a name that was checked
            command, capture_output=True, text=True, timeout=_SYSTEMD_SECONDS, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout + ended.stderr
