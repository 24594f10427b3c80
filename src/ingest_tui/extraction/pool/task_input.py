"""The file of a task, read inside a parser process: whole, or block by block where it is a large table."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO

STREAMED_FROM_BYTES = 64 * 1024**2
"""Larger tables are not read into memory."""
HEAD_BYTES = 1024**2
"""What is read of one to find its encoding, delimiter and type."""


def read_input(path: str, file_name: str) -> tuple[bytes, Iterator[bytes] | None]:
    """Return the bytes of a file; of a large table its beginning, and the blocks after it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    file: BinaryIO
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(os.fdopen(descriptor, "rb", buffering=0))
        if os.fstat(descriptor).st_size > STREAMED_FROM_BYTES:
            from ingest_tui.extraction.tables.streamed import is_streamed

            head = file.read(HEAD_BYTES)
            if is_streamed(head, file_name):
                return head, _blocks(file, stack.pop_all())
            file.seek(0)
        return file.read(), None


def _blocks(file: BinaryIO, stack: contextlib.ExitStack) -> Iterator[bytes]:
    with stack:
        while block := file.read(HEAD_BYTES):
            yield block
