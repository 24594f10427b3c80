"""What asks for a person: items that failed, were refused or had no text, and documents with suspiciously little.

Pure: where it is found is the catalogue's business, what to do about it that of the services.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from ingest_tui.model.hashing import short_digest

IssueKind = Literal["failed", "rejected", "empty", "thin"]
ISSUE_KINDS: tuple[IssueKind, ...] = get_args(IssueKind)
THIN_REASON = "little_text"
THIN_FROM_BYTES = 10_000
_THIN_CHARACTERS = 200
_THIN_BYTES_A_CHARACTER = 1_000
THIN_CHUNKS = 2
THIN_BYTES_A_CHUNK = 200_000
# Their text is a sample of their rows by design, see `rows_cut`.
SAMPLED_TYPES = ("application/vnd.apache.parquet",)


@dataclass(frozen=True, slots=True)
class Issue:
    """One item that asks for a person, as it is now, whichever job found it.

    ``mark`` stands for what is wrong with which bytes: it changes when either does. ``ignored_by`` names who said that
    it need not be shown, as long as the mark is the same.
    """

    kind: IssueKind
    reason: str
    source_id: str
    key: str
    uri: str
    detail: str
    collection_id: str
    document_id: str | None
    size: int | None
    job_id: str
    at: str
    mark: str
    ignored_by: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """The source and the key: what an item is known by."""
        return self.source_id, self.key

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "mark"}


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """Items of one kind and reason: how many, and the one that was seen last."""

    kind: IssueKind
    reason: str
    number: int
    newest: Issue
    hint: str = ""
    is_example: bool = False
    """Whether the detail of the newest is another than that of some others."""

    @property
    def shown_detail(self) -> str:
        """The detail of the newest, with its name where it does not hold for all of them."""
        return f"e.g. {self.newest.key}: {self.newest.detail}" if self.is_example else self.newest.detail

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "number": self.number,
            "hint": self.hint,
            "detail": self.newest.detail,
            "newest": self.newest.at,
        }


def mark_of(kind: str, reason: str, fingerprint: str, size: int | None, modified_ns: int | None) -> str:
    """Return what stands for the issue of an item as it is: another when the item or the issue changes."""
    return short_digest(kind, reason, fingerprint, str(size), str(modified_ns), length=16)


def is_thin(raw_bytes: int, chunks: int, characters: int) -> bool:
    """Tell whether a document gave suspiciously little text for what was read: a scan, a shell, a lost body.

    From 10 kB on: less than 200 characters, or less than one for each 1,000 bytes; in at most 2 chunks, and one more
    for each 200 kB. Small files are never thin: a short note is just short.
    """
    return (
        raw_bytes >= THIN_FROM_BYTES
        and chunks <= THIN_CHUNKS + raw_bytes // THIN_BYTES_A_CHUNK
        and characters < max(_THIN_CHARACTERS, raw_bytes // _THIN_BYTES_A_CHARACTER)
    )


def group_issues(issues: Iterable[Issue]) -> list[IssueGroup]:
    """Return the groups by kind and reason, the largest of each kind first, kinds in the order of `ISSUE_KINDS`."""
    groups: dict[tuple[IssueKind, str], IssueGroup] = {}
    for issue in issues:
        known = groups.get((issue.kind, issue.reason))
        if known is None:
            known = IssueGroup(issue.kind, issue.reason, 0, issue)
        newest = max(known.newest, issue, key=lambda one: one.at)
        differs = known.is_example or known.newest.detail != issue.detail
        groups[issue.kind, issue.reason] = replace(known, number=known.number + 1, newest=newest, is_example=differs)
    return sorted(groups.values(), key=lambda group: (ISSUE_KINDS.index(group.kind), -group.number, group.reason))
