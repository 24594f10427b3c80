"""An export of the audit, checked: by itself, and against the audit of the workspace."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ingest_tui.model.errors import NotFoundError, ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.jobs.audit_trail import DIGEST
from ingest_tui.store.records.audit_chain import CHAIN, digest_of
from ingest_tui.store.records.journal import encode_line
from ingest_tui.store.workspace import Workspace

_MOST_FINDINGS = 100


@dataclass(slots=True)
class AuditCheck:
    """What a check of an export has found: lines that were ``changed`` and that the workspace does ``not_here`` have.

    Both are numbers of lines of the export, from 1. ``gaps``: where lines between two are not in the export; one that
    was narrowed has them. ``head``: the digest of its last line.
    """

    lines: int = 0
    gaps: int = 0
    head: str = ""
    changed: list[int] = field(default_factory=list)
    not_here: list[int] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every line is as it was written, here too."""
        return not self.changed and not self.not_here

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"clean": self.is_clean, **asdict(self)}


def check_export(workspace: Workspace, export: Path) -> AuditCheck:
    """Check an export of JSON lines: whether each line is what its digest says, and is in the audit of the workspace.

    So an export that was kept elsewhere proves what the audit had then. Raises `ValidationError` for what is none.
    """
    here = {digest for _entry, digest in workspace.audit.entries_with_digests()}
    report, before = AuditCheck(), ""
    try:
        with export.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                entry = _entry(line, number)
                digest = str(entry.pop(DIGEST, ""))
                report.lines += 1
                if digest_of(encode_line(entry)) != digest:
                    _add(report.changed, number)
                elif digest not in here:
                    _add(report.not_here, number)
                report.gaps += bool(before) and entry.get(CHAIN) != before
                report.head = before = digest
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {safe_display(str(export))}", hint="name an export") from None
    return report


def _entry(line: bytes, number: int) -> dict[str, Any]:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        entry = None
    if not isinstance(entry, dict) or not entry:
        raise ValidationError(
            f"line {number} is none of an export of the audit",
            hint="only JSON lines can be checked: 'ingest-tui audit export FILE' writes them",
        )
    return entry


def _add(found: list[int], number: int) -> None:
    if len(found) < _MOST_FINDINGS:
        found.append(number)
