"""The errors of a workspace over all jobs: what failed, was refused, or has (nearly) no text; retry or ignore it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, NotFoundError, UsageError
from ingest_tui.model.issue import (
    ISSUE_KINDS,
    THIN_REASON,
    Issue,
    IssueGroup,
    IssueKind,
    group_issues,
    mark_of,
)
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.remedies import KNOWN_REASONS, remedy_for
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.selector import Selector
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.source import RESERVED_SOURCES
from ingest_tui.services.documents.addresses import addresses_of
from ingest_tui.services.jobs.jobs import job_plan, write_plan_and_queue
from ingest_tui.store.catalogue import queries
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.records.journal import lines_with
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.submit import new_manifest

__all__ = [
    "Issue",
    "IssueGroup",
    "RetryReport",
    "find_issues",
    "group_issues",
    "grouped_issues",
    "groups_with_hints",
    "ignore_issues",
    "list_open_issues",
    "retry_issues",
]

_THIN_HINT = "read it: a scan needs OCR, and another backend may find more; ignore it when it is right so"
_ANY_SOURCE = "SOURCE"
_REFUSED_FROM_LISTING = "refused by the settings of its source: change those, then sync"
_UPLOADED = "it was uploaded: upload it again"
_MOST_NAMED = 100
_PLACES_NAMED = 5


@dataclass(slots=True)
class RetryReport:
    """What a retry came to: the jobs that were queued, how many items they have, and what they leave out, and why."""

    jobs: list[str] = field(default_factory=list)
    items: int = 0
    left_out_total: int = 0
    left_out: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}

    def leave_out(self, issues: Iterable[Issue], reason: str) -> None:
        """Note what is not retried; the first ones by name."""
        for issue in issues:
            self.left_out_total += 1
            if len(self.left_out) < _MOST_NAMED:
                self.left_out.append({"source_id": issue.source_id, "key": issue.key, "reason": reason})


def _is_selected(issue: Issue, selector: Selector, now: datetime) -> bool:
    """Tell whether an item is selected. What failed has no media type: a type is the ending of its key."""
    ending = f".{(selector.media_type or '').lstrip('.').casefold()}"
    return (
        selector.collection_id in {None, issue.collection_id}
        and selector.source_id in {None, issue.source_id}
        and (selector.media_type is None or issue.key.casefold().endswith(ending))
        and selector.takes(key=issue.key, uri=issue.uri, at=issue.at, now=now)
    )


def list_open_issues(
    workspace: Workspace,
    *,
    kinds: Collection[str] | None = None,
    reasons: Collection[str] | None = None,
    source_id: str | None = None,
    ignored: bool | None = False,
    selector: Selector | None = None,
) -> list[Issue]:
    """Return what asks for a person now, newest first, documents with little text last.

    Only the last look at each item counts: what has succeeded since is not an error any more. ``ignored``: those that
    were ignored instead (True), or both (None). `is_thin` in model/issue.py says what little text is.

    Raises `UsageError` for reasons that cannot be.
    """
    if source_id is not None and source_id not in RESERVED_SOURCES:
        workspace.sources.get(source_id)
    said, now = workspace.ignored.all(), utc_now()
    found, seen = [], set[str]()
    for issue in _all_issues(workspace, kinds):
        seen.add(issue.reason)
        if (source_id is not None and issue.source_id != source_id) or (reasons and issue.reason not in reasons):
            continue
        if selector is not None and not _is_selected(issue, selector, now):
            continue
        known = said.get(issue.place)
        is_ignored = known is not None and known.mark == issue.mark
        if ignored is None or ignored == is_ignored:
            found.append(replace(issue, ignored_by=known.by) if known is not None and is_ignored else issue)
    _refuse_unknown(set(reasons or ()) - seen)
    return found


def _refuse_unknown(reasons: Collection[str]) -> None:
    """Raise `UsageError` for a reason that nothing here has, and that nothing ever had."""
    known = KNOWN_REASONS | {THIN_REASON}
    for reason in sorted(set(reasons) - known):
        raise UsageError(
            f"there is no reason '{safe_display(reason)}'",
            hint=f"{did_you_mean(reason, known)}'ingest-tui errors list --by-reason' shows those that there are",
        )


def _all_issues(workspace: Workspace, kinds: Collection[str] | None) -> Iterator[Issue]:
    wanted = set(kinds or ISSUE_KINDS)
    if wanted - {"thin"}:
        for row in queries.places_with_issues(workspace.reading):
            if row.outcome in wanted:
                yield _issue(row, row.outcome, row.reason, row.detail, row.size)  # type: ignore[arg-type]
    if "thin" in wanted:
        for row, characters in queries.places_of_thin_documents(workspace.reading):
            if row.outcome not in ISSUE_KINDS:
                size = row.size or 0
                yield _issue(
                    row, "thin", THIN_REASON, f"{counted(characters, 'character')} of {counted(size, 'byte')}", row.size
                )


def _issue(row: KnownPlace, kind: IssueKind, reason: str, detail: str, size: int | None) -> Issue:
    mark = mark_of(kind, reason, row.fingerprint, size, row.modified_ns)
    return Issue(
        kind, reason, row.source_id, row.key, row.uri, detail, row.collection_id, row.document_id, size, row.job_id,
        row.at, mark,
    )  # fmt: skip


def find_issues(workspace: Workspace, targets: Sequence[str], *, ignored: bool | None = False) -> list[Issue]:
    """Return the issues at addresses, keys or paths, or of a file name that one item alone has.

    Raises `NotFoundError` where there is none, `UsageError` for a name that several have.
    """
    issues = list_open_issues(workspace, ignored=ignored)
    found: list[Issue] = []
    for target in targets:
        addresses = {*addresses_of(target), target}
        there = [one for one in issues if addresses & {one.uri, one.key, one.document_id}] or _named(issues, target)
        if not there:
            hint = "'ingest-tui errors list' shows what there is; 'ingest-tui doc explain PATH' explains one"
            raise NotFoundError(f"there is no error at '{safe_display(target, limit=200)}'", hint=hint)
        found += there
    return list(dict.fromkeys(found))


def _named(issues: Iterable[Issue], name: str) -> list[Issue]:
    """Return the issues of the one item of a file name, which is no path."""
    there = [] if not name or "/" in name else [one for one in issues if file_name_of(one.key) == name]
    places = list(dict.fromkeys(one.uri or one.key for one in there))
    if len(places) > 1:
        more = f" and {len(places) - _PLACES_NAMED} more" if len(places) > _PLACES_NAMED else ""
        shown = ", ".join(safe_display(place, limit=200) for place in places[:_PLACES_NAMED])
        raise UsageError(
            f"{counted(len(places), 'item is', 'items are')} called '{safe_display(name)}': {shown}{more}",
            hint="give the address of the one that is meant",
            code="ambiguous",
        )
    return there


def grouped_issues(workspace: Workspace, *, ignored: bool = False) -> tuple[list[IssueGroup], list[Issue]]:
    """Return the errors as they are now, or those that are ignored: grouped, with hints, and one by one."""
    issues = list_open_issues(workspace, ignored=ignored)
    return groups_with_hints(workspace, issues), issues


def groups_with_hints(workspace: Workspace, issues: Iterable[Issue]) -> list[IssueGroup]:
    """Return issues grouped by kind and reason, each group with what to do about it.

    That is what the newest of the group said when it happened, as far as its job is still there.
    """
    issues = list(issues)
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in issues:
        sources[one.kind, one.reason].add(one.source_id)
    return [
        replace(group, hint=_hint_of_group(workspace, group, sources[group.kind, group.reason]))
        for group in group_issues(issues)
    ]


def _hint_of_group(workspace: Workspace, group: IssueGroup, sources: set[str]) -> str:
    if group.kind == "thin":
        return _THIN_HINT
    source_id = next(iter(sources)) if len(sources) == 1 else _ANY_SOURCE
    return remedy_for(group.kind, group.reason, source_id=source_id, said=_hint_of(workspace, group.newest))


def _hint_of(workspace: Workspace, issue: Issue) -> str:
    try:
        path = workspace.jobs.paths(issue.job_id).outcomes
    except IngestError:
        return ""
    lines = lines_with(path, encode_json(issue.key))
    hints = [line.get("hint", "") for line in lines if line["key"] == issue.key]
    return str(hints[-1]) if hints else ""


def ignore_issues(workspace: Workspace, issues: Sequence[Issue], *, ignore: bool = True) -> int:
    """Show issues no more until something else is wrong or the item changes; or show them again. Returns how many.

    Who did so is in the audit log, once for each call.
    """
    if not issues:
        return 0
    by, at = requester(), rfc3339_now()
    workspace.ignored.note(((one.place, one.mark) for one in issues), ignore=ignore, by=by, at=at)
    named = [f"{one.source_id}: {one.key}" for one in issues[:_MOST_NAMED]]
    action = "errors.ignore" if ignore else "errors.unignore"
    workspace.audit.add(at=at, by=by, action=action, target=named[0], items=len(issues), named=named)
    return len(issues)


def retry_issues(workspace: Workspace, issues: Sequence[Issue]) -> RetryReport:
    """Queue one job for each source that fetches and reads the items again, whatever jobs they failed in.

    What a source's own settings refuse from the listing is left out, and so are uploads, whose files are gone. Raises
    `UsageError` when nothing is left.
    """
    report = RetryReport()
    by_source: dict[str, list[Issue]] = defaultdict(list)
    for issue in issues:
        by_source[issue.source_id].append(issue)
    for source_id, of_source in by_source.items():
        try:
            source = workspace.sources.get(source_id)
        except IngestError as error:
            report.leave_out(of_source, _UPLOADED if source_id == "upload" else error.message)
            continue
        lines = list(_plan_lines(workspace, _in_listed_items(workspace, source_id, of_source), report))
        if not lines:
            continue
        # Read again even where the bytes are known: a document is thin because of how it was read.
        options = {"force": True} if any(one.kind == "thin" for one in of_source) else {}
        manifest = new_manifest(source, kind="sync", trigger="retry", by=requester(), **options)
        write_plan_and_queue(workspace, manifest, lines)
        report.jobs.append(manifest.job_id)
        report.items += len(lines)
        at = rfc3339_now()
        workspace.audit.add(at=at, by=requester(), action="errors.retry", target=manifest.job_id, items=len(lines))
    if not report.jobs:
        why = report.left_out[0]["reason"] if report.left_out else "nothing was chosen"
        raise UsageError(f"there is nothing to retry: {why}", hint="'ingest-tui errors list' shows what there is")
    return report


def _in_listed_items(workspace: Workspace, source_id: str, issues: list[Issue]) -> list[Issue]:
    """Return issues with those of members replaced by their containers, each once: only these can be fetched."""
    rows = workspace.reading.locations(source_id, [one.key for one in issues])
    containers = workspace.reading.locations(source_id, {row.container for row in rows.values()})
    listed: dict[str, Issue] = {}
    for one in issues:
        row = rows.get(one.key)
        container = containers.get(row.container) if row is not None and row.container else None
        if container is not None:
            one = replace(  # noqa: PLW2901 - the same issue, of what can be fetched
                one,
                key=container.key,
                uri=container.uri,
                document_id=None,
                size=container.size,
                job_id=container.job_id,
            )
        listed.setdefault(one.key, one)
    return list(listed.values())


def _plan_lines(workspace: Workspace, issues: list[Issue], report: RetryReport) -> Iterator[PlanLine]:
    """Yield a line of a plan for each item: what its own job had planned, made an order to take it."""
    by_job: dict[str, dict[str, Issue]] = defaultdict(dict)
    for issue in issues:
        by_job[issue.job_id][issue.key] = issue
    for job_id, waiting in by_job.items():
        for line in _plan_of(workspace, job_id):
            wanted = waiting.pop(line.key, None)
            if wanted is None:
                continue
            if line.action == "reject":
                report.leave_out([wanted], _REFUSED_FROM_LISTING)
            else:
                yield _order(line, wanted)
        # Their job is gone, or knew them under another name.
        yield from (_order(PlanLine("ingest", "", one.key, one.uri, size=one.size), one) for one in waiting.values())


def _plan_of(workspace: Workspace, job_id: str) -> Iterator[PlanLine]:
    try:
        yield from job_plan(workspace, job_id)
    except IngestError:
        return


def _order(line: PlanLine, issue: Issue) -> PlanLine:
    return line._replace(
        action="ingest",
        reason="retry",
        detail=f"was {issue.kind} ({issue.reason})",
        document_id=line.document_id if issue.document_id is None else issue.document_id,
        from_key=None,
    )
