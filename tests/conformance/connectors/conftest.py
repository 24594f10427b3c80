"""The suite's assertions explain themselves like those of a test module; servers that its sites share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.conformance.connectors.connector_suite")

from tests.conformance.connectors.rclone_site import Served, served_by_webdav  # noqa: E402 - rewritten, too


@pytest.fixture(scope="session")
def webdav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A WebDAV server that runs for the whole session; tests make folders of their own."""
    with served_by_webdav(tmp_path_factory.mktemp("webdav")) as served:
        yield served
