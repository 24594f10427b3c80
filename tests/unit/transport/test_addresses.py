"""Where a secret may go: over TLS, or within this machine, however an address is written."""

from __future__ import annotations

import pytest

from ingest_tui.transport.addresses import is_safe_for_secrets, is_this_machine


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://login.example.org/token", True), ("HTTPS://login.example.org", True),
        ("http://localhost", True), ("http://localhost:8080/x", True), ("http://127.0.0.1?x", True),
        ("http://[::1]:80", True), ("HTTP://LocalHost/", True),
        ("http://example.org", False), ("http://localhost.example.org", False), ("http://127.0.0.1.example.org", False),
        ("http://localhost@example.org", False), ("http://localhost:80@example.org", False),
        ("http://example.org\\@localhost", False), ("http://localhost\\.example.org", False),
        ("http:/localhost", False), ("localhost", False), ("", False), ("http://[::1", False), (" https://x", False),
    ],
)  # fmt: skip
def test_secrets_go_over_tls_or_stay_here(address: str, is_safe: bool) -> None:
    """Nothing that another program may read as an address elsewhere is taken for this machine."""
    assert is_safe_for_secrets(address) is is_safe


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("https://localhost", True), ("HTTPS://127.0.0.1:8765/x", True), ("http://[::1]:80?x", True),
        ("https://example.org", False), ("https://localhost.example.org", False),
        ("https://localhost@example.org", False), ("http+unix://localhost", False), ("localhost", False),
    ],
)  # fmt: skip
def test_this_machine_is_told_from_others(address: str, is_here: bool) -> None:
    """By the whole name, over TLS or not."""
    assert is_this_machine(address) is is_here
