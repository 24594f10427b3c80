"""Whoever looks for the tests of a folder of the program finds them in the folder of the same name."""

from __future__ import annotations

import ast
from pathlib import Path

import ingest_tui

PACKAGE = Path(ingest_tui.__file__).parent
TESTED_ELSEWHERE = {
    "": "`__main__.py` and the public names: tests/unit/services/test_python_api.py, tests/cli",
    "tui": "as people see it, through Pilot and pseudo-terminals: tests/tui",
}


def folders_with_logic(package: Path) -> set[str]:
    """Return the folders, relative to ``package``, in which a file defines a function or a class."""
    return {
        path.parent.relative_to(package).as_posix().removeprefix(".")
        for path in package.rglob("*.py")
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.walk(ast.parse(path.read_bytes())))
    }


def folders_with_tests(tests: Path) -> set[str]:
    """Return the folders below ``tests`` that have test files of their own."""
    return {path.parent.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")} - {"."}


def test_each_folder_of_the_program_has_its_folder_of_tests() -> None:
    """But for those that are named above; and no folder of tests is of a folder that is not there."""
    there = folders_with_logic(PACKAGE)
    elsewhere = {folder for folder in there if folder.partition("/")[0] in TESTED_ELSEWHERE}
    assert folders_with_tests(Path(__file__).parent) == there - elsewhere
    assert {folder.partition("/")[0] for folder in elsewhere} == TESTED_ELSEWHERE.keys()


def test_folders_without_tests_are_seen(tmp_path: Path) -> None:
    """Functions, classes and methods count, wherever they are; a docstring or names that are handed on do not."""
    for folder, content in {
        "a": "def f(): ...",
        "a/b": "class C: ...",
        "a/c": '"""Nothing."""\nfrom x import y',
        ".": "if x:\n    def f(): ...",
    }.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "one.py").write_text(content)
    assert folders_with_logic(tmp_path) == {"", "a", "a/b"}
    (tmp_path / "a" / "test_f.py").touch()
    assert folders_with_tests(tmp_path) == {"a"}
