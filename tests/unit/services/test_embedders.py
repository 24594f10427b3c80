"""Embedders of a workspace: registered, listed, tried and removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.embedding import registry
from ingest_tui.embedding.base import EmbedderError
from ingest_tui.model.embedder import VectorSpace, embedding_text
from ingest_tui.model.errors import IngestError, NotFoundError, RefusedError, SchemaVersionError, StoreError, UsageError
from ingest_tui.services.credentials.credentials import add_credential, remove_credential
from ingest_tui.services.embedders import (
    add_embedder,
    embedder_id_of,
    list_embedders,
    remove_embedder,
    test_embedder,
)
from ingest_tui.services.workspaces import doctor
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.made_models import DIMENSIONS, make_static_model
from tests.servers.embedding_server import KEY, embedding_process


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A new workspace."""
    return init_workspace(tmp_path / "workspace")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny static model."""
    return make_static_model(tmp_path / "tiny")


def add(workspace: Workspace, folder: Path, name: str = "Tiny Model") -> Any:
    """Register a static model."""
    return add_embedder(workspace, backend="static", name=name, settings={"path": str(folder)})


def failed_steps(workspace: Workspace, name: str) -> list[str]:
    """Return the steps of a test that failed."""
    return [step.name for step in test_embedder(workspace, name) if not step.ok]


def test_an_embedder_is_tried_and_kept_with_its_space(workspace: Workspace, folder: Path) -> None:
    """The record says what the vectors are in; nobody else may read it, and it is found by name and identifier."""
    added = add(workspace, folder)
    path = workspace.embedders.path("tiny-model")
    assert added.space.dimensions == DIMENSIONS
    assert json.loads(path.read_text())["schema_version"] == 1
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [row.embedder for row in list_embedders(workspace)] == [added]
    assert embedder_id_of(workspace, "Tiny Model") == embedder_id_of(workspace, "tiny-model") == "tiny-model"
    assert failed_steps(workspace, "tiny-model") == []


def test_what_does_not_work_is_not_added(workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    """A taken name, a missing folder and a model that knows nothing leave no record."""
    add(workspace, folder)
    with pytest.raises(UsageError, match="already there"):
        add(workspace, folder)
    with pytest.raises(EmbedderError, match="there is no folder"):
        add(workspace, tmp_path / "nowhere", "other")
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"embeddings": np.zeros((99, 4), dtype=np.float32)}, folder / "model.safetensors")
    with pytest.raises(EmbedderError, match="knows nothing"):
        add(workspace, folder, "zeros")
    save_file({"embeddings": np.ones((99, 4), dtype=np.float32)}, folder / "model.safetensors")
    with pytest.raises(EmbedderError, match="the same vector"):
        add(workspace, folder, "ones")
    assert workspace.embedders.names() == ["tiny-model"]


def test_a_path_is_kept_as_seen_from_anywhere(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative folder is found from another working folder too."""
    monkeypatch.chdir(folder.parent)
    add_embedder(workspace, backend="static", name="tiny", settings={"path": folder.name})
    monkeypatch.chdir("/")
    assert failed_steps(workspace, "tiny") == []


def _lose(folder: Path, _patched: pytest.MonkeyPatch) -> None:
    shutil.rmtree(folder)


def _exchange(folder: Path, _patched: pytest.MonkeyPatch) -> None:
    shutil.rmtree(folder)
    make_static_model(folder, seed=5)


def _uninstall(_folder: Path, patched: pytest.MonkeyPatch) -> None:
    patched.setattr(registry, "missing_packages", lambda _packages: ["tokenizers"])


@pytest.mark.parametrize(
    ("harm", "step", "is_seen_by_doctor"),
    [(_lose, "model", True), (_exchange, "same model", False), (_uninstall, "packages", True)],
)
def test_a_model_that_is_gone_or_another_is_seen(
    workspace: Workspace,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Path, pytest.MonkeyPatch], None],
    step: str,
    is_seen_by_doctor: bool,
) -> None:
    """A lost folder, another model in its place and missing packages fail the step that looks for it."""
    add(workspace, folder)
    harm(folder, monkeypatch)
    found = list(test_embedder(workspace, "tiny-model"))
    assert [one.name for one in found if not one.ok] == [step]
    assert found[-1].hint
    checks = [check for check in doctor(workspace.root) if check.name == "embedder tiny-model"]
    assert [check.level for check in checks] == ["problem" if is_seen_by_doctor else "ok"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", StoreError),
        ('{"schema_version": 99}', SchemaVersionError),
        ('{"schema_version": 1, "embedder_id": "tiny-model"}', StoreError),
    ],
)
def test_a_damaged_record_harms_nobody_else(
    workspace: Workspace, folder: Path, content: str, error: type[IngestError]
) -> None:
    """The others are listed, doctor names it, and it can be removed to be added again."""
    add(workspace, folder)
    add(workspace, folder, "other")
    workspace.embedders.path("tiny-model").write_text(content)
    assert [row.embedder.embedder_id for row in list_embedders(workspace)] == ["other"]
    with pytest.raises(error):
        workspace.embedders.get("tiny-model")
    levels = {check.name: check.level for check in doctor(workspace.root)}
    assert (levels["embedder tiny-model"], levels["embedder other"]) == ("problem", "ok")
    remove_embedder(workspace, "tiny-model")
    assert add(workspace, folder)


def test_a_collection_whose_embedder_is_gone_is_seen_by_doctor(workspace: Workspace, folder: Path) -> None:
    """It is refused to remove one that is used; where it went all the same, doctor says what to do."""
    from ingest_tui.services.embedding import choose_embedder

    add(workspace, folder)
    choose_embedder(workspace, "default", "tiny-model")
    with pytest.raises(RefusedError, match="is used by default"):
        remove_embedder(workspace, "tiny-model")
    remove_embedder(workspace, "tiny-model", force=True)
    [found] = [check for check in doctor(workspace.root) if check.name == "collection default"]
    assert (found.level, found.message) == ("problem", "its embedder tiny-model is not there")


def test_unknown_ones_are_not_found(workspace: Workspace) -> None:
    """What was never added cannot be tried or removed, and the list is empty in a workspace that never had one."""
    assert list_embedders(workspace) == []
    for action in (lambda: list(test_embedder(workspace, "x")), lambda: remove_embedder(workspace, "x")):
        with pytest.raises(NotFoundError):
            action()


def test_a_credential_that_an_embedder_uses_stays(workspace: Workspace) -> None:
    """It is not removed while an endpoint is signed in to with it, and the record of the embedder holds no secret."""
    add_credential(workspace, "key", type_name="token", fields={"token": f"literal:{KEY}"})
    with embedding_process() as address:
        settings = {"endpoint": f"{address}/signed/v1", "model": "tiny", "credential": "key"}
        add_embedder(workspace, backend="openai", name="far", settings=settings)
        assert failed_steps(workspace, "far") == []
    assert KEY not in workspace.embedders.path("far").read_text()
    with pytest.raises(RefusedError, match="embedder far"):
        remove_credential(workspace, "key")
    assert "vector" in failed_steps(workspace, "far"), "the endpoint has ended"
    remove_embedder(workspace, "far")
    remove_credential(workspace, "key")


def test_the_text_that_is_embedded_has_its_headings() -> None:
    """The path of the headings goes first, on a line of its own; without headings there is only the text."""
    assert embedding_text("A > B", "text") == "[H] A > B\ntext"
    assert embedding_text("", "text") == "text"


def test_every_field_of_a_space_is_in_its_name() -> None:
    """Spaces that differ anywhere have different identifiers, also where their parts would run together."""
    base = VectorSpace(backend="static", model="ab", revision="c", dimensions=3)
    others: list[dict[str, Any]] = [
        {"backend": "onnx"},
        {"model": "a", "revision": "bc"},
        {"revision": "d"},
        {"dimensions": 4},
        {"document_prefix": "p"},
    ]
    found = {base.space_id, *(base.model_copy(update=other).space_id for other in others)}
    assert len(found) == 1 + len(others)
    assert set(VectorSpace.model_fields) == {
        "backend",
        "model",
        "revision",
        "dimensions",
        "normalisation",
        "document_prefix",
    }
