"""Credentials under test: a registry file, and servers on the loopback that sign in or refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from tests.identity_server import IdentityServer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the credentials file is, or will be."""
    return tmp_path / "credentials.json"


@pytest.fixture
def write(path: Path) -> Callable[..., CredentialRegistry]:
    """Write the file with these entries, as a person would, and return a registry on it."""

    def write_entries(*, mode: int = 0o600, **entries: Any) -> CredentialRegistry:
        named = {name.replace("_", "-"): entry for name, entry in entries.items()}
        path.write_text(json.dumps({"schema_version": 1, "credentials": named}))
        path.chmod(mode)
        return CredentialRegistry(path)

    return write_entries


@pytest.fixture
def server() -> Iterator[IdentityServer]:
    """A server on the loopback; tests say what it answers."""
    with IdentityServer() as running:
        yield running
