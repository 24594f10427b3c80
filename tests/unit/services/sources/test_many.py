"""Many sources of a file: all are checked, then added or changed; what is written is what is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import NotFoundError, ValidationError
from ingest_tui.services.sources import kinds
from ingest_tui.services.sources.kinds import describe_source_type, source_kinds
from ingest_tui.services.sources.many import add_many, check_many, export_sources
from ingest_tui.services.sources.source_file import BadSourcesError, SourceProblem
from ingest_tui.services.sources.sources import add_source, edit_source
from ingest_tui.store.workspace import Workspace, init_workspace

TWO = """
sources:
- name: Handbook
  source_type: local
  source_config: {path: /srv/handbook}
- name: papers
  source_type: directory
  source_config:
    path: /srv/papers
    exclude: ['*.tmp']
  schedule: {every: 15m}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose folders of sources all count as there."""
    monkeypatch.setattr("ingest_tui.connectors.local.connector.LocalConnector.validate_config", lambda _self: None)
    workspace, _ = init_workspace(tmp_path / "workspace")
    return workspace


def actions(workspace: Workspace, text: str, **options: Any) -> list[str]:
    """Return what adding a file would do."""
    return [step.action for step in check_many(workspace, text, **options)]


def problems(workspace: Workspace, text: str) -> list[SourceProblem]:
    """Return what is wrong with a file."""
    with pytest.raises(BadSourcesError) as refused:
        check_many(workspace, text)
    return list(refused.value.problems)


def test_sources_are_added_once_and_left_alone_after_that(workspace: Workspace) -> None:
    """With an entry of the audit each; what is there with the same settings has no second one."""
    assert actions(workspace, TWO) == ["add", "add"]
    assert workspace.sources.names() == [], "a check changes nothing"
    assert [step.source.source_id for step in add_many(workspace, TWO)] == ["handbook", "papers"]
    assert workspace.sources.get("papers").schedule is not None
    assert [step.action for step in add_many(workspace, TWO)] == ["leave", "leave"]
    assert [one["action"] for one in workspace.audit.entries()].count("source.add") == 2


def test_other_settings_are_an_error_unless_they_replace(workspace: Workspace) -> None:
    """A file says all of a source: what it leaves out is as usual again. Other sources stay."""
    list(add_many(workspace, TWO))
    edit_source(workspace, "handbook", priority=7)
    add_source(workspace, source_type="local", name="other", config={"path": "/srv"})
    (problem,) = problems(workspace, TWO)
    assert (problem.number, problem.name, problem.line) == (0, "Handbook", 3)
    assert problem.message.startswith("priority: it is there already with other settings")
    steps = list(add_many(workspace, TWO, replaces=True))
    assert [(step.action, step.changed) for step in steps] == [("change", ("priority",)), ("leave", ())]
    assert workspace.sources.get("handbook").priority == 100
    assert workspace.sources.names() == ["handbook", "other", "papers"]
    assert [one["action"] for one in workspace.audit.entries()].count("source.edit") == 2


def test_a_setting_that_is_written_as_usual_changes_nothing(workspace: Workspace) -> None:
    """Defaults may be written out or left out, and a type may have either of its names."""
    list(add_many(workspace, TWO))
    written = (
        TWO.replace("'*.tmp'],", "'*.tmp']")
        .replace("directory", "local")
        .replace("{path: /srv/handbook}", "{path: /srv/handbook, hidden: false}\n  priority: 100\n  enabled: true")
    )
    assert actions(workspace, written) == ["leave", "leave"]


def test_all_that_is_wrong_is_reported_with_its_line_and_nothing_is_added(workspace: Workspace) -> None:
    """Each source that cannot be, at the line of the key that is wrong."""
    text = """sources:
- {name: fine, source_type: local, source_config: {path: /srv}}
- name: late
  source_type: local
  priority: 5000
  source_config:
    pth: /srv
- nme: misspelt
  source_type: local
- name: fine
  source_type: local
- name: keys
  source_type: sharepoint
  source_config: {site: "https://x.sharepoint.com/sites/a", credential: nobody}
- name: words
  source_type: local
  source_config: {path: /srv}
  overrides:
    chunk_sze: 3
- name: upload
  source_type: local
  source_config: {path: /srv}
- {name: typed, source_type: lokal}
- {name: elsewhere, source_type: local, collection_id: nowhere, source_config: {path: /srv}}
"""
    found = problems(workspace, text)
    expected = [
        (1, 5, "priority"), (2, 8, "did you mean 'name'"), (2, 8, "name: this is needed"), (3, 10, "path"),
        (4, 12, "no credential 'nobody'"), (5, 19, "overrides.chunk_sze"), (6, 20, "reserved"), (7, 23, "'lokal'"),
        (8, 24, "no collection 'nowhere'"),
    ]  # fmt: skip
    assert [(one.number, one.line) for one in found] == [(number, line) for number, line, _ in expected]
    assert all(words in one.message for one, (_, _, words) in zip(found, expected, strict=True))
    assert found[0].in_words("s.yaml").startswith("s.yaml:5: sources[1] 'late': ")
    with pytest.raises(BadSourcesError, match="8 of 9 sources"):
        list(add_many(workspace, text))
    assert workspace.sources.names() == []


def test_one_name_is_one_source_of_a_file(workspace: Workspace) -> None:
    """Two entries that would be called alike are refused, however it is written."""
    twice = TWO + "- {name: handbook, source_type: local, source_config: {path: /srv}}\n"
    assert [(one.number, one.message) for one in problems(workspace, twice)] == [
        (2, "name: sources[0] of this file is called so, too")
    ]


def test_a_renamed_source_is_the_one_that_it_was(workspace: Workspace) -> None:
    """An export names its identifier; a file without one finds it by its name."""
    list(add_many(workspace, TWO))
    edit_source(workspace, "papers", name="Articles")
    exported = export_sources(workspace, ["Articles"])
    assert (exported[0]["source_id"], exported[0]["name"]) == ("papers", "Articles")
    assert actions(workspace, json.dumps(exported)) == ["leave"]
    assert actions(workspace, TWO.replace("papers\n", "Articles\n", 1)) == ["leave", "leave"]
    other, _ = init_workspace(workspace.root.parent / "other")
    assert [step.source.source_id for step in add_many(other, json.dumps(exported))] == ["papers"]
    with pytest.raises(NotFoundError):
        export_sources(workspace, ["nobody"])


def test_what_source_show_prints_can_be_added(workspace: Workspace) -> None:
    """What the program keeps and reports next to the settings is passed over."""
    list(add_many(workspace, TWO))
    shown = workspace.sources.get("papers").model_dump(mode="json")
    shown |= {"next_run_at": None, "outcomes": [], "preferences": []}
    assert actions(workspace, json.dumps([shown])) == ["leave"]
    assert "overrides" in problems(workspace, json.dumps([shown | {"preferences": {"chunk_size": 3}}]))[0].message


def test_another_type_is_another_source(workspace: Workspace) -> None:
    """Its documents belong to the type."""
    list(add_many(workspace, TWO))
    git = TWO.replace("source_type: local\n  source_config: {path", "source_type: git\n  source_config: {repository")
    with pytest.raises(BadSourcesError) as refused:
        check_many(workspace, git, replaces=True)
    assert "cannot be changed" in refused.value.problems[0].message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no list of sources"),
        ("- just words", "no object with keys"),
        ("sauces: []", "'sauces' next to"),
        ("sources: {a: 1}", "no list"),
        ("sources: [", "line 1"),
        ('{"sources": [}', "line 1"),
        ("sources:\n- name: a\n  name: b", "line 3: the key 'name' is there twice"),
        ('[{"name": "a", "name": "b"}]', "'name' is there twice"),
        ("sources:\n- since: 2026-02-31", "neither YAML nor JSON"),
        ("a: 1\n---\nb: 2", "line 2"),
        ("[" * 5000, "nested too deep"),
        ("{sources: &a [*a]}", "too large"),
        ("!!python/object/apply:os.getcwd []", "line 1"),
        ("schema_version: 2\nsources: []", "newer version"),
        ("\n".join(["- &a0 x", *(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))]), "too large"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_sources_is_refused(workspace: Workspace, text: str, why: str) -> None:
    """With what is wrong and where; nothing is taken for something else."""
    with pytest.raises(ValidationError) as refused:
        check_many(workspace, text)
    assert why in refused.value.message


def test_json_with_tabs_and_pairs_of_escapes_is_read(workspace: Workspace) -> None:
    """JSON is read as JSON, also where YAML would not take it."""
    text = (
        '{\n\t"sources": [\n\t{"name": "\\ud83d\\ude00 a", "source_type": "local", "source_config": {"path": "/srv"}}]}'
    )
    (step,) = add_many(workspace, text)
    assert step.source.name == "😀 a"


def test_a_type_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program, or an extra, that is not on this machine; another name of a type says whose it is."""
    monkeypatch.setattr("shutil.which", lambda _program: None)
    monkeypatch.setattr(kinds, "find_spec", lambda _module: None)
    listed = {kind.name: kind for kind in source_kinds()}
    assert listed["git"].in_words.endswith("Missing: program git.")
    assert listed["s3"].requires[0].in_words == "extra s3 (missing)"
    assert "Missing" not in listed["local"].in_words
    assert "directory" not in listed
    assert describe_source_type("directory") == "Another name of local."


def test_a_file_of_very_many_sources_is_refused_at_once(workspace: Workspace) -> None:
    """Each would be checked by itself, and reported."""
    with pytest.raises(ValidationError, match="10,001 sources") as refused:
        check_many(workspace, json.dumps([{}] * 10_001))
    assert "split it" in refused.value.hint
