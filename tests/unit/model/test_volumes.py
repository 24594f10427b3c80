"""When documents that are not listed may still be there: decided from volumes and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.volumes import gaps_of_volumes, link_into, settle_doubts, with_identity

ROOT_AT_SHARE = "nfs4 server:/export / /srv/share"
ROOT_ON_DISK = "ext4 /dev/sda1 / /"
DISK, OTHER_DISK = "ext4 /dev/sdb1 /", "ext4 /dev/sdc1 /"


class Counts(NamedTuple):
    """A `Presence` of given figures."""

    documents: int
    missing: int
    listed: int

    @property
    def is_listed(self) -> bool:
        """Whether anything is listed there."""
        return self.listed > 0


NOTHING = Counts(0, 0, 0)


def presences(**by_key: Counts) -> Callable[[str], Counts]:
    return lambda key: by_key.get(key or "root", NOTHING)


@pytest.mark.parametrize(
    ("before", "now", "presence", "words"),
    [
        (DISK, None, Counts(12, 12, 0), "gone"),
        (DISK, None, Counts(12, 1, 11), "gone"),
        (DISK, None, Counts(12, 0, 12), None),
        (DISK, DISK, Counts(12, 12, 0), "empty"),
        (DISK, DISK, Counts(12, 11, 1), None),
        (DISK, OTHER_DISK, Counts(12, 7, 9), "something else"),
        (DISK, OTHER_DISK, Counts(12, 6, 6), None),
        (with_identity(DISK, "a"), with_identity(DISK, "b"), Counts(12, 12, 1), "another file system"),
        (with_identity(DISK, "a"), with_identity(DISK, "b"), Counts(12, 6, 6), None),
        (with_identity(DISK, "a"), with_identity(DISK, "a"), Counts(12, 11, 1), None),
        (DISK, with_identity(DISK, "b"), Counts(12, 11, 1), None),
        (None, DISK, Counts(12, 7, 5), "mounted over"),
        (None, DISK, Counts(12, 12, 0), "empty"),
        (None, DISK, Counts(12, 6, 6), None),
        (link_into("disk"), None, Counts(3, 3, 0), "gone"),
        (None, link_into("disk"), Counts(3, 3, 0), None),
    ],
)
def test_missing_documents_of_a_volume_are_a_gap_unless_it_is_the_same_one(
    before: str | None, now: str | None, presence: Counts, words: str | None
) -> None:
    """Gone, empty, another one, or mounted over: a gap; the same one by at least half its documents: no gap."""
    spans = [{"": ROOT_ON_DISK} | ({} if volume is None else {"mnt": volume}) for volume in (before, now)]
    gaps = gaps_of_volumes(spans[0], spans[1], presences(mnt=presence))
    assert [key for key, _message in gaps] == ([] if words is None else ["mnt"])
    assert all(words is not None and words in message for _key, message in gaps)


@pytest.mark.parametrize(
    ("before", "now", "is_gap"),
    [
        (ROOT_AT_SHARE, ROOT_ON_DISK, True),
        (ROOT_ON_DISK, ROOT_AT_SHARE, False),
        (ROOT_AT_SHARE, "nfs4 mirror:/export / /srv/share", False),
        (ROOT_ON_DISK, ROOT_ON_DISK, False),
    ],
)
def test_a_root_whose_mount_is_gone_is_a_gap(before: str, now: str, is_gap: bool) -> None:
    """The root on a mount further up is out of sight; on another mount with most of its documents it is the same."""
    gaps = gaps_of_volumes({"": before}, {"": now}, presences(root=Counts(12, 2, 10)))
    assert [key for key, _message in gaps] == ([""] if is_gap else [])


def test_without_an_earlier_look_nothing_is_compared() -> None:
    """What the last look spanned is unknown: then deletions are held by another rule."""
    assert gaps_of_volumes({}, {"mnt": DISK}, presences(mnt=Counts(12, 12, 0))) == []


def test_a_link_that_was_removed_while_its_mount_is_there_is_no_gap() -> None:
    """The mount that it led into is still listed, so the link is gone for certain."""
    before = {"": ROOT_ON_DISK, "mnt": DISK, "link": link_into("mnt")}
    now = {"": ROOT_ON_DISK, "mnt": DISK}
    assert gaps_of_volumes(before, now, presences(link=Counts(3, 3, 0))) == []


def settled(before: Mapping[str, str], end: ListingEnd, *, is_same_choice: bool = True) -> ListingEnd:
    return settle_doubts(
        end, before, presences(root=Counts(99, 12, 87), mnt=Counts(12, 12, 0)), is_same_choice=is_same_choice
    )


def test_doubts_are_gaps_only_where_documents_are_missing() -> None:
    """A link that leads nowhere matters where documents were, and nowhere else."""
    end = ListingEnd(True, doubts=(("mnt", "leads nowhere"), ("other", "leads nowhere")))
    assert settled({}, end) == ListingEnd(False, (("mnt", "leads nowhere"),))


def test_a_changed_choice_leaves_lost_volumes_to_a_person_and_remembers_them() -> None:
    """Whoever excluded a mount is asked about its documents; until then the record says what was mounted there."""
    before = {"": ROOT_ON_DISK, "mnt": DISK}
    end = ListingEnd(True, volumes={"": ROOT_ON_DISK})
    assert settled(before, end, is_same_choice=False) == ListingEnd(True, volumes=before)
    assert not settled(before, end).complete
    mounted_over = ListingEnd(True, volumes=before)
    assert settled({"": ROOT_ON_DISK}, mounted_over, is_same_choice=False).volumes == {"": ROOT_ON_DISK}
