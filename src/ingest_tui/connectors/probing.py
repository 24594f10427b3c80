"""`source test`: try a connector step by step, with the time of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from ingest_tui.connectors.base import BaseConnector, TestStep
from ingest_tui.model.errors import IngestError
from ingest_tui.model.naming import safe_display


def probe(connector: BaseConnector) -> Iterator[TestStep]:
    """Yield the steps auth (where there is a credential), reach, list, read; stops after the first that fails.

    Lists one page, never the whole source, and reads the first piece of one item.
    """
    start = time.perf_counter()

    def step(name: str, ok: bool, message: str) -> TestStep:
        nonlocal start
        now = time.perf_counter()
        milliseconds = (now - start) * 1000
        start = now
        return TestStep(name, ok, message, round(milliseconds, 1))

    try:
        signing = connector.check_credential()
    except IngestError as error:
        yield step("auth", False, error.message)
        return
    if signing is not None:
        yield step("auth", True, safe_display(signing))
    try:
        asyncio.run(connector.authenticate())
        yield step("reach", True, "the source answers and lets us in")
    except IngestError as error:
        yield step("reach", False, error.message)
        return
    try:
        page = next(connector.list(), None)
    except IngestError as error:
        yield step("list", False, error.message)
        return
    descriptors = page.descriptors if page else []
    found = f"{len(descriptors)} items on the first page" if descriptors else "nothing matches"
    yield step("list", True, found if descriptors or page is None else "nothing on the first page matches")
    readable = next((descriptor for descriptor in descriptors if not descriptor.refusal), None)
    if readable is None:
        return
    try:
        with connector.fetch(readable) as pieces:
            first = next(pieces, b"")
    except IngestError as error:
        yield step("read", False, f"{safe_display(readable.key)}: {error.message}")
        return
    yield step("read", True, f"read {len(first)} bytes of {safe_display(readable.key)}")
