"""How the files of the program depend on each other."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import ingest_tui

PACKAGE = Path(ingest_tui.__file__).parent
SQL = re.compile(r"\b(SELECT|INSERT|REPLACE INTO|DELETE FROM|UPDATE|PRAGMA|CREATE|(?:ATTACH|DETACH)(?=\s))\b")
TIME_OF_DAY = {"time", "time_ns", "now", "utcnow", "today", "gmtime", "localtime"}
SPEAK_SQL = ("store/catalogue/", "index/")
SPEAK_SQL_OF_THEIR_OWN = {
    "store/records/listing_cache.py": "a database that connectors keep their listing in",
    "extraction/backends/sqlite.py": "databases that are documents",
}


def _module(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports_by_file(package: Path) -> dict[str, set[str]]:
    """Return which modules of the program each one imports: anywhere in it, and those for types alone too."""
    files = {_module(path, package.parent): path for path in package.rglob("*.py")}
    return {name: _imported(path, name) & files.keys() - {name} for name, path in files.items()}


def _imported(path: Path, name: str) -> set[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def first_circle(imports: dict[str, set[str]]) -> list[str]:
    """Return a circle of files, each imported by the next one; nothing where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_files_import_each_other_in_a_circle() -> None:
    """No file needs another one that needs it, not even for types or only once a function is called."""
    assert first_circle(imports_by_file(PACKAGE)) == []


def test_a_circle_is_seen_wherever_its_imports_are(tmp_path: Path) -> None:
    """Imports for types, within functions, relative ones and those of a whole module close a circle all the same."""
    for closing in (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ingest_tui.rooms.a import thing",
        "def later():\n    from ingest_tui.rooms import a",
        "from .a import thing",
        "from . import a",
        "import ingest_tui.rooms.a",
    ):
        rooms = tmp_path / "ingest_tui" / "rooms"
        rooms.mkdir(parents=True, exist_ok=True)
        (rooms / "__init__.py").touch()
        (rooms / "a.py").write_text("from ingest_tui.rooms.b import other")
        (rooms / "b.py").write_text(closing)
        assert set(first_circle(imports_by_file(tmp_path / "ingest_tui"))) == {
            "ingest_tui.rooms.a",
            "ingest_tui.rooms.b",
        }


def files_with_sql(package: Path) -> set[str]:
    """Return the files in which a text, or a part of one, has words of SQL in capitals."""
    return {str(path.relative_to(package)) for path in package.rglob("*.py") if _has_sql(ast.parse(path.read_bytes()))}


def _has_sql(tree: ast.Module) -> bool:
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return any(SQL.search(text) for text in texts)


def test_the_catalogue_is_asked_in_two_places_only() -> None:
    """No statement about the catalogue is outside its folder and the full text; who else has a database is named."""
    elsewhere = {name for name in files_with_sql(PACKAGE) if not name.startswith(SPEAK_SQL)}
    assert elsewhere == SPEAK_SQL_OF_THEIR_OWN.keys()


def test_sql_is_seen_wherever_it_is_written(tmp_path: Path) -> None:
    """A statement in a call, in pieces or with values put into it is found; comments and names are none."""
    for number, line in enumerate(('ask("SELECT 1")', 'sql = f"DELETE FROM {table}"', 'sql = (\n"PRAGMA "\n"x")')):
        (tmp_path / f"sql{number}.py").write_text(line)
    (tmp_path / "none.py").write_text("ALLOW_SELECT = False  # SELECT\nsay('Select one, insert another')")
    assert files_with_sql(tmp_path) == {"sql0.py", "sql1.py", "sql2.py"}


def members_of_lines(path: Path) -> list[str]:
    """Return where a file takes a member out of a ``line`` by its name, as one does with a dict."""

    def is_line(node: ast.expr) -> bool:
        return "line" in {getattr(node, "id", ""), getattr(node, "attr", "")}

    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if (isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr == "get"))
        and is_line(node.value)
    ]


def test_the_lines_of_a_plan_are_values_and_no_dicts(tmp_path: Path) -> None:
    """From the plan to the commit a line is a `PlanLine`; what is read by name as of a dict is seen."""
    assert [place for path in (PACKAGE / "pipeline").rglob("*.py") for place in members_of_lines(path)] == []
    example = tmp_path / "example.py"
    example.write_text('line["key"]\nitem.line["key"]\nline.get("size")\nitem.line.get("size")\nline.key\n')
    assert members_of_lines(example) == [f"example.py:{number}" for number in range(1, 5)]


def reads_of_the_clock(path: Path) -> list[str]:
    """Return where a file reads the time of day by itself, called or handed on; durations are measured otherwise."""
    tree = ast.parse(path.read_bytes())
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Attribute)
            and node.attr in TIME_OF_DAY
            and getattr(node.value, "id", getattr(node.value, "attr", "")) in {"time", "datetime", "date"}
        )
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and TIME_OF_DAY & {one.name for one in node.names}
        )
    ]


def test_the_time_of_day_is_read_in_one_place(tmp_path: Path) -> None:
    """Only `model.clock` asks the system what time it is, so that all agree on zone and form; no rule asks there."""
    assert {path.name for path in PACKAGE.rglob("*.py") if reads_of_the_clock(path)} == {"clock.py"}
    readers = re.compile(r"\b(utc_now|rfc3339_now|posix_seconds|posix_ns)\b")
    assert [path.name for path in (PACKAGE / "model").rglob("*.py") if readers.search(path.read_text())] == ["clock.py"]
    example = tmp_path / "example.py"
    example.write_text(
        "time.time()\nnow = time.time_ns\ndatetime.now(UTC)\ndatetime.date.today()\nfrom time import time\n"
        "time.monotonic()\nself.now()\ntime.process_time_ns()\n"
    )
    assert sorted(reads_of_the_clock(example)) == [f"example.py:{number}" for number in range(1, 6)]


PARTS_OF_A_WORKSPACE = frozenset(
    ("sources", "collections", "embedders", "jobs", "documents", "catalogue", "reading", "layout", "settings", "audit")
)


def reaches_into_the_store(path: Path) -> list[str]:
    """Return where a file takes a part of an open workspace, as the services do, instead of calling one of them."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute)
        and node.attr in PARTS_OF_A_WORKSPACE
        and getattr(node.value, "id", getattr(node.value, "attr", "")) == "workspace"
    ]


def test_faces_call_services_and_reach_no_deeper(tmp_path: Path) -> None:
    """The command line and the TUI hand a workspace on; what is in it is the business of the services."""
    faces = [path for room in ("cli", "tui") for path in (PACKAGE / room).rglob("*.py")]
    assert [place for path in faces for place in reaches_into_the_store(path)] == []
    (tmp_path / "face.py").write_text("session.workspace.sources.get(1)\nworkspace.jobs\nlist_jobs(workspace)\n")
    assert sorted(reaches_into_the_store(tmp_path / "face.py")) == ["face.py:1", "face.py:2"]


def types_by_name(package: Path) -> dict[str, list[str]]:
    """Return in which files each public class or alias of a type is defined: what has a name in capitals and small."""
    found: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            for name in _defined_type(node):
                if re.match(r"[A-Z]\w*[a-z]", name):
                    found.setdefault(name, []).append(path.relative_to(package).as_posix())
    return found


def _defined_type(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign) and not re.match(r"(typing\.)?(TypeVar|ParamSpec)\(", ast.unparse(node.value)):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def test_one_name_is_one_type(tmp_path: Path) -> None:
    """Who reads the name of a class, or looks for it, finds one thing"""
    assert {name: files for name, files in types_by_name(PACKAGE).items() if len(files) > 1} == {}
    (tmp_path / "first.py").write_text("class Place:\n    pass\n")
    (tmp_path / "second.py").write_text('Place = tuple[str, str]\nRow = TypeVar("Row")\n_Row = int\nROW = 1\n')
    assert types_by_name(tmp_path) == {"Place": ["first.py", "second.py"]}


def shared_runs(package: Path, length: int) -> dict[str, set[str]]:
    """Return the places in which the same ``length`` lines are: by the first of them, as file and line.

    Blank lines, comments, imports and lone punctuation do not count; white space at the ends does not differ.
    """
    places: dict[tuple[str, ...], set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        lines = [
            (number, line.strip())
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if re.search(r"\w", line) and not re.match(r"\s*(#|from \S+ import |import )", line)
        ]
        for at in range(len(lines) - length + 1):
            run = tuple(line for _number, line in lines[at : at + length])
            places.setdefault(run, set()).add(f"{path.relative_to(package).as_posix()}:{lines[at][0]}")
    return {run[0]: found for run, found in places.items() if len(found) > 1}


def test_no_twelve_lines_are_written_twice(tmp_path: Path) -> None:
    """What two places share has one place of its own."""
    assert shared_runs(PACKAGE, 12) == {}
    lines = [f"x{number} = {number}" for number in range(12)]
    (tmp_path / "first.py").write_text("\n".join(lines))
    (tmp_path / "second.py").write_text("import os\n\n" + "\n# why\n".join(f"    {line}" for line in lines))
    assert shared_runs(tmp_path, 12) == {"x0 = 0": {"first.py:1", "second.py:3"}}


def test_no_message_escapes_a_name_twice() -> None:
    """What `safe_display` made fit to be shown is quoted as it is: repr would escape its backslashes again."""
    again = re.compile(r"\{safe_display\([^{}]*\)!r\}|\{shown!r\}")
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if again.search(line) and 'return f"<' not in line  # how an object calls itself
    ]
    assert not found


def test_no_group_is_repeated_possessively() -> None:
    """`(…)*+` matches what it must not in Python before 3.11.5, as Debian 12 has it; `(?>(…)*)` is right everywhere."""
    possessive = re.compile(r"(?:^|[^(\\])\)(?:[*+?]|\{+[\d,]+\}+)\+")
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and possessive.search(node.value)
    ]
    assert not found
