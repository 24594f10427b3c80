"""The filters of a query as conditions on the table ``documents``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from ingest_tui.index.base import Condition
from ingest_tui.model.search_query import QueryFilter

AT_A_PLACE: Final = "document_id IN (SELECT document_id FROM locations WHERE source_id = ? AND document_id IS NOT NULL)"
"""Whether a document is at a place of a source. Places without one are left out: with NULL among them, NOT is NULL."""
THIS_AT_A_PLACE: Final = (
    "EXISTS (SELECT 1 FROM locations l WHERE l.document_id = documents.document_id AND +l.source_id = ?)"
)
"""The same for one document at a time: the first goes through all places of a source."""

# How a value is compared, with ? for the value. Patterns are those of LIKE, in which ASCII has no case. Most titles are
# the name of the file: these are compared once, since all documents may have to be.
_CONDITIONS: Final = {
    "source": f"(source_id = ? OR {AT_A_PLACE})",
    "collection": "collection_id = ?",
    "type": "(media_type LIKE ? ESCAPE '\\' OR media_type LIKE ? ESCAPE '\\' OR file_name LIKE ? ESCAPE '\\')",
    "path": "(key LIKE ? ESCAPE '\\' OR uri LIKE ? ESCAPE '\\')",
    "title": "(title LIKE ? ESCAPE '\\' OR (file_name <> title AND file_name LIKE ? ESCAPE '\\'))",
    "after": "updated_at >= ?",
    "before": "updated_at < ?",
}


def narrowed(condition: Condition, filters: Sequence[QueryFilter]) -> Condition:
    """Return a condition with the filters of a query: any value of a field will do, but none that is excluded."""
    parts, values = [f"({condition.sql})"], list(condition.values)
    by_field: dict[str, list[QueryFilter]] = defaultdict(list)
    for one in filters:
        if one.excluded:
            sql, more = _condition(one)
            parts.append(f"NOT {sql}")
            values += more
        else:
            by_field[one.field].append(one)
    for same in by_field.values():
        conditions = [_condition(one) for one in same]
        joined = " AND " if same[0].field in {"after", "before"} else " OR "
        parts.append(f"({joined.join(sql for sql, _ in conditions)})")
        values += [value for _, more in conditions for value in more]
    return Condition(" AND ".join(parts), values)


def _condition(one: QueryFilter) -> tuple[str, list[Any]]:
    sql = _CONDITIONS[one.field]
    if one.field == "type":
        kind = _pattern(one.value.lstrip("."))
        return sql, [f"{kind}%", f"%/{kind}", f"%.{kind}"]
    value = f"%{_pattern(one.value)}%" if one.field in {"path", "title"} else one.value
    return sql, [value] * sql.count("?")


def _pattern(text: str) -> str:
    """Return a pattern of LIKE in which ``*`` stands for anything."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")
