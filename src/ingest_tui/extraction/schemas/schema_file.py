"""The file of a schema: read by the parent of the parsers, which get its text."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from ingest_tui.extraction.schemas.json_schema import JsonSchema, UnusableSchemaError
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.source import REJECT_VIOLATIONS, Source
from ingest_tui.model.unicode import as_unicode

if TYPE_CHECKING:
    from ingest_tui.extraction.schemas.table_schema import TableSchema

MAX_SCHEMA_BYTES = 256 * 1024
_CHECKS_VERSION = "1"
"""Changes when the same schema finds something else in the same document."""


@dataclass(frozen=True, slots=True)
class SourceSchema:
    """The schema of a source: its text, and whether violations keep a document out.

    ``digest`` stands for both: what was read under another one is read again.
    """

    text: str
    rejects: bool

    @property
    def digest(self) -> str:
        """A short digest."""
        return short_digest(_CHECKS_VERSION, self.text, str(self.rejects), length=12)


def absolute_schema_path(value: str) -> str:
    """Return the path of a schema as a worker elsewhere finds it; empty stays empty. Raises `ValidationError`."""
    if not value:
        return ""
    if "\0" in value or as_unicode(value) != value:
        raise ValidationError("the path of the schema holds a NUL, or is not UTF-8", setting="schema_file")
    return os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111 - resolve() would follow links


def schema_of(source: Source) -> SourceSchema | None:
    """Return the schema of a source, read and checked; None where it has none.

    Raises `ValidationError` (``schema_unusable``) for a file that is missing, too large, damaged or no schema.
    """
    if not source.schema_file:
        return None
    try:
        text = _read(source.schema_file)
        load_schema(text)
    except UnusableSchemaError as error:
        raise _refusal(source, str(error)) from None
    except OSError as error:
        raise _refusal(source, error.strerror or type(error).__name__) from None
    return SourceSchema(text, rejects=source.schema_violations == REJECT_VIOLATIONS)


def _refusal(source: Source, why: str) -> ValidationError:
    return ValidationError(
        # The name first and the path last: where a long message is cut, its beginning and its end are kept.
        f"the schema {PurePath(source.schema_file).name} cannot be used: {why[:300]} ({source.schema_file})",
        code="schema_unusable",
        hint="correct the file, or name another one with --schema; --schema '' is for none",
        setting="schema_file",
    )


def _read(path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would keep it waiting
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnusableSchemaError("it is no file")
        content = file.read(MAX_SCHEMA_BYTES + 1)
    if len(content) > MAX_SCHEMA_BYTES:
        raise UnusableSchemaError(f"it is larger than {MAX_SCHEMA_BYTES // 1024} KB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableSchemaError("it is not UTF-8") from None


@lru_cache(maxsize=4)
def load_schema(text: str) -> JsonSchema | TableSchema:
    """Return the schema that a text describes, of whichever kind it is. Raises `UnusableSchemaError`."""
    from ingest_tui.extraction.schemas.table_schema import TableSchema  # every job asks whether there is a schema

    try:
        schema = json.loads(text)
        if not isinstance(schema, dict):
            raise UnusableSchemaError("it is no JSON object")
        is_table = isinstance(schema.get("fields"), list) and "properties" not in schema
        return TableSchema.of(schema) if is_table else JsonSchema(schema)
    except ValueError as error:
        raise UnusableSchemaError(f"it is not valid JSON: {error}"[:200]) from None
    except RecursionError:
        raise UnusableSchemaError("it is nested too deep") from None
