"""The unit file of a service: what it says, for any path, and whether somebody edited it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.service_unit import (
    ServiceScope,
    ServiceUnit,
    check_unit_name,
    enabling_commands,
    is_made_here,
    metrics_in,
    workspace_in,
)

ODD = '/srv/50% of "all" $HOME \\ it\'s ünïted'


def unit(scope: ServiceScope = "system", workspace: str = "/srv/docs", read: tuple[str, ...] = ()) -> ServiceUnit:
    program = ("/usr/bin/env", "-m", "ingest_tui")
    return ServiceUnit(scope, workspace, f"{workspace}.json", program, owner="root", read=read)


def test_system_service_may_write_its_workspace_only() -> None:
    """The file system is read-only but for the workspace, and nothing may gain privileges."""
    lines = unit().text().splitlines()
    for expected in (
        "Type=notify",
        "Restart=on-failure",
        "WatchdogSec=300",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        'ReadWritePaths="/srv/docs"',
        "PrivateTmp=yes",
        "User=root",
        "OOMPolicy=continue",
        "WantedBy=multi-user.target",
    ):
        assert expected in lines
    [command] = [line for line in lines if line.startswith("ExecStart=")]
    places = "--workspace /srv/docs --credentials /srv/docs.json"
    assert command == f"ExecStart=/usr/bin/env -m ingest_tui {places} --log-format journal --watch"


@pytest.mark.parametrize(
    ("metrics", "written"),
    [("9464", set()), ("0.0.0.0:9464", set()), ("/var/lib/m/in.prom", {'ReadWritePaths="/var/lib/m"'})],
)
def test_metrics_of_a_service_are_found_again(metrics: str, written: set[str]) -> None:
    """The unit gives them to the worker, lets it write the file, and says so to who installs it again."""
    text = replace(unit(), metrics=metrics).text()
    assert metrics_in(text) == metrics
    assert f"Environment=INGEST_TUI_METRICS={metrics}" in text.splitlines()
    assert set(text.splitlines()) >= written
    assert metrics_in(unit().text()) == ""


@pytest.mark.parametrize("metrics", ["/a b", "x\nExecStart=/bin/sh", "%h", '"'])
def test_what_metrics_cannot_be_is_refused(metrics: str) -> None:
    """No line of a unit begins in a name of a file."""
    with pytest.raises(ValidationError, match="metrics of a service"):
        replace(unit(), metrics=metrics).text()


def test_user_service_asks_for_nothing_that_needs_root() -> None:
    """Walls that need mounts are left out: without a namespace of users the service would not start."""
    text = unit("user").text()
    assert "NoNewPrivileges=yes" in text
    assert "WantedBy=default.target" in text
    for absent in ("User=", "Protect", "Private", "ReadWritePaths"):
        assert f"\n{absent}" not in text


def test_parsers_may_have_their_namespaces() -> None:
    """What the parsers shut themselves in with is allowed: namespaces of users, network and processes."""
    for scope in ("user", "system"):
        assert "\nRestrictNamespaces=user net pid\n" in unit(scope).text()


@pytest.mark.parametrize("where", ["/tmp/ws", "/var/tmp/ws", "/tmp"])
def test_folders_for_temporary_files_are_not_hidden_from_who_needs_them(where: str) -> None:
    """With a workspace or a source in /tmp the service shares /tmp; a name that only begins so is another folder."""
    assert "PrivateTmp=no\nReadWritePaths=/tmp /var/tmp\n" in unit(workspace=where).text()
    assert "PrivateTmp=no" in unit(read=(where,)).text()
    assert "PrivateTmp=yes" in unit(workspace=f"/tmpfiles{where}").text()


def test_an_edit_is_noticed() -> None:
    """A line that is changed, added or removed makes it somebody else's file."""
    text = unit().text()
    assert is_made_here(text)
    assert not is_made_here(text.replace("RestartSec=5", "RestartSec=9"))
    assert not is_made_here(text + "Nice=5\n")
    assert not is_made_here("\n".join(text.splitlines()[1:]))
    assert not is_made_here("")


@pytest.mark.parametrize("path", ["/srv/docs", ODD, "/a b", "/100%"])
def test_unit_names_its_workspace(path: str) -> None:
    """The workspace can be read back from the unit, whatever its path."""
    assert workspace_in(unit(workspace=path).text()) == path
    assert workspace_in("[Unit]\n") == ""


@pytest.mark.parametrize("path", ["/a\nUser=root", "/a\tb", "/a\x1b[2J"])
def test_control_characters_are_refused(path: str) -> None:
    """A path cannot bring lines of its own into the unit."""
    with pytest.raises(ValidationError, match="control characters"):
        unit(workspace=path).text()


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "a%i", "-x", "x" * 65, "é"])
def test_names_of_units_are_plain(name: str) -> None:
    """What is no file name of a unit, or means something to systemd, is refused."""
    with pytest.raises(ValidationError):
        check_unit_name(name)
    assert check_unit_name("ingest-tui.hand_book2") == "ingest-tui.hand_book2"


def test_commands_that_enable_it() -> None:
    """A user's service also needs that its user lingers when nobody is logged in."""
    assert enabling_commands("system", "x") == ("systemctl daemon-reload", "systemctl enable --now x.service")
    assert enabling_commands("user", "x")[-1] == "loginctl enable-linger"
    assert all("--user" in command for command in enabling_commands("user", "x")[:2])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("path", ["/srv/docs", ODD])
@pytest.mark.parametrize("scope", ["user", "system"])
def test_systemd_takes_every_line(tmp_path: Path, scope: ServiceScope, path: str) -> None:
    """`systemd-analyze verify` has nothing to say about the file, also with a path full of special signs."""
    file = tmp_path / "ingest-tui-test.service"
    file.write_text(unit(scope, path).text(), encoding="utf-8")
    ended = subprocess.run(
        ["systemd-analyze", f"--{scope}", "--man=no", "verify", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert [line for line in (ended.stdout + ended.stderr).splitlines() if file.name in line] == []
