"""The listing of a whole site: every library brought up to date first, then everything in them from memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest_tui.connectors.base import Listing, ListingMemory
from ingest_tui.connectors.filtering import PathFilter
from ingest_tui.connectors.sharepoint.delta import DriveDelta
from ingest_tui.connectors.sharepoint.graph import GraphSession
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, source_error
from ingest_tui.connectors.sharepoint.items import FOLDER_KINDS, GONE, LISTED_FIELDS, DriveItem, read_item
from ingest_tui.connectors.sharepoint.mirror import DriveMirror
from ingest_tui.connectors.sharepoint.shortcuts import ShortcutGapError, follow_shortcut
from ingest_tui.connectors.sharepoint.site import Library, Site
from ingest_tui.connectors.sharepoint.tree import DriveListing
from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import AuthenticationError, SourceAccessError

if TYPE_CHECKING:
    from ingest_tui.connectors.sharepoint.config import SharePointConfig

PAGE = 1000
_NOT_FOUND = 404
_ABSENT = "absent:"
_AWAY = "the site no longer has this library, or hides it from the app: its documents are kept for a day"
_SECONDS_TO_COME_BACK = 86_400.0
_MOST_LOOKUPS = 100
"""Folders that are asked for by id in one library; more would mean that something else is wrong."""


class SiteListing:
    """One listing of a site. What cannot be looked into becomes a gap, named by the library."""

    def __init__(
        self,
        session: GraphSession,
        site: Site,
        memory: ListingMemory,
        config: SharePointConfig,
        *,
        path_filter: PathFilter,
        max_size: int | None,
    ) -> None:
        self._session = session
        self._site = site
        self._memory = memory
        self._config = config
        self._filter = path_filter
        self._max_size = max_size
        self._gaps: list[tuple[str, str]] = []

    def pages(self, now: float) -> Listing:
        """Yield pages of descriptors. All that has to be asked of Graph is asked before the first one.

        One library that is locked or forbidden is a gap and not the end of the others; if none can be read, that is
        the error of the source.
        """
        readable = []
        first_problem: SourceAccessError | None = None
        for library in self._site.libraries:
            problem = self._catch_up(library, now)
            if problem is None:
                readable.append(library)
            else:
                first_problem = first_problem or problem
                self._gaps.append((library.name, problem.message))
        if first_problem is not None and not readable:
            raise first_problem
        self._check_vanished_libraries(now)
        for library in readable:
            yield from self._pages_of(library)
        if not self._gaps:
            self._note_libraries()
        return ListingEnd(complete=not self._gaps, gaps=tuple(self._gaps))

    def _catch_up(self, library: Library, now: float) -> SourceAccessError | None:
        mirror = DriveMirror(self._memory, library.drive_id)
        try:
            DriveDelta(self._session, library.drive_id, mirror, self._config.reconcile_days).catch_up(now)
        except GraphError as error:
            problem = source_error(error, f"the library {library.name!r}", self._session.sign_in.roles)
            if problem.retryable or isinstance(problem, AuthenticationError):
                raise problem from None
            return problem
        return None

    def _pages_of(self, library: Library) -> Iterator[ListingPage]:
        lookups = _FolderLookups(self._session, library.drive_id)
        listing = DriveListing(
            library,
            DriveMirror(self._memory, library.drive_id),
            lookups.find,
            folder=self._site.folder,
            path_filter=self._filter,
            max_size=self._max_size,
        )
        page: list[Descriptor] = []
        for descriptor, item in listing.items():
            if item.kind == "shortcut" and self._config.follow_shortcuts:
                for followed in self._followed(item, descriptor):
                    page.append(followed)
                    if len(page) >= PAGE:
                        yield ListingPage(page)
                        page = []
                continue
            page.append(descriptor)
            if len(page) >= PAGE:
                yield ListingPage(page)
                page = []
        if page:
            yield ListingPage(page)
        if listing.orphans:
            message = (
                "Microsoft Graph does not say in which folder "
                f"{counted(listing.orphans, 'item of it is', 'items of it are')}"
            )
            self._gaps.append((library.name, message))

    def _followed(self, item: DriveItem, descriptor: Descriptor) -> Iterator[Descriptor]:
        try:
            yield from follow_shortcut(self._session, item, descriptor, self._filter, self._max_size)
        except ShortcutGapError as gap:
            self._gaps.append((descriptor.key, str(gap)))

    # Libraries that come and go

    @property
    def _libraries_note(self) -> str:
        return f"libraries:{self._site.site_id}"

    def _check_vanished_libraries(self, now: float) -> None:
        """A library that the site no longer names is deleted, or hidden from us: only the first proves its items gone.

        Graph answers 404 for either. So it counts as deleted only when it has been away for a day, which is time enough
        for a permission that was taken by mistake to come back; until then it is a gap. Matters for sources that take
        all libraries; one that is named and missing was an error before.
        """
        if not self._site.takes_all:
            return
        there = {library.drive_id for library in self._site.all_libraries}
        for drive_id, name in self._known_libraries().items():
            if drive_id in there:
                self._note_absence(drive_id, None)
                continue
            try:
                self._session.get(f"/drives/{drive_id}?$select=id")
            except GraphError as error:
                if error.status == _NOT_FOUND:
                    self._wait_for(drive_id, name, now)
                    continue
                problem = source_error(error, f"the library {name!r}", self._session.sign_in.roles)
                if problem.retryable:
                    raise problem from None
                self._gaps.append((name, problem.message))
            else:
                self._gaps.append(
                    (
                        name,
                        "the site no longer names this library, but it is still there (--library names what to take)",
                    )
                )

    def _wait_for(self, drive_id: str, name: str, now: float) -> None:
        try:
            since = float(self._memory.note(_ABSENT + drive_id) or now)
        except ValueError:
            since = now
        if now - since >= _SECONDS_TO_COME_BACK:
            DriveMirror(self._memory, drive_id).forget()
            self._note_absence(drive_id, None)
            return
        self._note_absence(drive_id, since)
        self._gaps.append((name, _AWAY))

    def _note_absence(self, drive_id: str, since: float | None) -> None:
        name, value = _ABSENT + drive_id, None if since is None else str(since)
        if self._memory.note(name) != value:
            self._memory.apply(notes={name: value})

    def _known_libraries(self) -> dict[str, str]:
        try:
            known = json.loads(self._memory.note(self._libraries_note) or "{}")
        except ValueError:
            return {}
        return known if isinstance(known, dict) else {}

    def _note_libraries(self) -> None:
        if self._site.takes_all:
            known = {library.drive_id: library.name for library in self._site.libraries}
            self._memory.apply(notes={self._libraries_note: json.dumps(known)})


class _FolderLookups:
    """Asks for folders that a mirror names as parents but does not know."""

    def __init__(self, session: GraphSession, drive_id: str) -> None:
        self._session = session
        self._drive_id = drive_id
        self._left = _MOST_LOOKUPS

    def find(self, folder_id: str) -> DriveItem | None:
        """Return the folder as Graph knows it, `GONE` when it is deleted, None when that is not known."""
        if self._left <= 0 or not folder_id:
            return None
        self._left -= 1
        try:
            found = read_item(self._session.get(f"/drives/{self._drive_id}/items/{folder_id}?$select={LISTED_FIELDS}"))
        except GraphError as error:
            return GONE if error.status == _NOT_FOUND else None
        except SourceAccessError:
            return None
        return found if found.kind in FOLDER_KINDS else None
