"""Schemas of sources, through whole jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.job import JobState
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.documents import get_document
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.services.sources.trials import draft_of, source_problems
from tests.made_files import zip_bytes
from tests.unit.pipeline.commit.test_attachments import mail

NAMES_ARE_TEXT = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A schema of persons, in a folder whose path fills an error message."""
    path = tmp_path / ("schemas-of-the-house-" * 6) / "person.json"
    path.parent.mkdir()
    path.write_text(json.dumps(NAMES_ARE_TEXT))
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace with a source of a good and a bad record, synced."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "good.json").write_text('{"name": "apples"}')
    (docs / "bad.json").write_text('{"name": 7}')
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        handle.sync("docs")
        yield handle


def fates(workspace: WorkspaceHandle) -> dict[str, tuple[str, str]]:
    """Sync and return key → outcome and reason."""
    manifest = workspace.sync("docs")
    found = (outcome for outcome, _ in job_items(workspace.workspace, manifest.job_id))
    return {one.key: (one.outcome, one.reason) for one in found}


def findings_of(workspace: WorkspaceHandle, key: str) -> list[str]:
    """Return the findings of the document at a key."""
    row = workspace.workspace.reading.locations("docs", [key])[key]
    assert row.document_id is not None
    document = get_document(workspace.workspace, row.document_id)
    folder = workspace.workspace.layout.version(document.collection_id, document.document_id, document.version)
    return [one["message"] for one in json.loads((folder / "ingestion.json").read_text())["validation"]]


@pytest.mark.slow
def test_a_new_schema_looks_at_what_is_there(workspace: WorkspaceHandle, schema: Path) -> None:
    """Documents are read again when a schema is added, changes or goes; in between they are not."""
    edit_source(workspace.workspace, "docs", schema_file=str(schema))
    assert {line.key: line.reason for line in plan_source(workspace.workspace, "docs")} == {
        "good.json": "rules_changed", "bad.json": "rules_changed",
    }  # fmt: skip
    assert fates(workspace) == {"good.json": ("unchanged", "same_content"), "bad.json": ("ingested", "rules_changed")}
    assert findings_of(workspace, "bad.json") == ["/name: 7 is not of type 'string'"]
    assert fates(workspace) == dict.fromkeys(("good.json", "bad.json"), ("unchanged", "same_fingerprint"))
    schema.write_text(json.dumps(NAMES_ARE_TEXT | {"required": ["age"]}))
    assert {fate[0] for fate in fates(workspace).values()} == {"ingested"}
    assert "'age' is a required property" in findings_of(workspace, "good.json")[0]
    edit_source(workspace.workspace, "docs", schema_file="")
    fates(workspace)
    assert findings_of(workspace, "bad.json") == []


def test_violations_can_be_rejections(workspace: WorkspaceHandle, schema: Path) -> None:
    """A document that comes later is kept out, one that is there keeps its last good version; both can come back."""
    docs = Path(workspace.workspace.sources.get("docs").source_config["path"])
    edit_source(workspace.workspace, "docs", schema_file=str(schema), schema_violations="reject")
    (docs / "late.json").write_text('{"name": 8}')
    rejected = ("rejected", "schema_violation")
    assert fates(workspace) == {
        "good.json": ("unchanged", "same_content"), "bad.json": rejected, "late.json": rejected,
    }  # fmt: skip
    assert workspace.workspace.reading.locations("docs", ["bad.json"])["bad.json"].document_id is not None
    assert workspace.workspace.reading.locations("docs", ["late.json"])["late.json"].document_id is None
    edit_source(workspace.workspace, "docs", schema_violations="report")
    assert fates(workspace)["late.json"] == ("ingested", "new")


@pytest.mark.slow
def test_known_bytes_do_not_slip_in(workspace: WorkspaceHandle, schema: Path) -> None:
    """What another source has already is looked into where a schema may keep it out."""
    docs = Path(workspace.workspace.sources.get("docs").source_config["path"])
    edit_source(workspace.workspace, "docs", schema_file=str(schema), schema_violations="reject")
    (docs / "copy.json").write_text('{"name": 7}')
    assert fates(workspace)["copy.json"] == ("rejected", "schema_violation")


@pytest.mark.slow
def test_a_renamed_document_stays_checked(workspace: WorkspaceHandle, schema: Path, tmp_path: Path) -> None:
    """A folder that is renamed is moved without reading, and not taken for one that no schema has seen."""
    docs = Path(workspace.workspace.sources.get("docs").source_config["path"])
    (docs / "in").mkdir()
    (docs / "in" / "more.json").write_text('{"name": "pears"}')
    edit_source(workspace.workspace, "docs", schema_file=str(schema))
    fates(workspace)
    (docs / "in").rename(docs / "out")
    assert fates(workspace)["out/more.json"][0] == "moved"
    assert fates(workspace)["out/more.json"] == ("unchanged", "same_fingerprint")


def test_a_schema_that_is_gone_rejects_nothing(workspace: WorkspaceHandle, schema: Path) -> None:
    """The job fails with the reason and a hint, nothing is looked at; the source can still be edited."""
    edit_source(workspace.workspace, "docs", schema_file=str(schema), schema_violations="reject")
    schema.unlink()
    manifest = workspace.sync("docs")
    assert manifest.state is JobState.FAILED
    assert [(error.code, "--schema" in error.hint) for error in manifest.errors] == [("schema_unusable", True)]
    assert manifest.counters.items_rejected == 0
    assert edit_source(workspace.workspace, "docs", priority=7).priority == 7
    with pytest.raises(ValidationError, match="cannot be used"):
        list(plan_source(workspace.workspace, "docs"))
    assert (
        "cannot be used" in source_problems(workspace.workspace, draft_of(workspace.workspace, "docs"))["schema_file"]
    )


def test_an_unusable_schema_is_not_saved(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """Whoever names a file that is no schema hears it at once, and the source stays as it was."""
    (tmp_path / "other.json").write_text('{"fields": [{"name": "a", "type": "long"}]}')
    for name in ("none.json", "other.json"):
        with pytest.raises(ValidationError, match="cannot be used"):
            edit_source(workspace.workspace, "docs", schema_file=str(tmp_path / name))
    assert workspace.workspace.sources.get("docs").schema_file == ""


@pytest.mark.slow
def test_a_pattern_without_end_is_stopped(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """A schema whose pattern takes for ever costs the document its time limit, and the hint names the schema."""
    path = tmp_path / "slow.json"
    path.write_text(json.dumps({"properties": {"name": {"pattern": "^(a+)+$"}}}))
    settings = json.loads((workspace.workspace.root / "workspace.json").read_text())
    settings |= {"parser_silence_seconds": 3}
    (workspace.workspace.root / "workspace.json").write_text(json.dumps(settings))
    docs = Path(workspace.workspace.sources.get("docs").source_config["path"])
    (docs / "good.json").write_text(json.dumps({"name": "a" * 60 + "!"}))
    with open_workspace(workspace.workspace.root) as fresh:
        edit_source(fresh.workspace, "docs", schema_file=str(path))
        manifest = fresh.sync("docs")
        outcomes = {one.key: one for one, _ in job_items(fresh.workspace, manifest.job_id)}
    assert (outcomes["good.json"].outcome, outcomes["good.json"].reason) == ("failed", "timeout")
    assert outcomes["good.json"].hint.startswith("a pattern of the schema of its source may take so long")


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", ["", "{", '{"type": "whatever"}', "[]", '{"fields": [{"name": "a", "type": "long"}]}']
)
def test_a_schema_that_became_unusable_changes_nothing(workspace: WorkspaceHandle, schema: Path, content: str) -> None:
    """Emptied, cut or invalid: the sync fails and names the file, documents stay as they were, and nothing is read.

    With the schema as it was before, nothing has to be read again.
    """
    edit_source(workspace.workspace, "docs", schema_file=str(schema), schema_violations="reject")
    fates(workspace)
    usable = schema.read_text()
    schema.write_text(content)
    manifest = workspace.sync("docs")
    assert [(error.code, schema.name in error.message) for error in manifest.errors] == [("schema_unusable", True)]
    assert manifest.counters.descriptors_listed == 0
    assert len(workspace.search("apples")) == 1
    schema.write_text(usable)
    assert fates(workspace) == dict.fromkeys(("good.json", "bad.json"), ("unchanged", "same_fingerprint"))


@pytest.mark.slow
def test_members_are_checked_as_documents_are(workspace: WorkspaceHandle, schema: Path) -> None:
    """Archives and mails are read again for a schema; what it rejects within them keeps its last good version."""
    docs = Path(workspace.workspace.sources.get("docs").source_config["path"])
    bad, table = b'{"name": 7}', b"name,age\nplums,x\n"
    (docs / "a.zip").write_bytes(
        zip_bytes({"bad.json": bad + b" ", "good.ndjson": b'{"name": "figs"}\n', "t.csv": table})
    )
    (docs / "m.eml").write_bytes(mail({"attached.json": bad + b"  "}))
    edit_source(workspace.workspace, "docs", attachments="documents")
    fates(workspace)
    edit_source(workspace.workspace, "docs", schema_file=str(schema), schema_violations="reject")
    seen = fates(workspace)
    rejected = ("rejected", "schema_violation")
    assert (seen["a.zip!bad.json"], seen["m.eml!attached.json"]) == (rejected, rejected)
    assert seen["a.zip!good.ndjson"][0] == "unchanged"
    assert all(row.document_id for row in workspace.workspace.reading.members_below("docs", "a.zip"))
    assert set(fates(workspace).values()) == {("unchanged", "same_fingerprint")}
    edit_source(workspace.workspace, "docs", schema_file="")
    assert fates(workspace)["a.zip!bad.json"][0] in {"ingested", "unchanged"}
    assert {row.outcome for row in workspace.workspace.reading.members_below("docs", "m.eml")} <= {
        "ingested",
        "unchanged",
    }
    schema.write_text(json.dumps({"fields": [{"name": "name", "type": "string"}, {"name": "age", "type": "integer"}]}))
    edit_source(workspace.workspace, "docs", schema_file=str(schema), schema_violations="report")
    seen = fates(workspace)
    assert (seen["a.zip!t.csv"][0], seen["a.zip!bad.json"][0]) == ("ingested", "unchanged")
    assert "row 1" in findings_of(workspace, "a.zip!t.csv")[0]
