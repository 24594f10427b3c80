"""The language data of Tesseract that this system has. It is looked for and never downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
_SUFFIX = ".traineddata"
_NO_LANGUAGES = frozenset({"osd", "equ"})
"""Data that finds how a page is turned, and formulas."""


def tessdata_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Return the folder that Tesseract's data is in, empty when there is none; TESSDATA_PREFIX takes precedence."""
    named = environment.get("TESSDATA_PREFIX", "").rstrip("/")
    candidates = (named, f"{named}/tessdata", *_FOLDERS) if named else _FOLDERS
    return next((folder for folder in candidates if installed_languages(folder)), "")


def installed_languages(folder: str) -> list[str]:
    """Return the languages whose data is in a folder, in order."""
    try:
        found = [path.name.removesuffix(_SUFFIX) for path in Path(folder).iterdir() if path.name.endswith(_SUFFIX)]
    except OSError:
        return []
    return sorted(name for name in found if name not in _NO_LANGUAGES)


def missing_languages(folder: str, languages: Iterable[str]) -> list[str]:
    """Return those of the languages whose data is not there, or holds nothing."""
    return [name for name in languages if not folder or not _holds_data(Path(folder) / (name + _SUFFIX))]


def _holds_data(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def how_to_install(languages: Iterable[str]) -> str:
    """Return the command that installs the data of languages where packages are those of Debian."""
    packages = [f"tesseract-ocr-{name.lower().replace('_', '-')}" for name in languages]
    return f"apt install {' '.join(packages)}"
