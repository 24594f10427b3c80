"""What CI runs, what README.md and CONTRIBUTING.md promise of it, and how the pages are linked."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CI = (ROOT / ".ci" / "run").read_text()


def test_ci_runs_the_command_of_the_readme_first() -> None:
    """The first tests that CI runs are those that README.md runs, by the same command."""
    [promised] = re.findall(r"&& (\.venv/bin/pytest.*)", (ROOT / "README.md").read_text())
    assert re.findall(r"\.venv/bin/pytest.*", CI)[0] == promised


def test_ci_runs_each_test_once() -> None:
    """Whatever marks a test has, exactly one of CI's runs selects it; what needs root has one of its own."""
    runs = re.findall(r"bin/pytest .*-m '(.*)'", CI)
    for slow, soak in product((False, True), repeat=2):
        assert sum(bool(eval(run, {"slow": slow, "soak": soak})) for run in runs) == 1, (slow, soak)


def test_ci_runs_the_tests_of_root_as_root_and_all_others_as_a_user() -> None:
    """Where it is root, each command of the environment is run as somebody else, but the tests that need root."""
    commands = [line for line in CI.splitlines() if re.search(r"^[^#]*\.venv/bin/(?!pip )", line)]
    [by_root] = [line for line in commands if '"${as_user[@]}" .venv/bin/' not in line]
    assert by_root.endswith(".venv/bin/pytest -m root")


def test_every_page_is_linked() -> None:
    """README.md, or a page that it links to, leads to each page of docs/."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        waiting += [
            (page.parent / link).resolve() for link in re.findall(r"\]\(([^)#:]+\.md)", page.read_text("utf-8"))
        ]
    assert set((ROOT / "docs").glob("*.md")) <= reached


def test_readme_lists_every_page_once_for_users_or_for_developers() -> None:
    """Its last section has each page of docs/ either under what is for use or under what is for development."""
    more = (ROOT / "README.md").read_text("utf-8").partition("\n## More\n")[2]
    assert ("To use it:" in more, "To develop it:" in more) == (True, True)
    listed = re.findall(r"^- \[docs/(\S+)\]\(docs/\1\):", more, re.MULTILINE)
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


def test_links_lead_somewhere() -> None:
    """Each relative link in README.md, CONTRIBUTING.md and docs/ names a file that is there."""
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:\s]+)[^):]*\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_files_that_the_pages_name_are_there() -> None:
    """A path of the program, of tests or docs in any page, and each test file named by itself, is one of a file."""
    tests = {path.name for path in (ROOT / "tests").rglob("*.py")}
    rooms = "|".join(path.name for path in (ROOT / "src" / "ingest_tui").iterdir() if path.is_dir())
    named = re.compile(rf"`((?:{rooms}|tests|docs|benchmarks|scripts)/[\w/-]+(?:\.\w+)?/?|test_\w+\.py)")
    found = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for name in named.findall(page.read_text("utf-8")):
            is_there = name in tests or any((place / name).exists() for place in (ROOT, ROOT / "src" / "ingest_tui"))
            found.append((page.name, name, is_there))
    assert len(found) > 100
    assert [one for one in found if not one[2]] == []


def test_pre_commit_calls_tools_of_the_environment() -> None:
    """Every hook is local and calls a program that the set-up command installs; nothing is fetched."""
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"repo: (.*)", config)) == {"local"}
    programs = re.findall(r"entry: \.venv/bin/(\S+)", config)
    assert len(programs) == len(re.findall(r"- id:", config))
    assert all((Path(sys.executable).parent / program).exists() for program in programs)


@pytest.mark.parametrize(
    ("version", "changelog", "refusal"),
    [
        ("0.2.0", "## [Unreleased]\n\n## [0.1.0] - 2026-11-29\n\n- old\n", "'0.1.0'"),
        ("0.1.0", "## [Unreleased]\n\n- new\n\n## [0.1.0] - 2026-11-29\n", "1 unreleased"),
        ("0.1.0", "## [Unreleased]\n\n## [0.1.0] - 2026-11-29\n", "not committed"),
    ],
    ids=["another version", "unreleased entries", "changes"],
)
def test_release_refuses_what_does_not_agree(tmp_path: Path, version: str, changelog: str, refusal: str) -> None:
    """A release ends before anything is built when version, changelog and tree do not agree."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "release").write_bytes((ROOT / "scripts" / "release").read_bytes())
    (tmp_path / "src" / "ingest_tui").mkdir(parents=True)
    (tmp_path / "src" / "ingest_tui" / "version.py").write_text(f'__version__ = "{version}"\n')
    (tmp_path / "CHANGELOG.md").write_text(changelog)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    ended = subprocess.run(["bash", "scripts/release"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert refusal in ended.stderr
