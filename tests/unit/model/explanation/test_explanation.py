"""The matrix of `doc explain`: each way in which something is absent or stale, and what is said of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.document import Document
from ingest_tui.model.explanation.decision import decide
from ingest_tui.model.explanation.facts import Event, Facts, FolderFacts, Retirement, SourceFacts
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.sighting import Sighting

AT = "2026-11-28T12:00:00.000Z"
DOCUMENT = Document(
    "d0c", "default", "docs", "local", "file:///docs/a.txt", "a.txt", "a", "a.txt", "text/plain", 2, "0" * 64, "1" * 64,
    10, 1, "plain", "active", AT, AT, "job-1",
)  # fmt: skip
RETIRED = DOCUMENT._replace(state="retired")
SOURCE = SourceFacts("docs")
GONE = Sighting("gone")
LISTED = Descriptor("a.txt", "file:///docs/a.txt", "f", 10, 1)
ITEM = Sighting("item", descriptor=LISTED)
REMOTE = Sighting("unknown")


def place(outcome: str = "ingested", reason: str = "new", **changes: Any) -> KnownPlace:
    """What is known of a.txt; without a document unless its id is given."""
    known = KnownPlace(
        "docs", "a.txt", "file:///docs/a.txt", "default", None, "f", 10, 1, outcome, reason, "", "", "job", AT, None
    )
    return known._replace(**changes)


def here(**facts: Any) -> Facts:
    """A document that is searchable and at its source, but for what is given."""
    row = place(document_id="d0c")
    usual: dict[str, Any] = {"source": SOURCE, "now": ITEM, "document": DOCUMENT, "place": row, "places": 1}
    return Facts("a.txt", **usual | facts)


def absent(**facts: Any) -> Facts:
    """A file that is at its source and that nothing is known of, but for what is given."""
    usual: dict[str, Any] = {"source": SOURCE, "now": ITEM}
    return Facts("a.txt", **usual | facts)


def source(**changes: Any) -> SourceFacts:
    """The source, otherwise than usual."""
    return replace(SOURCE, **changes)


def known_as(outcome: str, reason: str, **facts: Any) -> Facts:
    """A file that became no document."""
    return absent(place=place(outcome, reason), **facts)


def in_trash(reason: str, **facts: Any) -> Facts:
    """A document that was retired."""
    usual: dict[str, Any] = {"document": RETIRED, "retirement": Retirement(reason, "ana@host", AT), "now": GONE}
    return absent(**usual | facts)


EXCLUDED = ("excluded", "it does not match the patterns")
TOO_LARGE = ("too_large", "60 MB; the limit of this source is 50 MB")
RETIRED_EVENT = Event("job-1", AT, "commit: retired", "not_listed", "", "", "d0c")

# way: the facts, whether it is stale, the reason, words of the verdict, words of the hint
HERE: dict[str, tuple[Facts, bool, str, str, str]] = {
    "as it is": (here(), False, "present", "here: searchable in version 2", ""),
    "at two places": (here(places=2), False, "present", "at 2 places", ""),
    "duplicate": (
        here(place=place("duplicate", "same_content", document_id="d0c", uri="file:///docs/b.txt")),
        False, "duplicate", "as a duplicate of file:///docs/a.txt", "",
    ),
    "its original went": (here(place=place("duplicate", "same", document_id="d0c")), False, "present", "was a dup", ""),
    "changed": (here(changed=True), True, "changed", "the next sync takes that", "sync docs"),
    "changed, a job runs": (
        here(changed=True, source=source(active_job="j", active_state="running")),
        True, "changed", "job j is at work", "job show j",
    ),
    "gone": (here(now=GONE), True, "gone", "retires it, or holds that for a person", "sync docs"),
    "gone, source disabled": (here(now=GONE, source=source(enabled=False)), True, "gone", "disabled", "source enable"),
    "excluded by a tightened pattern": (
        here(left_out=EXCLUDED, filters_changed=True), True, "excluded", "holds its deletion", "plan docs",
    ),
    "too large by a tightened limit": (
        here(left_out=TOO_LARGE, filters_changed=True), True, "too_large", "holds its deletion", "--max-size",
    ),
    "outgrew the limit": (
        here(left_out=TOO_LARGE, changed=True), True, "too_large", "keeps this version", "--max-size",
    ),
    "held": (
        here(now=GONE, held_by="job-2", held_reason="mass_deletion"), True, "held", "too many at once", "approve job-2",
    ),
    "held, excluded": (
        here(held_by="job-2", held_reason="excluded", left_out=TOO_LARGE), True, "held", "leaves it out", "refuse",
    ),
    "newest bytes unreadable": (
        here(place=place("failed", "malformed", document_id="d0c")),
        True, "malformed", "the last good version is kept", "errors retry --source docs",
    ),
    "newest bytes encrypted": (
        here(place=place("rejected", "encrypted", document_id="d0c")), True, "encrypted", "last good", "the password",
    ),
    "source gone": (
        here(now=Sighting("source_gone", "the folder does not exist: /docs")),
        True, "source_gone", "nothing is deleted", "source test docs",
    ),
    "source damaged": (here(source=source(state="damaged")), True, "source_damaged", "missing or damaged", "doctor"),
    "source removed, documents kept": (
        here(source=source(state="kept")), False, "kept", "a person keeps it", "doc remove d0c",
    ),
    "a source that is no more": (here(source=source(state="removed")), False, "no_source", "no source", "source add"),
    "became a link": (
        here(now=Sighting("link", "it is a symbolic link")), True, "symlink", "does not follow", "--follow-symlinks",
    ),
    "folder unreadable": (
        here(now=Sighting("unreadable", "its folder x cannot be read: permission denied")),
        True, "unreadable", "its folder x", "sync docs",
    ),
    "not looked into": (
        here(source=source(gap="gone", gap_place="x")), True, "unreadable", "could not look there (x: gone)", "sync",
    ),
    "upload": (here(source=source(state="upload")), False, "uploaded", "added by hand", ""),
    "upload, file changed": (
        here(source=source(state="upload"), changed=True), True, "changed", "changed since", "ingest-tui upload",
    ),
    "upload, replaced": (here(was_version=1), True, "replaced", "version 1 came from here", "--version 1"),
    "rolled back": (
        here(place=place(reason="rolled_back", document_id="d0c")), True, "rolled_back", "here", "a forced sync",
    ),
    "upload, rolled back": (
        here(place=place(reason="rolled_back", document_id="d0c"), source=source(state="upload")),
        True, "rolled_back", "here", "'ingest-tui doc rollback d0c' goes back",
    ),
    "a folder": (
        absent(folder=FolderFacts(3, 1)), False, "folder", "documents: 3, in the trash: 1", "one of its files",
    ),
    "the root": (absent(folder=FolderFacts(3, is_root=True)), False, "folder", "the folder of source 'docs'", "one of"),
    "a folder that is gone": (absent(now=GONE, folder=FolderFacts(3)), True, "gone", "it is gone", "sync docs"),
}  # fmt: skip

ABSENT: dict[str, tuple[Facts, str, str, str]] = {
    "no sync yet": (absent(source=source(synced=False)), "never_synced", "never synced", "sync docs"),
    "not listed yet": (absent(), "not_listed_yet", "no sync has seen it yet", "sync docs"),
    "not listed, remote": (absent(now=REMOTE), "not_listed_yet", "no sync has seen it", "plan docs"),
    "job queued": (
        absent(source=source(active_job="j", active_state="queued")), "job_queued", "j of its", "worker start",
    ),
    "job running": (absent(source=source(active_job="j", active_state="running")), "job_running", "at work", "show j"),
    "job paused": (absent(source=source(active_job="j", active_state="paused")), "job_paused", "paused", "resume j"),
    "interrupted": (absent(source=source(active_job="j", active_state="interrupted")), "job_interrupted", "j", "start"),
    "source disabled": (absent(source=source(enabled=False)), "source_disabled", "disabled", "source enable docs"),
    "last sync failed": (absent(source=source(failure="no route")), "sync_failed", "failed: no route", "sync docs"),
    "unsettled": (
        absent(events=(Event("j", AT, "list: unchanged", "unsettled", ""),)), "unsettled", "being written", "sync docs",
    ),
    "hidden, excluded": (absent(left_out=EXCLUDED), "excluded", "leaves it out", "source edit docs --help"),
    "too large": (absent(left_out=TOO_LARGE), "too_large", "60 MB", "--max-size SIZE"),
    "too old": (absent(left_out=("too_old", "before 2020")), "too_old", "before 2020", "--since ''"),
    "type": (absent(left_out=("type_not_allowed", "it is pdf")), "type_not_allowed", "it is pdf", "--any-type"),
    "link": (absent(now=Sighting("link", "it is a symbolic link")), "symlink", "symbolic link", "--follow-symlinks"),
    "link out": (
        absent(now=Sighting("link", "it is a symbolic link that leads nowhere", follows=True)),
        "symlink", "never followed", "source of its own",
    ),
    "special file": (
        absent(now=ITEM._replace(descriptor=LISTED._replace(refusal=("special_file", "it is a socket")))),
        "special_file", "it is a socket", "regular files",
    ),
    "unreadable": (
        absent(now=Sighting("unreadable", "it cannot be read")), "unreadable", "cannot be read", "sync docs",
    ),
    "source gone": (absent(now=Sighting("source_gone", "the folder is gone")), "source_gone", "reached", "source test"),
    "source damaged": (absent(source=source(state="damaged")), "source_damaged", "damaged", "doctor"),
    "no source": (absent(source=None), "not_covered", "no source covers it", "source add"),
    "sources unreadable": (
        absent(source=None, damaged_sources=("s",)), "source_damaged", "missing or damaged: s", "doctor",
    ),
    "never there": (absent(now=GONE), "gone", "no such file", "renamed"),
    "renamed": (
        absent(now=GONE, events=(Event("j", AT, "commit: moved", "renamed", "moved to b.txt"),)),
        "moved", "moved to b.txt", "doc explain b.txt",
    ),
    "renamed to what a shell splits": (
        absent(now=GONE, events=(Event("j", AT, "commit: moved", "renamed", "moved to b; rm x"),)),
        "moved", "moved to b; rm x", "by its own address",
    ),
    "unsupported": (known_as("rejected", "unsupported_type"), "unsupported_type", "rejected at", "doctor"),
    "encrypted": (known_as("rejected", "encrypted"), "encrypted", "rejected at", "remove the password"),
    "empty": (known_as("empty", "empty"), "empty", "empty at", "no text in it"),
    "archived": (known_as("rejected", "archived"), "archived", "rejected", "restore it at the source"),
    "failed before": (known_as("failed", "malformed"), "malformed", "passed over until", "errors retry --source docs"),
    "failed, will pass": (known_as("failed", "network"), "network", "failed at", "tries again by itself"),
    "what the error said to do": (
        known_as("failed", "malformed", events=(Event("j", AT, "extract: failed", "malformed", "", "fetch it again"),)),
        "malformed", "failed", "fetch it again; it is read again when",
    ),
    "quarantine": (known_as("failed", "memory", kills=2), "memory", "killed its parser 2 times", "parser_memory"),
    "failed, changed since": (known_as("failed", "malformed", changed=True), "malformed", "changed since", "sync docs"),
    "refused upload": (
        absent(place=place("rejected", "encrypted", source_id="upload"), source=source(state="upload")),
        "encrypted", "rejected", "remove the password and put the file in place again; then upload it again",
    ),
    "refused, gone since": (known_as("failed", "malformed", now=GONE), "gone", "no such file", "renamed"),
    "removed": (
        known_as("retired", "removed", document=RETIRED, retirement=Retirement("removed", "ana@host", AT)),
        "removed", "by ana@host; it stays out until it changes", "doc restore d0c",
    ),
    "removed, changed since": (
        known_as("retired", "removed", document=RETIRED, changed=True), "removed", "next sync takes it", "sync docs",
    ),
    "removed, purged": (known_as("retired", "removed"), "removed", "trash was emptied", "sync docs --force"),
    "gone from its source": (in_trash("not_listed"), "not_listed", "no longer listed it", "doc restore d0c"),
    "excluded and approved": (
        in_trash("not_listed", events=(Event("j", AT, "commit: retired", "excluded", ""),)),
        "excluded", "a person approved", "doc restore d0c",
    ),
    "source removed": (
        in_trash("source_removed", source=source(state="removed")), "source_removed", "was removed", "doc restore d0c",
    ),
    "replaced": (in_trash("replaced", now=REMOTE), "replaced", "another document", "doc restore d0c"),
    "in the trash, back at its source": (in_trash("not_listed", now=ITEM), "not_listed", "next sync takes it", "sync"),
    "trash emptied": (
        absent(now=GONE, events=(RETIRED_EVENT,)), "purged", "trash was emptied", "put the file in place",
    ),
    "lives on elsewhere": (
        absent(now=GONE, events=(RETIRED_EVENT,), lives_on=DOCUMENT),
        "other_place", "still searchable, at file:///docs/a.txt", "doc explain file:///docs/a.txt",
    ),
    "several of that name": (
        absent(source=None, names=("file:///x/a.txt", "file:///y/a.txt")),
        "ambiguous", "2 items have that name", "doc explain file:///x/a.txt",
    ),
    "an empty folder": (absent(folder=FolderFacts(0)), "folder", "documents: 0", "one of its files"),
    "an excluded folder": (
        absent(folder=FolderFacts(0), left_out=EXCLUDED), "excluded", "leaves it out", "source edit",
    ),
    "a folder of no source": (absent(source=None, folder=FolderFacts(0)), "folder", "no source covers", "source add"),
}  # fmt: skip


@pytest.mark.parametrize("way", HERE)
def test_what_is_here(way: str) -> None:
    """What is searchable is called here, stale where it is not as at its source, and a stale one gets a hint."""
    facts, stale, reason, words, hint = HERE[way]
    verdict = decide(facts)
    assert (verdict.here, verdict.stale, verdict.reason) == (True, stale, reason), verdict
    assert verdict.text.startswith("here: ")
    assert words in verdict.text
    assert hint in verdict.hint
    assert verdict.hint or not stale


@pytest.mark.parametrize("way", ABSENT)
def test_what_is_not_here(way: str) -> None:
    """What is not searchable is called so, with its reason, and always with something to do."""
    facts, reason, words, hint = ABSENT[way]
    verdict = decide(facts)
    assert (verdict.here, verdict.stale, verdict.reason) == (False, False, reason), verdict
    assert verdict.text.startswith("not here: ") or reason == "ambiguous"
    assert words in verdict.text
    assert hint in verdict.hint
    assert verdict.hint


def test_reasons_are_codes() -> None:
    """Reasons are stable words for scripts, and the retry of a permanent failure is only promised where it works."""
    verdicts = [decide(row[0]) for row in HERE.values()] + [decide(row[0]) for row in ABSENT.values()]
    assert all(re.fullmatch(r"[a-z_]+", verdict.reason) for verdict in verdicts)
    assert "errors retry" not in decide(ABSENT["refused upload"][0]).hint
