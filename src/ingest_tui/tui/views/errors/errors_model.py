"""What the Errors view shows: groups by reason, opened to their documents where a person has asked for it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_tui.model.issue import Issue, IssueGroup

if TYPE_CHECKING:
    from ingest_tui.services.attention import AttentionItem

GroupKey = tuple[str, str]
SORTS = {"kind": "Failed first, the most frequent reason first", "newest": "Newest first", "reason": "By reason"}


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A group, or one of its documents below it."""

    key: str
    group: IssueGroup
    issue: Issue | None = None
    is_open: bool = False

    @property
    def group_key(self) -> GroupKey:
        """What the group is known by."""
        return self.group.kind, self.group.reason


@dataclass(frozen=True, slots=True)
class ErrorList:
    """All errors of a workspace as they were read, grouped, with hints."""

    groups: tuple[IssueGroup, ...] = ()
    issues: tuple[Issue, ...] = ()
    failing: tuple[AttentionItem, ...] = ()
    """Sources of which nothing can come in."""

    def of(self, groups: Collection[GroupKey], keys: Collection[str]) -> list[Issue]:
        """Return the errors of whole groups and single ones by the keys of their lines, each once."""
        return [one for one in self.issues if (one.kind, one.reason) in groups or line_key(one) in keys]


def line_key(issue: Issue) -> str:
    """Return the key of the line of one error."""
    return f"{issue.source_id}\0{issue.key}"


def group_line_key(group: GroupKey) -> str:
    """Return the key of the line of a group; no source is called so."""
    return f"\0{group[0]}\0{group[1]}"


def searchable(issue: Issue) -> str:
    """Return what the filter looks into."""
    return f"{issue.key} {issue.source_id} {issue.kind} {issue.reason} {issue.detail}".lower()


def arrange(
    errors: ErrorList,
    *,
    passes: Callable[[str], bool] | None = None,
    opened: Collection[GroupKey] = (),
    sort: str = "kind",
    backwards: bool = False,
) -> tuple[list[ErrorLine], int]:
    """Return the lines to show and how many errors pass the filter. Groups without one that does are left out."""
    passing: dict[GroupKey, list[Issue]] = {}
    for issue in errors.issues:
        if passes is None or passes(searchable(issue)):
            passing.setdefault((issue.kind, issue.reason), []).append(issue)
    groups = [group for group in errors.groups if (group.kind, group.reason) in passing]
    if sort == "newest":
        groups.sort(key=lambda group: group.newest.at, reverse=True)
    elif sort == "reason":
        groups.sort(key=lambda group: group.reason)
    if backwards:
        groups.reverse()
    lines: list[ErrorLine] = []
    for group in groups:
        key = (group.kind, group.reason)
        members = passing[key]
        shown = IssueGroup(group.kind, group.reason, len(members), group.newest, group.hint)
        lines.append(ErrorLine(group_line_key(key), shown, is_open=key in opened))
        if key in opened:
            lines += [ErrorLine(line_key(member), shown, member) for member in members]
    return lines, sum(map(len, passing.values()))
