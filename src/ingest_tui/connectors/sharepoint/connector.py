"""SharePoint document libraries and OneDrives of organisations, through Microsoft Graph."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from ingest_tui.connectors.base import (
    BaseConnector,
    Capabilities,
    Credential,
    Credentials,
    Listing,
    ListingMemory,
    Place,
    Sample,
    TestStep,
)
from ingest_tui.connectors.content_checks import ContentChecks
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.memory import VolatileMemory
from ingest_tui.connectors.sharepoint.config import SharePointConfig
from ingest_tui.connectors.sharepoint.urls import is_below, parse_site_url, shown_library
from ingest_tui.credentials.providers.entra import check_packages
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.clock import posix_seconds
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import AuthenticationError, IngestError
from ingest_tui.model.keys import key_from_bytes
from ingest_tui.model.safe_text import safe_display
from ingest_tui.version import __version__

if TYPE_CHECKING:
    from ingest_tui.connectors.sharepoint.graph import GraphSession
    from ingest_tui.connectors.sharepoint.quickxor import QuickXorHash
    from ingest_tui.connectors.sharepoint.site import Site

_FETCHES_AT_ONCE = 8
_PACKAGES = {"office365": "office365-rest-python-client", "msal": "msal", "requests": "requests"}


class SharePointConnector(BaseConnector):
    """Documents of a SharePoint site's libraries, or of an organisation's OneDrive.

    Lists libraries by delta, reads files from pre-authenticated addresses. A key is ``Library/folder/file``. The
    address is made from that of the library and the path and not taken from Graph, whose addresses of files go stale
    when a folder above them is renamed.
    """

    source_type: ClassVar[str] = "sharepoint"
    config_model: ClassVar[type[BaseModel]] = SharePointConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=_FETCHES_AT_ONCE, ranged_fetch=True, remote=True, remembers_listing=True
    )
    config: SharePointConfig

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._address = parse_site_url(self.config.site)
        self._filter = build_filter(self.config.include, self.config.exclude)
        self._volatile = VolatileMemory()
        self._checks: ContentChecks[QuickXorHash] = ContentChecks()
        self._lock = threading.Lock()
        self._session: GraphSession | None = None
        self._digest: str | None = None
        self._site: Site | None = None
        self._browsed: Site | None = None
        self._chosen: frozenset[str] | None = None
        """The names of the libraries that are taken, once the site was asked."""

    # Reaching the site

    def validate_config(self) -> None:
        """The packages and the credential must be there, so that it shows when the source is added."""
        check_packages(_PACKAGES, "the sharepoint connector")
        if self.credentials is not None:
            self._credential()

    async def authenticate(self) -> bool:
        """Sign in and find the site, its libraries and the folder."""
        self._site = self._find_site()
        return True

    def account(self) -> str:
        """Return the tenant and the app: Graph counts and throttles by these."""
        try:
            credential = self._credential()
            return f"sharepoint:{credential.get('tenant_id')}:{credential.get('client_id')}"
        except IngestError:
            return f"sharepoint:{self.config.credential}"

    def reauthenticate(self) -> bool:
        """Drop the token, and read the credential again when it is next needed.

        A sign-in that was refused can only succeed with another credential; a refused token with a new one.
        """
        with self._lock:
            refused = self._session is not None and self._session.sign_in.refused
            self._session = None
            before, self._digest = self._digest, None
        if not refused:
            return True
        try:
            return self._credential().digest != before
        except IngestError:
            return False

    def _credential(self) -> Credential:
        if self.credentials is None:
            raise AuthenticationError(
                "there is no credential registry to sign in from",
                hint="'ingest-tui credential add NAME --type TYPE' makes one",
            )
        credential = self.credentials.get(self.config.credential)
        if credential.type != "entra":
            raise AuthenticationError(
                f"the credential '{safe_display(self.config.credential)}' is of type '{safe_display(credential.type)}'",
                hint="a SharePoint source signs in with a credential of type 'entra'; see docs/sharepoint.md",
                setting="credential",
            )
        return credential

    def close(self) -> None:
        """Close the connections to Graph; others are made if it is asked again."""
        with self._lock:
            session = self._session
        if session is not None:
            session.close()

    def _graph(self) -> GraphSession:
        with self._lock:
            if self._session is None:
                check_packages(_PACKAGES, "the sharepoint connector")
                from ingest_tui.connectors.sharepoint.graph import GraphSession
                from ingest_tui.credentials.providers.entra_signin import SignIn

                credential = self._credential()
                self._digest = credential.digest
                self._session = GraphSession(SignIn(credential), user_agent(self._address.organisation))
            return self._session

    def _find_site(self) -> Site:
        session = self._graph()
        from ingest_tui.connectors.sharepoint.site import find_site

        site = find_site(session, self._address, self.config.library, self.config.folder)
        self._chosen = frozenset(library.name for library in site.libraries)
        return site

    # Listing, fetching, looking around

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - it continues from what is remembered
        """Bring the mirror of each library up to date, then yield everything in them."""
        from ingest_tui.connectors.sharepoint.listing import SiteListing

        site = self._site or self._find_site()
        self._site = None
        memory: ListingMemory = self.memory if self.memory is not None else self._volatile
        listing = SiteListing(
            self._graph(), site, memory, self.config, path_filter=self._filter, max_size=self.max_size
        )
        return (yield from listing.pages(posix_seconds()))

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Read one file from the address that Graph gives for it at this moment."""
        session = self._graph()
        from ingest_tui.connectors.sharepoint.download import Download

        with Download(session, descriptor, self.max_size, self._checks).opened(offset) as pieces:
            yield pieces

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return the ids of drive and item, and by which sum its bytes were checked (``none``, ``differs``)."""
        return (descriptor.metadata or {}) | self._checks.origin_of(descriptor.uri)

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the libraries of the site, or what is directly in ``Library/folder``."""
        session = self._graph()
        from ingest_tui.connectors.sharepoint.browse import browse
        from ingest_tui.connectors.sharepoint.site import find_site

        if self._browsed is None:
            self._browsed = find_site(session, self._address)
        yield from browse(session, self._browsed, path)

    def sample(self) -> Sample:
        """Yield items folder by folder: the listing itself begins with what takes long, the mirror of each library."""
        session = self._graph()
        from ingest_tui.connectors.sharepoint.browse import sample

        for descriptor in sample(session, self._find_site(), self.max_size):
            if self.explain_left_out(descriptor.key) is None:
                yield descriptor
        return None  # libraries that cannot be listed raise

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - known by the path
        """Return library and folder of ``Library/folder``."""
        library, _, folder = path.partition("/")
        return {"library": [library], "folder": folder}

    def test_steps(self) -> Iterator[TestStep]:
        """Sign in, find the site, its libraries, list one page, read one file; stops after the first that fails."""
        from ingest_tui.connectors.sharepoint.probe import probe_site

        return probe_site(self, self._graph, self._find_site, self.max_size)

    def explain_left_out(self, key: str) -> str | None:
        """Return why a key of this site would not be listed, as far as the settings say."""
        from ingest_tui.connectors.sharepoint.browse import explain_left_out

        return explain_left_out(self.config, self._filter, key, self._chosen)

    def key_of(self, address: str) -> str | None:
        """Return the key of an address below that of the source; a library is taken to be called as in the address."""
        try:
            meant = parse_site_url(address)
        except ValueError:
            return None
        own = self._address
        if own.site_id or own.share_link or meant.host != own.host or not is_below(meant, own):
            return None
        return key_from_bytes("/".join((shown_library(meant.rest[0]), *meant.rest[1:])).encode())


def user_agent(organisation: str) -> str:
    """Return how we name ourselves, in the form that Microsoft asks for ("Avoid getting throttled or blocked")."""
    company = re.sub(r"[^A-Za-z0-9-]", "", organisation) or "unknown"
    return f"NONISV|{company}|ingest-tui/{__version__}"
