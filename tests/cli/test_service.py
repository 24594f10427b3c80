"""The service that runs a worker: its unit file written, seen and removed; and what a real systemd does with it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import Cli

# One after another: managers next to each other share the control group of the service, and stop that of the other.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("systemd")]

SYSTEMD = Path("/usr/lib/systemd/systemd")
# A manager of a user in a /run of its own, as the first process would have prepared it.
_UNDER_SYSTEMD = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/systemd/inaccessible/dir /run/user/0
touch /run/systemd/inaccessible/reg
mkfifo /run/systemd/inaccessible/fifo
chmod 700 /run/user/0
export XDG_RUNTIME_DIR=/run/user/0
"$SYSTEMD" --user </dev/null >/dev/null 2>&1 &
manager=$!
trap 'kill $manager' EXIT
while ! systemctl --user show --property=Version >/dev/null 2>&1; do kill -0 $manager; done
wait_for() { for _ in $(seq 600); do if eval "$1"; then return 0; fi; done; echo "not: $1" >&2; return 1; }
shown() { systemctl --user show ingest-tui.service --property="$1" --value; }
"""


@pytest.fixture
def cli_at_home(cli: Cli) -> Cli:
    """A workspace whose user has a home, where unit files go."""
    cli.init()
    return cli


def unit_file(cli: Cli) -> Path:
    return cli.home / ".config" / "systemd" / "user" / "ingest-tui.service"


def test_unit_is_written_seen_and_removed(cli_at_home: Cli) -> None:
    """`install` says what it wrote and what comes next; `status` and `uninstall` know the file; the audit has both."""
    cli = cli_at_home
    assert cli.run("service", "status", "--user", code=4).out.splitlines()[0].endswith("missing")
    done = cli.run("service", "install", "--user", "--json").json
    assert (done["path"], done["changed"]) == (str(unit_file(cli)), True)
    assert done["commands"][1] == "systemctl --user enable --now ingest-tui.service"
    assert unit_file(cli).read_text() == cli.run("service", "print", "--user").out
    assert "--watch" in unit_file(cli).read_text()
    assert cli.run("service", "install", "--user").out.startswith("unchanged: ")
    assert cli.run("service", "status", "--user", "--json").json["file"] == "current"
    assert cli.run("service", "install", "--user", "--metrics", "9464", "--json").json["changed"]
    assert "INGEST_TUI_METRICS=9464" in unit_file(cli).read_text()
    assert cli.run("service", "install", "--user").out.startswith("unchanged: ")
    assert cli.run("service", "status", "--user", "--json").json["file"] == "current"
    assert "no port" in cli.run("service", "install", "--user", "--metrics", "99999", code=2).err
    cli.run("service", "install", "--user", "--metrics", "")
    assert "METRICS" not in unit_file(cli).read_text()
    assert cli.run("service", "uninstall", "--user", "--json").json == {"removed": str(unit_file(cli))}
    assert not unit_file(cli).exists()
    assert "hint: " in cli.run("service", "uninstall", "--user", code=4).err
    actions = [line["action"] for line in cli.run("audit", "--json").lines]
    assert [action for action in actions if action.startswith("service.")] == [
        *(["service.install"] * 3),
        "service.uninstall",
    ]


def test_a_unit_that_a_person_edited_is_left_alone(cli_at_home: Cli) -> None:
    """An edited file is neither overwritten nor removed unless somebody agrees; the hint names the better way."""
    cli = cli_at_home
    cli.run("service", "install", "--user")
    edited = unit_file(cli).read_text().replace("WatchdogSec=300", "WatchdogSec=900")
    unit_file(cli).write_text(edited)
    assert cli.run("service", "status", "--user", "--json").json["file"] == "edited"
    assert "systemctl edit" in cli.run("service", "install", "--user", code=5).err
    assert "agreed" not in cli.run("service", "install", "--user", "--overwrite", code=6).err
    cli.run("service", "uninstall", "--user", code=5)
    cli.run("service", "uninstall", "--user", "--overwrite", code=6)
    assert unit_file(cli).read_text() == edited
    assert cli.run("service", "install", "--user", "--overwrite", "--yes", "--json").json["changed"]
    assert "WatchdogSec=300" in unit_file(cli).read_text()


def test_the_service_of_another_workspace_is_not_touched(cli_at_home: Cli) -> None:
    """Two workspaces need two names: not even --overwrite takes the unit of the other."""
    cli = cli_at_home
    cli.run("service", "install", "--user")
    before = unit_file(cli).read_text()
    cli.workspace = cli.home / "other"
    cli.run("init")
    assert "--name" in cli.run("service", "install", "--user", "--overwrite", "--yes", code=6).err
    cli.run("service", "uninstall", "--user", "--overwrite", "--yes", code=6)
    assert unit_file(cli).read_text() == before
    assert cli.run("service", "install", "--user", "--name", "other", "--json").json["changed"]
    cli.run("service", "install", "--user", "--name", "../other", code=2)


def under_systemd(cli: Cli, script: str) -> str:
    """Run commands of a shell next to a real service manager; returns what they wrote."""
    program = shutil.which("unshare")
    if program is None or not SYSTEMD.exists():
        pytest.skip("needs unshare and systemd")
    environment = cli.environment | {
        "SYSTEMD": str(SYSTEMD),
        "INGEST": " ".join(part.decode() for part in cli.command()),
        "XDG_CONFIG_HOME": str(cli.home / ".config"),
    }
    ended = subprocess.run(
        [program, "--mount", "--propagation", "slave", "sh", "-c", _UNDER_SYSTEMD + script],
        env=environment,
        cwd=cli.home,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.usefixtures("superuser")
@pytest.mark.parametrize("scope", ["user", "system"])
def test_parsers_keep_their_walls_in_the_service(cli_at_home: Cli, scope: str) -> None:
    """Within the limits of the unit each wall around the parsers holds that holds without."""
    cli, said = cli_at_home, cli_at_home.home / "said.json"
    unit = cli.run("service", "print", f"--{scope}").out
    unit = unit.replace("--log-format journal --watch", "doctor --json").replace("Type=notify", "Type=oneshot")
    lines = [line for line in unit.splitlines() if not line.startswith(("Restart", "Watchdog"))]
    at = lines.index("UMask=0077")
    own = [f"StandardOutput=file:{said}", f"Environment=PYTHONPATH={cli.environment['PYTHONPATH']}"]
    unit_file(cli).parent.mkdir(parents=True)
    unit_file(cli).write_text("\n".join([*lines[:at], *own, *lines[at:]]))
    under_systemd(cli, "systemctl --user start ingest-tui.service")
    outside = cli.run("doctor", "--json", code=None).json["checks"]
    inside = json.loads(said.read_text())["checks"]
    walls = [check for check in outside if check["name"].startswith("wall ")]
    assert walls
    assert [check for check in inside if check["name"].startswith("wall ")] == walls


@pytest.mark.usefixtures("superuser")
def test_systemd_starts_reloads_restarts_and_stops_it(cli_at_home: Cli) -> None:
    """The installed service becomes ready, says what it does, reloads, comes back after kill -9, and stops."""
    cli = cli_at_home
    cli.run("service", "install", "--user")
    override = unit_file(cli).with_name("ingest-tui.service.d")
    override.mkdir()
    (override / "test.conf").write_text(
        f"[Service]\nRestartSec=0\nEnvironment=PYTHONPATH={cli.environment['PYTHONPATH']}\n"
    )
    told = under_systemd(
        cli,
        """
        systemctl --user start ingest-tui.service
        echo "started: $(shown ActiveState) $(shown StatusText)"
        systemctl --user reload ingest-tui.service
        wait_for '[ "$(shown ActiveState)" = active ]'
        first=$(shown MainPID)
        kill -9 $first
        wait_for '[ "$(shown NRestarts)" = 1 ] && [ "$(shown ActiveState)" = active ]'
        [ "$(shown MainPID)" != "$first" ]
        $INGEST service status --user
        ! $INGEST service uninstall --user || exit 1
        systemctl --user stop ingest-tui.service
        echo "stopped: $(shown Result) $(shown ActiveState)"
        $INGEST service uninstall --user
        """,
    )
    assert "started: active 0 jobs running" in told
    assert "ActiveState: active" in told
    assert "NRestarts: 1" in told
    assert "stopped: success inactive" in told
    assert not unit_file(cli).exists()
