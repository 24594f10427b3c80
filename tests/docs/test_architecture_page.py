"""docs/architecture.md names what is there: every folder of the program, and files and functions that exist."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ingest_tui"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALKS = [section for section in re.split(r"^## ", PAGE, flags=re.MULTILINE) if section.startswith(("Where", "How"))]
NAME = r"[A-Z]\w+\.\w+|[A-Za-z_]\w+"


def place_of(path: str) -> Path:
    """Return where a path of the page is: below the program, but for tests and docs."""
    return (ROOT if path.startswith(("tests/", "docs/")) else SOURCE) / path


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the functions, classes, methods and constants that a file defines."""
    names: set[str] = set()

    def note(body: list[ast.stmt], prefix: str) -> None:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(prefix + statement.name)
            if isinstance(statement, ast.ClassDef):
                note(statement.body, f"{statement.name}.")
            targets = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", [])
            names.update(prefix + target.id for target in targets if isinstance(target, ast.Name))

    note(ast.parse(place_of(path).read_text(encoding="utf-8")).body, "")
    return frozenset(names)


def test_every_folder_is_in_the_map() -> None:
    """The table of the rooms has each folder of the program, and none that is not there."""
    [table] = re.findall(r"^\| Folder .*?\n\n", PAGE, flags=re.MULTILINE | re.DOTALL)
    listed = set(re.findall(r"`([a-z0-9_/]+)/`", table))
    there = {str(file.parent.relative_to(SOURCE)) for file in SOURCE.rglob("*.py")} - {"."}
    assert listed == there


def test_every_file_that_is_named_exists() -> None:
    """Each path of the page leads to a file or a folder."""
    for path in re.findall(r"`([\w/]+(?:/|\.(?:py|md|toml)))`", PAGE):
        assert place_of(path).exists() or (ROOT / path).exists(), path


def test_every_function_that_is_named_exists() -> None:
    """A name that follows a file is defined in it, and each other one of a walk in a file of the page."""
    for path, name in re.findall(rf"`([\w/]+\.py)`\s+`({NAME})`", PAGE):
        assert name in names_in(path), f"{path}: {name}"
    defined = set().union(*(names_in(path) for path in re.findall(r"`([\w/]+\.py)`", PAGE)))
    for walk in WALKS:
        for name in re.findall(rf"`({NAME})`", walk):
            assert name in defined, name


@pytest.mark.parametrize("question", ["a key press", "a descriptor", "a query"])
def test_the_walks_are_there(question: str) -> None:
    """Where these go is written down step by step."""
    [walk] = [walk for walk in WALKS if walk.startswith(f"Where does {question} go?")]
    assert len(re.findall(r"^\d+\. ", walk, flags=re.MULTILINE)) >= 4


def test_the_picture_shows_what_the_contract_allows() -> None:
    """Rooms in the picture import downwards as the layers of the import contract have them, and all are in it."""
    [picture] = re.findall(r"```mermaid\n(.*?)```", PAGE, flags=re.DOTALL)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "rooms"]
    rooms_of = [re.findall(r"\w+", re.sub(r"\(\w+\)", "", layer)) for layer in layers]  # in brackets: not there yet
    level = {room: number for number, rooms in enumerate(rooms_of) for room in rooms if room != "version"}
    arrows = [
        (above, below)
        for left, right in re.findall(r"^ +([\w &]+) --> ([\w &]+)$", picture, flags=re.MULTILINE)
        for above in left.split(" & ")
        for below in right.split(" & ")
    ]
    assert all(level[above] < level[below] for above, below in arrows)
    assert {room for arrow in arrows for room in arrow} == level.keys()
