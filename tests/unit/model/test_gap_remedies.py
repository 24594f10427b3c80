"""What to do about a place that could not be looked into fits what kept the listing out."""

from __future__ import annotations

import errno
import os

import pytest

from ingest_tui.connectors.local.local_errors import access_error, item_error
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.gap_remedies import gap_remedy
from ingest_tui.model.volumes import gaps_of_volumes, lost_volume

SHARE, DISK = "cifs //server/share /", "ext4 /dev/sdb1 /"


class Missing:
    """Documents that are all out of sight."""

    documents = missing = 3
    is_listed = False


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "let the user that runs ingest-tui read it"),
        (errno.ESTALE, "unmount it and mount it again"),
        (errno.ENOTCONN, "unmount it and mount it again"),
        (errno.EHOSTDOWN, "is the server of the share up"),
        (errno.ETIMEDOUT, "is the server of the share up"),
        (errno.ENODEV, "mount it again as it was"),
        (errno.ENOKEY, "log in to the share again"),
        (errno.EIO, "system log"),
    ],
)
def test_each_error_of_the_system_has_its_remedy(number: int, words: str) -> None:
    """A share that does not answer, a stale handle and a failing disk are no question of permissions."""
    remedy = gap_remedy(os.strerror(number), "docs")
    assert words in remedy
    assert "'ingest-tui sync docs'" in remedy
    assert ("let the user" in remedy) == (number == errno.EACCES)
    error = OSError(number, os.strerror(number))
    if number != errno.EACCES:
        assert words in access_error(b"/mnt", error).hint
        assert words in item_error(Descriptor("a", "file:///a", ""), error).hint


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"mnt": SHARE}, {}, "mount it again as it was"),
        ({"mnt": SHARE}, {"mnt": SHARE}, "mount it again as it was"),
        ({"mnt": SHARE}, {"mnt": DISK}, "mount it again as it was"),
        ({"": f"{SHARE} /mnt/docs"}, {"": f"{DISK} /"}, "--path FOLDER"),
    ],
)
def test_each_doubt_about_mounts_has_its_remedy(before: dict[str, str], now: dict[str, str], words: str) -> None:
    """What `model.volumes` says of a mount is recognised; for a lost root another folder can be named."""
    [(key, why)] = gaps_of_volumes(before, now, lambda _key: Missing())
    assert words in gap_remedy(why, "docs", is_whole=not key)


def test_what_nobody_knows_is_looked_at_again() -> None:
    """A reason of a connector's own leads to `source test`, not to permissions."""
    assert "source test shelf" in gap_remedy("one of its items is left out, the connector is at fault", "shelf")


def test_a_volume_is_lost_where_it_is_not_mounted_any_more() -> None:
    """Only what the innermost mount of a key says counts, and only when that is gone."""
    before = {"": DISK, "a": SHARE, "a/b": DISK, "link": "-> a"}
    assert lost_volume(before, {"": DISK, "a": SHARE}, "a/b/c.txt") == (
        "a/b", "what was mounted there is gone (ext4 /dev/sdb1)",
    )  # fmt: skip
    assert lost_volume(before, {"": DISK, "a": SHARE}, "a/c.txt") is None
    for key in ("ab/c.txt", "link/c.txt", "c.txt"):
        assert lost_volume(before, {"": DISK}, key) is None
