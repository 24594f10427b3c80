"""Whatever sources there are: what an export writes is what `source add --from-file` reads, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.cli.formats import as_json, as_yaml
from ingest_tui.connectors.registry import connector_class, source_types
from ingest_tui.model.source import Source
from ingest_tui.services.sources.many import check_many, export_sources
from ingest_tui.services.sources.sources import new_source
from ingest_tui.store.workspace import Workspace, init_workspace

CONFIGS: dict[str, dict[str, Any]] = {
    "local": {"path": "/srv/a b", "include": ["*.md", "no", "- x: 'y'"], "hidden": True},
    "directory": {"path": "/srv/…/#x"},
    "confluence": {"url": "https://x.example.org/wiki", "credential": "wiki", "space": ["HR"]},
    "git": {"repository": "/srv/code.git", "ref": "1.10"},
    "mail": {"host": "imap.example.org", "credential": "box", "folder": ["INBOX", "/Projects/**"], "port": 1993},
    "rclone": {"remote": "drive:a b/資料", "credential": "drives", "hashes": "never"},
    "s3": {"bucket": "handbook", "prefix": "2026/", "endpoint_url": "http://127.0.0.1:9000", "versions": True},
    "sharepoint": {"site": "https://x.sharepoint.com/sites/a", "credential": "team", "library": ["Документы"]},
    "web": {"url": "https://example.org/docs/?a=1#b", "depth": 3, "delay": 1.5, "exclude": ["!x", "- y"]},
}
NAMES = st.sampled_from(["yes", "1.0", "null", "0x1F", "2026-01-31", "a: b", "#c", "資料", "😀 d", "~a", "!e", "1e3"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "watch": st.booleans(),
        "priority": st.integers(0, 1000),
        "max_size": st.integers(1, 2**40),
        "since": st.dates().map(str),
        "schedule": st.sampled_from([{"every": "15m", "quiet_hours": "22:00-06:00"}, {"cron": "30 6 * * MON-FRI"}]),
        "allow_types": st.lists(st.sampled_from(["pdf", "text/html"]), unique=True),
        "attachments": st.sampled_from(["inline", "documents", None]),
        "ocr_languages": st.sampled_from(["", "eng+deu"]),
        "hold_share": st.floats(0, 1),
        "overrides": st.sampled_from([{}, {"chunk_size": 800, "languages": ["de"]}]),
        "extraction": st.just({"backend": None, "by_type": {"pdf": "pdf"}}),
    },
)


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> list[Workspace]:
    """Two empty workspaces."""
    return [init_workspace(tmp_path_factory.mktemp("properties") / name)[0] for name in ("one", "other")]


class _NoReach:
    """Settings are checked without the machine: no folder is looked at, no credential looked up."""

    def __enter__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        for source_type in source_types():
            connector = connector_class(source_type)
            self._patch.setattr(connector, "validate_config", lambda _self: None)

    def __exit__(self, *_error: object) -> None:
        self._patch.undo()


def test_every_type_is_tried() -> None:
    """A type that is added gets a line above."""
    assert set(CONFIGS) == set(source_types())


@given(st.sampled_from(sorted(CONFIGS)), NAMES, FIELDS, st.booleans())
def test_what_is_exported_is_read(
    workspaces: list[Workspace], source_type: str, name: str, fields: dict[str, Any], is_json: bool
) -> None:
    """It is left alone where it is, and makes the same source elsewhere; no time and no folder of a person is in it."""
    here, elsewhere = workspaces
    values = {"name": name, "source_type": source_type, "source_config": CONFIGS[source_type], **fields}
    with _NoReach():
        for earlier in here.sources.names():
            here.sources.remove(earlier)
        added = here.sources.add(new_source(here, values))
        exported = export_sources(here, [added.source_id])
        assert not {"created_at", "updated_at", "revision"} & exported[0].keys()
        value = {"schema_version": 1, "sources": exported}
        text = as_json(value, indent=True) if is_json else as_yaml(value)
        (left,) = check_many(here, text)
        (made,) = check_many(elsewhere, text)
    assert (left.action, made.action) == ("leave", "add")
    assert settings_of(made.source) == settings_of(added)
    assert str(Path.home()) not in text


def settings_of(source: Source) -> dict[str, Any]:
    """Return what a person has chosen of a source."""
    return source.model_dump(mode="json", exclude={"created_at", "updated_at", "revision"})
