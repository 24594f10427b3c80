"""Connectors by their type: those of other packages, and what is said of those that cannot be loaded."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ingest_tui.connectors import registry
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.connectors.registry import connector_class, is_built_in, source_types
from ingest_tui.model.errors import MissingDependencyError
from ingest_tui.services.sources.kinds import describe_source_type

BROKEN = {
    "typo": ("class Wiki(:", "SyntaxError"),
    "nothing": ("", "AttributeError"),
    "needy": ("import no_such_library", "ModuleNotFoundError: no_such_library is not installed"),
    "other": ("class Wiki: pass", "it is no BaseConnector"),
    "loud": ("raise RuntimeError('x' * 9)", "RuntimeError"),
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of others, each with a mistake of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    points = []
    for name, (code, _) in BROKEN.items():
        (tmp_path / f"broken_{name}.py").write_text(code)
        points.append(EntryPoint(name, f"broken_{name}:Wiki", registry.ENTRY_POINT_GROUP))

    def found(*, group: str, name: str | None = None) -> list[EntryPoint]:
        return [point for point in points if name in {None, point.name} and group == point.group]

    monkeypatch.setattr(registry, "entry_points", found)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_package_is_named_and_harms_nobody_else(name: str) -> None:
    """Whatever is wrong with it, the error names the package that brings it, not an extra of ours."""
    with pytest.raises(MissingDependencyError) as caught:
        connector_class(name)
    assert BROKEN[name][1] in caught.value.message
    assert caught.value.hint == f"install or repair the package that brings 'broken_{name}:Wiki'"
    assert set(BROKEN) < set(source_types())
    assert "cannot be loaded" in describe_source_type(name), "the list of types breaks"
    assert connector_class("local").source_type == "local"


def test_missing_package_of_ours_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a built-in connector the extra is named."""
    monkeypatch.setitem(registry._BUILT_IN, "s3", "no_such_library:Connector")
    with pytest.raises(MissingDependencyError, match="no_such_library") as caught:
        connector_class("s3")
    assert caught.value.hint == 'pip install "ingest-tui[s3]"'


def test_connectors_of_this_package_are_declared() -> None:
    """Only a class that a built-in type names is built in: one derived from it is checked as those of others are."""

    class Derived(LocalConnector):
        pass

    assert all(is_built_in(connector_class(source_type)) for source_type in registry._BUILT_IN)
    assert not is_built_in(Derived)
    Derived.__module__ = "ingest_tui.connectors.local.connector"
    assert not is_built_in(Derived), "its module alone does not make it one"
