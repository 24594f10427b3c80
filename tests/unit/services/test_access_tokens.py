"""Tokens of the HTTP server: made, listed, revoked; and which of them a secret is of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest_tui.model.clock import utc_now
from ingest_tui.model.errors import IngestError, NotFoundError, UsageError, ValidationError
from ingest_tui.services.access_tokens import add_token, has_tokens, list_tokens, revoke_token, valid_token
from ingest_tui.services.api import open_workspace
from ingest_tui.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A new workspace."""
    with open_workspace(tmp_path / "workspace") as handle:
        yield handle.workspace


def test_a_secret_is_of_one_token_until_that_is_revoked(workspace: Workspace) -> None:
    """It is given once, when the token is made; all that is kept is its hash."""
    assert not has_tokens(workspace)
    reader, writer = add_token(workspace, "Reader"), add_token(workspace, "writer", scope="write")
    assert [one.name for one in list_tokens(workspace)] == ["reader", "writer"]
    assert valid_token(workspace, reader.secret) == reader.token
    assert valid_token(workspace, writer.secret) == writer.token
    assert valid_token(workspace, reader.token.digest) is None
    revoke_token(workspace, "reader")
    assert valid_token(workspace, reader.secret) is None
    assert valid_token(workspace, writer.secret) == writer.token
    with pytest.raises(NotFoundError):
        revoke_token(workspace, "reader")
    actions = [entry["action"] for entry in workspace.audit.entries()]
    assert actions[-3:] == ["token.add", "token.add", "token.revoke"]


def test_a_token_is_valid_until_it_expires(workspace: Workspace) -> None:
    """At that moment it is none any more, though it is still listed, and still keeps those without one out."""
    made = add_token(workspace, "short", valid_for=timedelta(hours=1))
    now = utc_now()
    assert valid_token(workspace, made.secret, now) is not None
    assert valid_token(workspace, made.secret, now + timedelta(hours=1, seconds=1)) is None
    assert has_tokens(workspace)


def test_a_revoked_token_lets_nobody_in_without_one(workspace: Workspace) -> None:
    """The last one that is revoked, as after a leak, does not open the server to everybody."""
    add_token(workspace, "only")
    revoke_token(workspace, "only")
    assert list_tokens(workspace) == []
    assert has_tokens(workspace)


def test_what_cannot_be_is_refused(workspace: Workspace) -> None:
    """A name that is taken, a collection that is not there, a time that is over, or a file that is damaged."""
    add_token(workspace, "one")
    with pytest.raises(UsageError):
        add_token(workspace, "one")
    with pytest.raises(NotFoundError):
        add_token(workspace, "two", collection="none")
    for valid_for in (timedelta(), timedelta(days=-1), timedelta(days=99_999)):
        with pytest.raises(ValidationError):
            add_token(workspace, "two", valid_for=valid_for)
    workspace.layout.access_tokens.write_text("{")
    with pytest.raises(IngestError):
        valid_token(workspace, "x")
