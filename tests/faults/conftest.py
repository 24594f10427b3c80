"""The assertions of the laboratories explain themselves like those of a test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite(
    *(f"tests.faults.{name}" for name in ("crash_lab", "journal_lab", "syscall_trial", "writer_lab"))
)


@pytest.fixture(scope="module")
def inherited_orphans() -> Iterator[None]:
    """Let the process of the tests inherit every process below it whose parent has died, so that it sees them."""
    from tests.faults.syscall_trial import inheriting_orphans

    with inheriting_orphans():
        yield
