"""Names of new things that every screen would show with escapes are refused; those that are there already stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_tui.model.errors import ValidationError
from ingest_tui.services.api import open_workspace
from ingest_tui.services.client import Client
from ingest_tui.services.sources.trials import SourceDraft
from tests.servers.served import Served

ACTING = ("red \x1b[31mname", "two\nlines", "turned \u202eround", "not UTF-8 \udcff", "a\x00b")
MAKE: dict[str, Callable[[Client, str], object]] = {
    "source": lambda client, name: client.sources.add(source_type="local", name=name, config={"path": "/"}),
    "collection": lambda client, name: client.collections.add(name),
    "token": lambda client, name: client.tokens.add(name),
    "embedder": lambda client, name: client.embedders.add(name=name, backend="openai", settings={}),
    "reranker": lambda client, name: client.rerankers.add(name=name, backend="cross-encoder", settings={}),
    "credential": lambda client, name: client.credentials.add(name, type_name="token", fields={}),
}


@pytest.fixture
def own(tmp_path: Path) -> Served:
    """A served workspace."""
    return Served(tmp_path)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A client of a new workspace."""
    open_workspace(tmp_path / "workspace").close()
    return Client(tmp_path / "workspace")


@pytest.mark.parametrize("kind", MAKE)
def test_names_that_act_on_a_screen_are_refused(client: Client, kind: str) -> None:
    """With what is wrong, shown harmlessly, and before anything is made or noted."""
    for name in ACTING:
        with pytest.raises(ValidationError, match="not usable as a name") as refused:
            MAKE[kind](client, name)
        assert refused.value.message.isprintable()
    assert [entry["action"] for entry, _end in client.audit.entries_from(0)] == ["workspace.init"]


def test_a_thing_that_has_such_a_name_keeps_it_until_it_gets_another(client: Client) -> None:
    """It is read, and changed otherwise; no other thing is renamed so, in a form neither."""
    with open_workspace(client.root) as handle:
        for name in ("old", "new"):
            source = handle.add_source(name, path=str(client.root.parent))
            handle.workspace.collections.add(
                client.collections.get("default").model_copy(
                    update={"collection_id": name, "name": "o\x1bld" if name == "old" else name}
                )
            )
            if name == "old":
                handle.workspace.sources.save(source.model_copy(update={"name": "o\x1bld"}), source)
    assert client.sources.edit("old", priority=7).name == "o\x1bld"
    assert client.collections.edit("old", description="of old").name == "o\x1bld"
    with pytest.raises(ValidationError, match="act on a screen"):
        client.sources.edit("new", name="n\x1bew")
    with pytest.raises(ValidationError, match="act on a screen"):
        client.collections.edit("new", name="n\x1bew")
    problems = client.sources.problems(SourceDraft("local", "a\x1bb", {"path": "/"}))
    assert "act on a screen" in problems["name"]


def test_the_server_refuses_them_by_field(own: Served) -> None:
    """422 for a source, a collection, and what `POST /ingest` makes a source of."""
    with own.asking() as asking:
        described = {"source_type": "local", "source_config": {"path": str(own.documents)}, "name": "a\x1bb"}
        for path, body in {"/sources": described, "/collections": {"name": "a\x1bb"}, "/ingest": described}.items():
            answer = asking.post(path, json=body)
            assert (answer.status_code, answer.json()["exit_code"]) == (422, 2), path
            assert "act on a screen" in answer.json()["detail"]
