"""Every hostile name through the whole pipeline: nothing lost, nothing twice, nothing outside the workspace."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.keys import file_uri, key_from_bytes
from ingest_tui.services.documents.explain import explain
from tests.cli.running import assert_counters_add_up
from tests.hostile.hostile_connector import SLOPPY_KEY, uri_of
from tests.hostile.hostile_lab import PROBLEM_SOURCES, HostileCli, assert_harmless, snapshot
from tests.hostile.hostile_names import CATEGORIES, FILES, NAMES, OTHERS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile names")]


def test_the_catalogue_of_names_is_large_and_has_no_name_twice() -> None:
    """There are at least 300 different names, each is a file or comes from the connector, each key and word is one."""
    assert len({name.raw for name in NAMES}) == len({name.key for name in NAMES}) == len({name.word for name in NAMES})
    assert len(NAMES) == len(FILES) + len(OTHERS) == sum(map(len, CATEGORIES.values())) >= 300
    assert len(FILES) >= 300


def test_every_name_is_ingested_exactly_once(hostile: HostileCli) -> None:
    """Each of the names has one outcome, ingested, and one document, and the counters of both jobs add up."""
    outcomes: Counter[tuple[str, str]] = Counter()
    for source_id in ("docs", "take"):
        manifest = next(one for one in hostile.manifests() if one["source_id"] == source_id)
        assert manifest["state"] == "succeeded"
        assert_counters_add_up(manifest)
        outcomes.update((key, outcome) for key, (outcome, _) in hostile.outcomes(manifest["job_id"]).items())
    assert outcomes == Counter((name.key, "ingested") for name in NAMES)
    with open_workspace(hostile.workspace) as handle:
        assert Counter(document.key for document in handle.documents) == Counter(name.key for name in NAMES)


def test_every_document_is_found_by_its_word(hostile: HostileCli) -> None:
    """The full text leads from the content of each item to its name, and nowhere else."""
    with open_workspace(hostile.workspace) as handle:
        keys = {document.document_id: document.key for document in handle.documents}
        for name in NAMES:
            assert [keys[hit.document_id] for hit in handle.search(name.word)] == [name.key]


def test_every_document_is_explained_by_key_address_and_path(hostile: HostileCli) -> None:
    """A document is explained by the key that listings show, by its address, and a file by its path."""
    asked = [(name, name.key) for name in NAMES]
    asked += [(name, uri_of(name)) for name in OTHERS]
    asked += [(name, file_uri(os.fsencode(hostile.docs) + b"/" + name.raw)) for name in FILES[::10]]
    asked += [(name, os.fsdecode(os.fsencode(hostile.docs) + b"/" + name.raw)) for name in FILES]
    with open_workspace(hostile.workspace) as handle:
        for name, target in asked:
            story = explain(handle.workspace, target)
            assert story.here, (name, target)
            assert story.document is not None
            assert story.document.key == name.key, (name, target)
            assert any(event.what == "commit: ingested" for event in story.events), (name, target)
            assert_harmless("\n".join(story.lines()))


def test_every_document_can_be_named_on_the_command_line(hostile: HostileCli) -> None:
    """`doc explain` and `doc text` take the key of any document that fits an argument, and the path of any file."""
    asked = [(name, name.key.encode()) for name in NAMES if name.fits_a_command_line]
    asked += [(name, b"docs/" + name.raw) for name in FILES[::20]]
    texts = hostile.run_each(*(("doc", "text", "--", target) for _, target in asked))
    stories = hostile.run_each(*(("doc", "explain", "--", target) for _, target in asked[::20]))
    assert [name for (name, _), told in zip(asked, texts, strict=True) if name.word not in told.out] == []
    assert all(story.out.startswith("here: searchable in version 1") for story in stories)


def test_a_second_sync_finds_everything_unchanged(another: HostileCli) -> None:
    """The names are known again: nothing is fetched, moved, retired or there twice, also after a rebuild."""
    another.run_each(("rebuild",), ("sync", "docs"), ("sync", "take"))
    jobs = another.jobs()
    for source_id, number in (("docs", len(FILES)), ("take", len(OTHERS))):
        assert Counter(another.outcomes(jobs[source_id]).values()) == {("unchanged", "same_fingerprint"): number}
    with open_workspace(another.workspace) as handle:
        assert len(handle.documents) == len(NAMES)


@pytest.mark.parametrize("share", [pytest.param(1, marks=pytest.mark.slow), 40])
def test_documents_can_be_retired_and_restored(another: HostileCli, share: int) -> None:
    """The trash holds the documents of whatever names, and gives each of them back searchable."""
    with open_workspace(another.workspace) as handle:
        chosen = {document.document_id: document.key for document in handle.documents[::share]}
    (removed,) = another.run_each(("doc", "remove", "--yes", "--json", *chosen))
    assert removed.json == {"removed": len(chosen)}
    (listed,) = another.run_each(("doc", "list", "--retired", "--json", "--limit", "9999"))
    assert {document["key"] for document in listed.json} == set(chosen.values())
    (restored,) = another.run_each(("doc", "restore", *chosen))
    assert restored.out.count("restored ") == len(chosen)
    with open_workspace(another.workspace) as handle:
        assert len(handle.search("payload", limit=9999)) == len(NAMES)


def test_uploads_of_every_name(another: HostileCli) -> None:
    """Files of hostile names that are given by hand become documents too."""
    paths = [Path(os.fsdecode(b"docs/" + name.raw)) for name in FILES if b"/" not in name.raw]
    another.run_each(("collection", "add", "uploads"), ("upload", "--collection", "uploads", "--", *paths))
    with open_workspace(another.workspace) as handle:
        keys = {document.key for document in handle.documents if document.collection_id == "uploads"}
    assert keys == {f"uploads/{key_from_bytes(os.fsencode(path.name))}" for path in paths}


def test_trouble_costs_every_item_its_own_outcome(hostile: HostileCli) -> None:
    """Items that cannot be read fail and items that are not let in are rejected, each of them."""
    jobs = hostile.jobs()
    assert Counter(hostile.outcomes(jobs["fail"]).values()) == {("failed", "unreadable"): len(NAMES)}
    assert Counter(hostile.outcomes(jobs["refuse"]).values()) == {("rejected", "too_large"): len(NAMES)}
    manifests = {manifest["source_id"]: manifest for manifest in hostile.manifests()}
    assert (manifests["locked"]["state"], manifests["locked"]["errors"][0]["code"]) == ("failed", "authentication")
    assert (manifests["gaps"]["state"], len(manifests["gaps"]["warnings"])) == ("partial", 20)


def test_a_connector_that_breaks_the_contract_costs_only_that_item(another: HostileCli) -> None:
    """A key with lone surrogates, which no file of ours can hold, is rejected in words; the others come in."""
    another.run_each(
        ("collection", "add", "sloppy"),
        ("source", "add", "hostile", "sloppy", "--path", "sloppy", "--collection", "sloppy"),
        ("sync", "sloppy"),
    )
    outcomes = another.outcomes(another.jobs()["sloppy"])
    key = key_from_bytes(SLOPPY_KEY.encode("utf-8", "surrogatepass"))
    assert outcomes.pop(key) == ("rejected", "invalid_name")
    assert set(outcomes.values()) == {("ingested", "new")}
    assert len(outcomes) == len(OTHERS)


def test_the_workspace_is_made_of_plain_names(hostile: HostileCli) -> None:
    """No foreign name, nor any part of one, is a file name in the workspace."""
    plain = re.compile(rb"[a-z0-9][a-z0-9._-]*")
    names = {
        part
        for path in snapshot(hostile.workspace)
        for part in path.removeprefix(os.fsencode(hostile.workspace)).split(b"/")
    }
    assert [name for name in names if name and not plain.fullmatch(name)] == []
    assert len(list(hostile.workspace.glob("documents/default/*/*/v0001/ingestion.json"))) == len(NAMES)


def test_files_of_the_workspace_can_be_shown(hostile: HostileCli) -> None:
    """Manifests, plans, outcomes, logs, records and the audit log are JSON, and `cat` shows them without harm."""
    # Raw files and texts are what the sources had; only what is written about them is ours.
    paths = (path for path in hostile.workspace.rglob("*.json*") if not path.name.startswith("raw."))
    files = [path for path in paths if path.suffix in {".json", ".jsonl"}]
    kinds = {path.name for path in files}
    assert {"manifest.json", "plan.jsonl", "outcomes.jsonl", "log.jsonl", "ingestion.json", "audit.jsonl"} <= kinds
    for path in files:
        content = path.read_text(encoding="utf-8")
        assert_harmless(content)
        for part in content.splitlines() if path.suffix == ".jsonl" else [content]:
            assert isinstance(json.loads(part), dict)


def test_names_are_in_the_journals_as_they_are(hostile: HostileCli) -> None:
    """What is escaped for showing reads as the very name again."""
    for source_id, names in (("docs", FILES), ("take", OTHERS), *((trouble, NAMES) for trouble in ("fail", "refuse"))):
        folder = hostile.workspace / "jobs" / hostile.jobs()[source_id]
        for journal in ("plan.jsonl", "outcomes.jsonl"):
            lines = map(json.loads, (folder / journal).read_text().splitlines())
            assert Counter(line["key"] for line in lines if line.get("action") != "end") == Counter(
                n.key for n in names
            )
    assert set(PROBLEM_SOURCES) < set(hostile.jobs())
