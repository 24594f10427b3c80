"""Whether what a listing does not name was deleted, or is only out of sight: a mount is gone, a share answers empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import ListingEnd
from ingest_tui.model.safe_text import safe_display

ROOT = ""
"""Stands for the folder of the source itself among its volumes; its volume ends with the place where it is mounted."""
MOUNT_GONE = "what was mounted there is gone"
MOUNT_EMPTY = "what is mounted there is empty"
MOUNTED_OVER = "something was mounted over it"
MOUNTED_SAME_NAME = "another file system is mounted there"
MOUNTED_OTHER = "something else is mounted there"
CHANGED_MEANWHILE = "something was mounted or unmounted there while it was listed"
"""How doubts about mounts begin: `model.gap_remedies` knows what to do by these words."""
_LINK = "-> "
_IDENTITY = " id:"
Gap = tuple[str, str]


def gap_name(key: str) -> str:
    """Return how a place that a listing could not look into is called; an empty key is the whole source."""
    return safe_display(key, limit=200) or "the source itself"


class Presence(Protocol):
    """What is known at and below a key, looked up when it is asked for: each figure may cost a pass over it."""

    @property
    def documents(self) -> int:
        """The number of known documents."""

    @property
    def missing(self) -> int:
        """The number of known documents that are not listed."""

    @property
    def is_listed(self) -> bool:
        """Whether anything is listed there."""


def gaps_of_volumes(
    before: Mapping[str, str], now: Mapping[str, str], presence_at: Callable[[str], Presence]
) -> list[Gap]:
    """Return where documents are missing for another reason than deletion, compared with the last complete look.

    ``before`` and ``now`` are the mounted folders that the two looks spanned; without an earlier one nothing is
    compared. ``presence_at`` is asked for each of these folders.
    """
    if not before:
        return []
    gaps = []
    for key in sorted({*before, *now}):
        was, is_now = before.get(key), now.get(key)
        if _leads_to(is_now) is not None or _leads_to(was) in now:
            continue
        message = _doubt_about(was, is_now, presence_at(key), is_root=key == ROOT)
        if message:
            gaps.append((key, message))
    return gaps


def with_identity(volume: str, identity: str) -> str:
    """Return a volume with what distinguishes its file system from another one of the same name."""
    return f"{volume}{_IDENTITY}{identity}"


def _without_identity(volume: str | None) -> str | None:
    return volume.partition(_IDENTITY)[0] if volume is not None else None


def _is_same(before: str | None, now: str | None) -> bool:
    """Whether two looks saw the same volume, by its identity where both know it, else by its name."""
    if before is not None and now is not None and (_IDENTITY in before) != (_IDENTITY in now):
        return _without_identity(before) == _without_identity(now)
    return before == now


def link_into(key: str) -> str:
    """Return what stands for a followed link among the volumes: the mounted folder, by its key, that it leads into."""
    return f"{_LINK}{key}"


def _leads_to(volume: str | None) -> str | None:
    return volume.removeprefix(_LINK) if volume is not None and volume.startswith(_LINK) else None


def _doubt_about(  # noqa: PLR0911 - one return for each decision
    before: str | None, now: str | None, presence: Presence, *, is_root: bool
) -> str:
    """Return why the missing documents of a volume may still be there; empty when they are gone.

    The names of volumes decide little, since the same share or disk gets others when it is mounted again elsewhere: it
    is the one of before when it has at least half of the documents.
    """
    is_gone = before is not None and (now is None or (is_root and _is_shallower(now, before)))
    if _is_same(before, now) and (is_root or presence.is_listed):
        return ""  # nearly always; a root that became empty is held for a person
    missing = presence.missing
    if not missing:
        return ""
    about = f"{missing} of {counted(presence.documents, 'document')} below it are out of sight"
    if is_gone:
        return f"{MOUNT_GONE} ({_shown(before)}); {about}"
    if not is_root and not presence.is_listed:
        return f"{MOUNT_EMPTY} ({_shown(now)}); {about}"
    if missing * 2 <= presence.documents:
        return ""
    if before is None:
        return f"{MOUNTED_OVER} ({_shown(now)}); {about}"
    if _without_identity(before) == _without_identity(now):
        return f"{MOUNTED_SAME_NAME}, of the same name ({_shown(now)}); {about}"
    return f"{MOUNTED_OTHER} ({_shown(now)} instead of {_shown(before)}); {about}"


def lost_volume(before: Mapping[str, str], now: Mapping[str, str], key: str) -> Gap | None:
    """Return the mounted folder of the last look that a key was in and that is not mounted any more, and why; or None.

    The root has no mount of its own below it: what is another there, only a whole look can show.
    """
    within = [place for place in before if place and (key == place or key.startswith(f"{place}/"))]
    place = max(within, key=len, default=None)
    if place is None or place in now or _leads_to(before[place]) is not None:
        return None
    return place, f"{MOUNT_GONE} ({_shown(before[place])})"


def _is_shallower(now: str, before: str) -> bool:
    """Whether the root is on a mount further up than it was: its own is gone."""
    point, earlier = now.split(" ", 3)[-1], before.split(" ", 3)[-1]
    return len(point) < len(earlier)


def _shown(volume: str | None) -> str:
    return " ".join((volume or "nothing").split(" ", 3)[:2])


def settle_doubts(
    end: ListingEnd, before: Mapping[str, str], presence_at: Callable[[str], Presence], *, is_same_choice: bool
) -> ListingEnd:
    """Return how a listing ended, compared with what is known: doubts about documents are gaps.

    When what chooses the documents has changed since the last look (a mount was excluded, perhaps because it is gone
    for good), deletions wait for a person anyway: then what is missing with a volume is no gap, and the volume is
    remembered as it was, until nothing is missing there.
    """
    doubts = end.doubts if end.doubts and presence_at(ROOT).missing else ()  # links can be many, and harmless
    doubted = [(key, message) for key, message in doubts if presence_at(key).missing]
    lost = gaps_of_volumes(before, end.volumes, presence_at)
    gaps = dict(doubted + lost if is_same_choice else doubted)
    missed = dict(lost)
    volumes = {key: volume for key, volume in end.volumes.items() if key not in missed}
    volumes |= {key: before[key] for key in missed if key in before}
    return ListingEnd(end.complete and not gaps, end.gaps + tuple(gaps.items()), volumes)
