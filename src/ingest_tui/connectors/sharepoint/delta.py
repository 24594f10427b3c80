"""Bringing the mirror of a drive up to date with as few requests as Graph allows.

Follows Microsoft's "driveItem: delta" and "Best practices for discovering files and detecting changes at scale".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ingest_tui.connectors.sharepoint.graph import GraphSession, values_of
from ingest_tui.connectors.sharepoint.graph_errors import GraphError
from ingest_tui.connectors.sharepoint.items import LISTED_FIELDS
from ingest_tui.connectors.sharepoint.mirror import DriveMirror, Unfinished
from ingest_tui.model.errors import SourceAccessError, TransientSourceError

_PAGE = 1000
_DAY_SECONDS = 86_400
_RESYNC = 410
"""The documented answer to a token that is too old."""

_BAD = 400
"""An answer to a token that Graph cannot read any more; to a request without a token it means something else."""

_NO_DELTA = {_BAD, 405, 501}
_MOST_RESTARTS = 2
_MOST_IDLE_PAGES = 200
ItemPages = Iterator[list[dict[str, Any]]]


class DriveDelta:
    """Brings one mirror up to date. ``reconcile_days``: after so long everything is enumerated again."""

    def __init__(self, session: GraphSession, drive_id: str, mirror: DriveMirror, reconcile_days: int) -> None:
        self._session = session
        self._drive_id = drive_id
        self._mirror = mirror
        self._reconcile_seconds = reconcile_days * _DAY_SECONDS

    def catch_up(self, now: float) -> None:
        """Ask for what changed and keep it, page by page: what an interrupted call kept, the next one continues from.

        Raises `GraphError` and `SourceAccessError`; the mirror then is as far as it came, and what was whole stays so.
        """
        restarts = 0
        while True:
            unfinished = self._mirror.unfinished
            link = unfinished.link if unfinished else self._link_for_changes(now)
            try:
                if link and unfinished is None:
                    self._follow_changes(link)
                else:
                    self._enumerate(unfinished if unfinished and link else self._mirror.begin(), now)
            except GraphError as error:
                had_a_token = bool(link)
                if restarts >= _MOST_RESTARTS or not (
                    error.status == _RESYNC or (had_a_token and error.status == _BAD)
                ):
                    raise
                restarts += 1
                self._start_over(error)
            except SourceAccessError as error:
                if error.reason == "listing_stuck":
                    self._mirror.begin()
                raise
            else:
                return

    def _link_for_changes(self, now: float) -> str | None:
        """Return the link to follow; none when the drive was never enumerated, or too long ago (or in the future)."""
        age = now - self._mirror.enumerated_at
        return self._mirror.delta_link if -_DAY_SECONDS < age < self._reconcile_seconds else None

    def _start_over(self, error: GraphError) -> None:
        """Graph does not know what changed since: enumerate again, from where it says. What is known stays."""
        begun = self._mirror.begin()
        if error.location and self._session.is_ours(error.location):
            self._mirror.note_enumerated(begun, [], error.location)

    def _follow_changes(self, link: str) -> None:
        for items, next_link, is_last in self._pages(link):
            self._mirror.note_changes(items, next_link)
            if is_last:
                return

    def _enumerate(self, unfinished: Unfinished, now: float) -> None:
        start = f"/drives/{self._drive_id}/root/delta?$select={LISTED_FIELDS}&$top={_PAGE}"
        try:
            for items, next_link, is_last in self._pages(unfinished.link or start):
                if is_last:
                    self._check_root(unfinished, items)
                    self._mirror.complete(unfinished, items, next_link, now)
                else:
                    self._mirror.note_enumerated(unfinished, items, next_link)
                    unfinished = unfinished._replace(link=next_link)
        except GraphError as error:
            if unfinished.link or error.status not in _NO_DELTA:
                raise
            self._crawl(unfinished, now)

    def _check_root(self, unfinished: Unfinished, items: list[dict[str, Any]]) -> None:
        """Every enumeration names the root of the drive; without it an answer is none, however it looks."""
        if not any("root" in item for item in items) and not self._mirror.has_root(unfinished):
            raise _broken_off()

    def _crawl(self, unfinished: Unfinished, now: float) -> None:
        """Go through the folders one by one, where the cloud has no delta (it is not documented for all of them)."""
        for items in crawl(self._session, self._drive_id, "root"):
            self._mirror.note_enumerated(unfinished, items, "")
        self._mirror.complete(unfinished, [], None, now)

    def _pages(self, link: str) -> Iterator[tuple[list[dict[str, Any]], str, bool]]:
        """Yield the items of each page, the link that follows it, and whether it was the last one.

        A page without any link would make a part look like the whole, so it is an error.
        """
        followed = {link}
        progress = _Progress()
        while True:
            answer = self._session.get(link)
            items = values_of(answer)
            progress.check(items)
            next_link, delta_link = answer.get("@odata.nextLink"), answer.get("@odata.deltaLink")
            self._session.check_link(next_link or delta_link)
            if next_link and next_link not in followed:
                followed.add(next_link)
                link = next_link
                yield items, link, False
            elif delta_link and not next_link:
                yield items, delta_link, True
                return
            else:
                raise _broken_off()


class _Progress:
    """Ends a walk whose pages, each with a link of its own, bring nothing for too long."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._idle_pages = 0

    def check(self, items: list[dict[str, Any]]) -> None:
        page = hash(tuple(str(item["id"]) for item in items))
        if not items or page in self._seen:
            self._idle_pages += 1
        self._seen.add(page)
        if self._idle_pages > _MOST_IDLE_PAGES:
            raise SourceAccessError(
                f"the listing of a library does not lead to an end: {_MOST_IDLE_PAGES} pages brought nothing",
                hint="nothing was deleted; the next sync lists it from the start",
                code="listing_stuck",
            )


def _broken_off() -> TransientSourceError:
    return TransientSourceError(
        "Microsoft Graph broke off the listing of a library before its end",
        hint="nothing was deleted; the next sync resumes it",
        code="listing_broken_off",
    )


def crawl(session: GraphSession, drive_id: str, folder_id: str) -> ItemPages:
    """Yield the items below a folder, page by page, folders before what is in them. One request for each folder.

    A folder that vanishes meanwhile is passed over. Raises `GraphError`.
    """
    pending = [folder_id]
    seen: set[str] = set()
    if folder_id == "root":
        yield [session.get(f"/drives/{drive_id}/root?$select={LISTED_FIELDS}")]
    while pending:
        current = pending.pop()
        where = "root" if current == "root" else f"items/{current}"
        gone = contextlib.nullcontext() if current == folder_id else _gone_meanwhile()
        with gone:
            for items in session.pages(f"/drives/{drive_id}/{where}/children?$select={LISTED_FIELDS}&$top={_PAGE}"):
                yield items
                for item in items:
                    item_id = str(item.get("id") or "")
                    if "folder" in item and not {"package", "remoteItem"} & item.keys() and item_id not in seen:
                        seen.add(item_id)
                        pending.append(item_id)


@contextlib.contextmanager
def _gone_meanwhile() -> Iterator[None]:
    try:
        yield
    except GraphError as error:
        if error.status != 404:  # noqa: PLR2004
            raise
