"""What others than administrators are given in place of folders of the machine."""

from __future__ import annotations

import pytest

from ingest_tui.server.places import PlaceNames


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("file:///srv/docs/manual/a.html", "…/a.html"),
        ("file:///srv/docs/a.html", "…/a.html"),
        ("/srv/docs/manual/deep/a.html cannot be read", "…/a.html cannot be read"),
        ("/home/me/secret/a.html", "…/a.html"),
        ("file:///home/me/secret/a.html", "file:…/a.html"),
        ("manual/a.html", "manual/a.html"),
        ("https://example.org/manual/a.html", "https://example.org/manual/a.html"),
    ],
)
def test_folders_are_left_out_and_marked_once(text: str, shown: str) -> None:
    """One ellipsis stands for all folders, those below a known root, too; addresses of other kinds stay."""
    assert PlaceNames(["/srv/docs"]).hidden_in(text) == shown
