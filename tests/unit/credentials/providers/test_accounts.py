"""Whose a credential is: a rotated key is of the same account, the key of another account is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.providers.aws import account_of

# Two keys of one account and one of another; the numbers are made up.
FIRST, ROTATED, OF_ANOTHER = "AKIAQNZGKIQY56JQ7WML", "AKIAQNZGKIQY5BCDEFGH", "AKIAZZZGKIQY56JQ7WML"


def identity(folder: Path, **entry: str) -> str:
    registry = CredentialRegistry(folder / f"{len(list(folder.iterdir()))}.json")
    registry.add("s3", {"type": "aws", "secret_access_key": "literal:x", **entry})
    return registry.get("s3").identity


def test_rotated_key_is_of_the_same_account(tmp_path: Path) -> None:
    """AWS keys carry the number of their account; region and session do not count."""
    first = identity(tmp_path, access_key_id=f"literal:{FIRST}")
    assert first == identity(tmp_path, access_key_id=f"literal:{ROTATED}", region="eu-west-1")
    temporary = identity(
        tmp_path, access_key_id=f"literal:{ROTATED.replace('AKIA', 'ASIA')}", session_token="literal:t"
    )
    assert first == temporary
    assert first != identity(tmp_path, access_key_id=f"literal:{OF_ANOTHER}")
    assert "029608264753" in first


@pytest.mark.parametrize("keys", [(FIRST, ROTATED), ("minio", "minio2"), ("AKIA", "AKIA0")])
def test_keys_of_other_stores_say_no_account(tmp_path: Path, keys: tuple[str, str]) -> None:
    """There each key is an owner of its own; what is compared holds no key."""
    endpoint = "http://127.0.0.1:9000"
    first, second = (identity(tmp_path, access_key_id=f"literal:{key}", endpoint_url=endpoint) for key in keys)
    assert first != second
    assert keys[0] not in first.replace(endpoint, "")


def test_key_that_cannot_be_resolved_is_of_no_known_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletions are held then; asking raises nothing."""
    monkeypatch.setenv("A_KEY", FIRST)
    known = identity(tmp_path, access_key_id="env:A_KEY")
    assert known == identity(tmp_path, access_key_id=f"literal:{ROTATED}")
    monkeypatch.delenv("A_KEY")
    assert identity(tmp_path, access_key_id="env:A_KEY") != known


def test_account_is_never_derived_from_what_is_no_aws_key(tmp_path: Path) -> None:
    """A key with other characters or of another length stands for itself."""
    registry = CredentialRegistry(tmp_path / "c.json")
    registry.add("s3", {"type": "aws", "access_key_id": "literal:AKIA1890", "secret_access_key": "literal:x"})
    assert len(account_of(registry.get("s3"))) == 20
