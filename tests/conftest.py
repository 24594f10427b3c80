"""What all tests share."""

from __future__ import annotations

import pytest


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their length: archives hold times, and test names must be the same in every process."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None
