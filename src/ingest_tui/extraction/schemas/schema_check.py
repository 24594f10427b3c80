"""Checks one document against the schema of its source, while it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest_tui.extraction.schemas.json_schema import JsonSchema
from ingest_tui.extraction.schemas.schema_file import load_schema
from ingest_tui.extraction.schemas.violations import VIOLATION, Violations
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Finding
from ingest_tui.model.foreign_errors import described, is_library_failure

_NOT_CHECKED = "schema_not_checked"
_TAKEN_ANYWAY = "'ingest-tui source edit SOURCE --schema-violations report' takes it anyway"
_HINT = f"correct it at the source, or the schema; {_TAKEN_ANYWAY}"


class SchemaCheck:
    """Checks one document while its backend reads it. Made for each document; ``schema`` is the text of the schema.

    A JSON Schema checks JSON and NDJSON, a Table Schema checks tables. Whatever else a document is, it is not checked.
    """

    def __init__(self, schema: str, *, rejects: bool) -> None:
        self._schema = load_schema(schema)
        self._rejects = rejects
        self._violations = Violations()
        self._failure = ""

    @property
    def checks_json(self) -> bool:
        """Whether it is a JSON Schema."""
        return isinstance(self._schema, JsonSchema)

    def value(self, value: Any, line: int | None = None) -> None:
        """Check a JSON value; of JSON lines the one on that line (from 1)."""
        schema = self._schema
        if not isinstance(schema, JsonSchema) or self._violations.is_full:
            return
        where = "" if line is None else f"line {line}, "
        try:
            for violation in schema.violations(value):
                self._violations.add(lambda found=violation: where + found.as_text())  # type: ignore[misc]
                if self._violations.is_full:
                    return
        except BaseException as error:
            if not is_library_failure(error):
                raise
            self._note_failure(error)

    def no_json(self, line: int | None = None) -> None:
        """Note a text that is no JSON, or one line of it."""
        if self.checks_json:
            self._violations.add(lambda: "not valid JSON" if line is None else f"line {line}: not valid JSON")

    def table(self, name: str, columns: Mapping[int, str], rows: Sequence[Sequence[str]], *, as_shown: bool) -> None:
        """Check a table: its ``columns`` by their position in the ``rows`` (stripped texts, which may be short).

        ``as_shown``: its values are texts made from typed ones, such as numbers by the format of their cells.
        """
        if isinstance(self._schema, JsonSchema):
            return
        where = f"{' '.join(name.split())[:60]}, " if name else ""
        try:
            self._schema.check(columns, rows, self._violations, where=where, as_shown=as_shown)
        except BaseException as error:
            if not is_library_failure(error):
                raise
            self._note_failure(error)

    def _note_failure(self, error: BaseException) -> None:
        why = "it is nested too deep" if isinstance(error, RecursionError) else described(error)
        self._failure = f"it cannot be checked against the schema of its source: {why}"[:MAX_FINDING_CHARACTERS]

    def findings(self) -> list[Finding]:
        """Return what was found. Raises `ItemRejectedError` (``schema_violation``) where violations keep it out."""
        found = self._violations.findings()
        if self._failure:
            found.insert(0, Finding("error", _NOT_CHECKED, self._failure))
        if found and self._rejects:
            number = self._violations.number
            message = found[0].message
            if number > 1 and not self._failure:
                message = f"{counted(number, 'violation')} of the schema, first: {message}"
            raise ItemRejectedError(message[:MAX_FINDING_CHARACTERS], code=VIOLATION, hint=_HINT)
        return found
