"""The Dockerfile of docs/container.md: what it promises, and its steps as far as they run without a container."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import SOURCE_TREE

PAGE = Path(__file__).parents[2] / "docs" / "container.md"


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments."""
    [block] = re.findall(r"```dockerfile\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def those(word: str) -> list[str]:
    return [rest for instruction, rest in steps() if instruction == word]


def environment() -> dict[str, str]:
    return dict(rest.split("=", 1) for rest in those("ENV"))


def test_it_runs_as_an_ordinary_user_and_names_no_registry() -> None:
    """The user is a number other than 0, set before what is run; the image it begins with names no host."""
    [user] = those("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    order = [word for word, _ in steps()]
    assert order.index("USER") < order.index("ENTRYPOINT") < order.index("CMD")
    [image] = those("FROM")
    assert "/" not in image
    assert not re.search(r"https?://|index-url", PAGE.read_text(encoding="utf-8").partition("```dockerfile")[2])
    assert json.loads(those("ENTRYPOINT")[0]) == ["ingest-tui"]
    assert json.loads(those("CMD")[0]) == ["--watch"]


def test_only_critical_findings_make_it_unhealthy(tmp_path: Path) -> None:
    """The check ends with 0 for well and for a warning, else with 1, the one code that means unhealthy there."""
    [check] = those("HEALTHCHECK")
    command = check.partition("CMD ")[2]
    program = tmp_path / "ingest-tui"
    for code, expected in {0: 0, 1: 0, 2: 1, 4: 1, 5: 1}.items():
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)
        ended = subprocess.run(["sh", "-c", command], env={"PATH": f"{tmp_path}:/bin"}, check=False, timeout=20)
        assert ended.returncode == expected, code


@pytest.mark.slow
def test_its_steps_run(tmp_path: Path) -> None:
    """Every RUN works in a scratch folder, with a wheel that pip installs from the files that were copied."""
    (build := tmp_path / "build").mkdir()
    shutil.copy(PAGE.parents[1] / "constraints.txt", build)
    make_wheel(build / "ingest_tui-0-py3-none-any.whl")
    for step in those("RUN"):
        command = re.sub(r"(?<=[ ])/(build|opt|data)\b", rf"{shlex.quote(str(tmp_path))}/\1", f" {step}")
        command = command.replace("pip install", "pip install --no-index").replace("python3", sys.executable)
        command = command.replace("10001:10001", f"{os.getuid()}:{os.getgid()}")
        subprocess.run(["sh", "-ec", command], check=True, timeout=150, capture_output=True)
    assert not build.exists()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    said = subprocess.run([tmp_path / "opt/ingest-tui/bin/ingest-tui"], capture_output=True, text=True, check=True)
    assert said.stdout == "installed\n"


def make_wheel(path: Path) -> None:
    """Write a wheel of the program's name that says it is installed; the release script tries the true one."""
    import zipfile

    info = "ingest_tui-0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("ingest_said.py", "def main():\n    print('installed')\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: ingest-tui\nVersion: 0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\ningest-tui = ingest_said:main\n")
        wheel.writestr(f"{info}/RECORD", f"ingest_said.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


# As the container is run: a root file system that is read-only, a /tmp of its own, no capabilities, an ordinary user.
_AS_CONTAINED = """
set -e
mount --bind "$DATA" "$DATA"
for point in $(awk '{ print $5 }' /proc/self/mountinfo | sort -r); do
    [ "$point" = "$DATA" ] || mount -o remount,bind,ro "$point" 2>/dev/null || :
done
! touch "$SOURCES/x" 2>/dev/null || exit 99
mount -t tmpfs tmpfs /run
cd "$DATA"
run() { setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all "$@"; }
! run touch "$SOURCES/x" 2>/dev/null || exit 99
run $PROGRAM init
run $PROGRAM source add local handbook --path "$SOURCES"
run $PROGRAM sync handbook
run $PROGRAM search words
run $PROGRAM health
"""


def python_of_everybody(values: dict[str, str]) -> str:
    """Return a Python that an ordinary user can run with our packages; skips where there is none."""
    for program in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        # By a shell: setpriv itself starts programs that its user may not.
        command = ["sh", "-c", 'exec "$0" -c "import click, apsw"', program]
        as_user = ["setpriv", "--reuid", "10001", "--regid", "10001", "--clear-groups", *command]
        if subprocess.run(as_user, env=values, capture_output=True, check=False).returncode == 0:
            return program
    pytest.skip("an ordinary user cannot run this Python")


@pytest.mark.slow
@pytest.mark.usefixtures("superuser")
def test_what_it_runs_needs_no_root_and_writes_its_volume_only() -> None:
    """On a read-only file system an ordinary user makes the workspace, syncs, searches, and is well."""
    unshare = shutil.which("unshare") or pytest.skip("needs unshare")
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    folder = Path("/var/tmp") / f"ingest-tui-container-{os.getpid()}"  # below what an ordinary user may enter
    try:
        (data := folder / "data").mkdir(parents=True)
        (sources := folder / "sources").mkdir()
        (sources / "a.md").write_text("# A\n\nsome words\n")
        os.chown(data, 10001, 10001)
        data.chmod(0o700)
        values = {
            **{name: value.replace("/data", str(data)) for name, value in environment().items()},
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "PYTHONPATH": os.pathsep.join([str(SOURCE_TREE), *filter(lambda path: "site-packages" in path, sys.path)]),
            "DATA": str(data),
            "SOURCES": str(sources),
            "TMPDIR": str(data),
        }
        values["PROGRAM"] = f"{python_of_everybody(values)} -m ingest_tui"
        ended = subprocess.run(
            [unshare, "--mount", "--propagation", "private", "sh", "-c", _AS_CONTAINED],
            env=values,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "OK: 1 document of 1 source," in ended.stdout
    finally:
        shutil.rmtree(folder, ignore_errors=True)
