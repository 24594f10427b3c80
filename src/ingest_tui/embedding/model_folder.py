"""The folder of a local model: its files, its tokenizer, and a digest of what it is. Nothing is ever fetched."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ingest_tui.embedding.base import EmbedderError
from ingest_tui.model.hashing import new_hasher, short_digest
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER = "tokenizer.json"
_PIECE = 1 << 20
_LARGEST_CONFIG = 1 << 20


class ModelFolder:
    """A folder with the files of a model."""

    def __init__(self, path: str) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link that people named
        if not self.path.is_dir():
            raise EmbedderError(
                f"there is no folder {safe_display(str(self.path))}",
                hint="name the folder that holds the files of the model",
                code="model_missing",
            )

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.path.name

    def file(self, names: Iterable[str], *, what: str) -> Path:
        """Return the first of the files that is there; raises `EmbedderError` naming those that would do."""
        names = list(names)
        for name in names:
            path = self.path / name
            if path.is_file():
                return path
        raise EmbedderError(
            f"there is no {what} in {safe_display(str(self.path))}",
            hint=f"looked for {', '.join(safe_display(name) for name in names)}",
            code="model_missing",
        )

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer of the model."""
        from tokenizers import Tokenizer

        path = self.file((TOKENIZER,), what="tokenizer")
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises bare Exceptions
            raise self.damaged(path, error) from None

    def setting(self, file: str, *names: str) -> Any:
        """Return the first of some values in a JSON file of the model; None where there is none."""
        try:
            path = self.path / file
            if path.stat().st_size > _LARGEST_CONFIG:
                return None
            found = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        if not isinstance(found, dict):
            return None
        return next((found[name] for name in names if name in found), None)

    def digest(self, files: Iterable[Path], *also: str) -> str:
        """Return a digest of the contents of files and of further values: another model has another one."""
        return short_digest(*(_hash_of(path) for path in files), *also)

    @staticmethod
    def damaged(path: Path, error: Exception) -> EmbedderError:
        """Return the error of a file that its library cannot read."""
        return EmbedderError(
            f"{safe_display(str(path))} cannot be read ({type(error).__name__}: {safe_display(str(error), limit=160)})",
            hint="is the file whole, and of the kind that its name says?",
            code="model_damaged",
        )


def _hash_of(path: Path) -> str:
    hasher = new_hasher()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return hasher.hexdigest()
