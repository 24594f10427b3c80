"""The label of a version: what a person gave it, else file name and number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def usual_label(file_name: str, version: int) -> str:
    """Return the label of a version that nobody gave one."""
    return f"{file_name} (version {version})"


def given_label(label: str, version: int) -> str:
    """Return the label of a version where a person gave it, else nothing."""
    return "" if label.endswith(f"(version {version})") else label


def label_of_copy(record: Mapping[str, Any], file_name: str, version: int) -> str:
    """Return the label of a version that has the content of another, whose ingestion record is ``record``.

    What a person said of the content is true of the copy too; a name with a number is not.
    """
    given = given_label(str(record.get("version_label", "")), int(record["version"]))
    return given or usual_label(file_name, version)
