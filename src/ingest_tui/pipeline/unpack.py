"""The members of containers become items of their own: each is staged, parsed and committed like a file of the source.

A parser has written them out (`extraction.members`); here they are read back one by one, in the thread of the job,
which waits while too much is in flight. The container is committed after the last of its members: whoever finds it
unfinished after a crash takes it in once more, and passes over the members that are done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import orjson

from ingest_tui.extraction.members import TAKE_HINT, Member, MemberReader
from ingest_tui.model.clock import storable_ns
from ingest_tui.model.counted import counted
from ingest_tui.model.extraction import Finding, ParseResult, members_path
from ingest_tui.model.file_names import safe_extension
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.job import KNOWN_PLAN
from ingest_tui.model.members import (
    MAX_DEPTH,
    MAX_MEMBER_BYTES,
    MAX_MEMBERS,
    distinct_path,
    member_key,
    member_path,
    member_uri,
)
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import KILLS_BEFORE_QUARANTINE
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.pipeline.commit.committer import Committer
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.plan.adoption import adopt_kept_members
from ingest_tui.pipeline.plan.rules import parsers_of
from ingest_tui.pipeline.staged_item import ListedTotals, OpenContainer, StagedItem


class Unpacker:
    """Takes in the members of the containers that parsers have found. Used by the job's thread."""

    def __init__(
        self, job: JobContext, finished_keys: set[str], committer: Committer, extract: Callable[[StagedItem], None]
    ) -> None:
        """``extract`` takes a staged member; ``finished_keys`` have their outcome from an earlier attempt."""
        self._job = job
        self._finished_keys = finished_keys
        self._committer = committer
        self._extract = extract

    def unpack(self, item: StagedItem) -> None:
        """Take in the members of a container, or have it rejected when they are too many or nested too deep."""
        if item.result is None:
            raise ValueError(item.key)
        path = Path(members_path(self._job.staging.normalized(item.item_id)))
        container = _opened(item)
        refusal = _refusal(container, item.result.members, path.stat().st_size)
        item.members = container
        if refusal and item.result.status == "container":
            item.members = None
            item.result = _result(item, "rejected", "archive_bomb", f"refused to unpack: {refusal}", TAKE_HINT)
        elif refusal:  # a mail is here without what is attached to it
            container.damage = refusal
            item.result = without_attachments(item.result, refusal)
        else:
            self._take_all(container, path)
        path.unlink(missing_ok=True)
        if container.end():
            self._committer.resume(item)

    def _take_all(self, container: OpenContainer, path: Path) -> None:
        reader = MemberReader(path)
        try:
            if self._job.reading.kept_members(self._job.source.collection_id, container.item.line.uri):
                self._adopt_kept(container, path)
            for member, pieces in reader.members():
                self._take(container, member, pieces)
        except (ValueError, TypeError, orjson.JSONDecodeError) as error:
            container.damage = f"the parser wrote what is no member: {error}"
        else:
            container.damage = reader.damage

    def _adopt_kept(self, container: OpenContainer, path: Path) -> None:
        """Give the source the documents that a person kept, and that are among the members."""
        item, taken, last_numbers = container.item, set[str](), dict[str, int]()
        members = []
        for member, pieces in MemberReader(path).members():
            deque(pieces, maxlen=0)
            name = distinct_path(member_path(member.name), taken, last_numbers)
            taken.add(name)
            members.append((member_key(item.key, name), member_uri(item.line.uri, name)))
        adopt_kept_members(self._job, item.line.uri, container.listed_key, members)

    def _take(self, container: OpenContainer, member: Member, pieces: Iterator[bytes]) -> None:
        self._job.controls.checkpoint()
        path = distinct_path(member_path(member.name), container.paths, container.last_numbers)
        container.paths.add(path)
        key = member_key(container.item.key, path)
        known = self._job.reading.locations(self._job.source.source_id, [key]).get(key)
        item = StagedItem(
            PlanLine(
                "ingest",
                "new" if known is None else _reason_of(container),
                key,
                member_uri(container.item.line.uri, path),
                size=member.size,
                modified_ns=storable_ns(member.modified_ns),
                document_id=known.document_id if known is not None else None,
                container=container.listed_key,
            ),
            short_digest(self._job.manifest.job_id, key, length=20),
            member.size,
            parent=container,
        )
        self._committer.expect(member.size)
        self._receive(item, member, pieces)
        if self._is_done(item, known):
            self._job.staging.drop(item.item_id)
            self._committer.forget(item)
            if known is not None:
                container.note_outcome(known.outcome, is_news=known.outcome != "unchanged")
            return
        container.begin_member()
        item.result = self._result_without_parsing(item, member)
        if item.result is None:
            self._extract(item)
        else:
            self._committer.add(item)

    def _receive(self, item: StagedItem, member: Member, pieces: Iterator[bytes]) -> None:
        if member.reason:
            return
        received = self._job.staging.receive(item.item_id, safe_extension(item.file_name), pieces)
        item.raw_path, item.size, item.raw_sha256 = received
        item.line = item.line._replace(fingerprint=f"sha256:{item.raw_sha256}")

    def _is_done(self, item: StagedItem, known: KnownPlace | None) -> bool:
        """Whether an earlier attempt at this job is done with a member, and it is still the same."""
        if known is None or item.key not in self._finished_keys:
            return False
        return known.job_id == self._job.manifest.job_id and known.fingerprint == item.line.fingerprint

    def _result_without_parsing(self, item: StagedItem, member: Member) -> ParseResult | None:
        """Return what becomes of a member whose bytes cannot be had, or that is in quarantine; None: it is parsed."""
        if member.reason:
            from ingest_tui.extraction.intake.validation import DEFAULT_HINTS  # with it all that looks at bytes

            hint = DEFAULT_HINTS.get(member.reason, "")
            return _result(item, "failed" if member.failed else "rejected", member.reason, member.detail, hint)
        kill = self._job.reading.kills(self._job.source.source_id, [item.key]).get(item.key)
        is_asked_for = self._job.forced or self._job.manifest.options.get(KNOWN_PLAN)
        if kill is None or kill.kills < KILLS_BEFORE_QUARANTINE or is_asked_for:
            return None
        if (kill.fingerprint, kill.parsers) != (item.line.fingerprint, self._parsers):
            return None
        item.kills = kill.kills
        return _result(
            item, "failed", kill.reason, f"in quarantine: it killed its parser {counted(kill.kills, 'time')}", ""
        )

    @cached_property
    def _parsers(self) -> str:
        return parsers_of(self._job.source, self._job.workspace.settings)


def _opened(item: StagedItem) -> OpenContainer:
    if item.parent is None:
        return OpenContainer(item, 1, ListedTotals())
    return OpenContainer(item, item.parent.depth + 1, item.parent.totals)


def _refusal(container: OpenContainer, members: int, size: int) -> str:
    """Return why the members of a container are not taken, with all that its listed item has already."""
    if container.depth > MAX_DEPTH:
        return f"containers nested more than {MAX_DEPTH} deep"
    container.totals.members += members
    container.totals.bytes += size
    if container.totals.members > MAX_MEMBERS:
        return f"more than {MAX_MEMBERS:,} members, those of containers within it too"
    if container.totals.bytes > MAX_MEMBER_BYTES * 2:
        return "its members are too large, with those of containers within it"
    return ""


def without_attachments(result: ParseResult, refusal: str) -> ParseResult:
    """Return what was read of a document whose attachments are not taken, with a finding that says so."""
    finding = Finding("warning", "attachments_cut", f"its attachments are left out: {refusal}")
    return replace(result, validation=[*result.validation, finding], warnings=[*result.warnings, finding.message])


def _reason_of(container: OpenContainer) -> str:
    reason = container.item.line.reason
    return "changed" if reason in {"new", "upload"} else reason


def _result(item: StagedItem, status: str, reason: str, detail: str, hint: str) -> ParseResult:
    return ParseResult(item.item_id, "failed" if status == "failed" else "rejected", reason, detail, hint)
