"""The assertions of the laboratories explain themselves like those of a test module."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(f"tests.faults.{name}" for name in ("crash_lab", "journal_lab", "syscall_trial", "writer_lab"))
)
