"""The schema of workspace.json and the example of an environment are those of the program."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema

from ingest_tui.store.records.settings import SETTING_NAMES, Settings, variable_of

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from make_settings_files import files  # noqa: E402


def test_the_files_are_those_of_the_program() -> None:
    """Somebody who changes a setting runs ``python docs/make_settings_files.py``."""
    for path, text in files().items():
        assert path.read_text() == text, path


def test_the_example_lists_each_variable_once() -> None:
    """Each setting is there, and nothing is switched on by copying the file."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert all(not line or line.startswith("#") for line in lines)
    for name in SETTING_NAMES:
        assert sum(line.startswith(f"# {variable_of(name)}=") for line in lines) == 1, name


def test_the_schema_takes_what_the_program_writes() -> None:
    """A workspace.json with default settings follows the schema, one with a wrong value does not."""
    schema = json.loads((ROOT / "docs" / "workspace.schema.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    plain = Settings().model_dump(mode="json")
    assert check.is_valid(plain | {"theme": "dark"})
    assert not check.is_valid(plain | {"ocr": "sometimes"})
    assert not check.is_valid(plain | {"max_running_jobs": 0})
