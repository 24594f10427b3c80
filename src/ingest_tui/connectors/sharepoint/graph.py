"""Calling Microsoft Graph: signed in, one client for each thread, answers as plain JSON.

Imports office365-rest-python-client (0.3 to 0.5 s): load it only when a source is really reached. The library signs
requests, sends them and distinguishes errors. What it does not do well enough is done here on its raw requests, or with
`requests` itself:

- Its collections lose the delta link and hold a whole listing; its downloads hold a whole file. Listings are read as
  JSON page by page, files are streamed.
- Its transport follows redirects. Ours does not: a 302 of Graph names a pre-authenticated address, to be called without
  our token.
- Pre-authenticated addresses are called with a `requests` session of our own: the library signs every request.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from office365.graph_client import GraphClient
from office365.runtime.client_request_exception import ClientRequestException
from office365.runtime.http.request_options import RequestOptions
from office365.runtime.transport.base import BaseTransport

from ingest_tui.connectors.sharepoint.graph_errors import GraphError
from ingest_tui.credentials.providers.entra_signin import TIMEOUT, SignIn, network_error
from ingest_tui.model.errors import SourceAccessError, TransientSourceError
from ingest_tui.transport.retry_after import seconds_to_wait

# At DEBUG, urllib3 logs path and query of each request: of a pre-authenticated address that is the key to the file.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

_GRAPH = "Microsoft Graph"
_MOST_REDIRECTS = 3


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no authentication: without this, `requests` would take a name and password for the host from ~/.netrc."""
    return request


class _Transport(BaseTransport):
    """One session of connections, used by one thread. A redirect is an answer, and nothing is added to the request."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def execute(self, request: RequestOptions) -> requests.Response:
        return self._session.get(
            request.url,
            headers=request.headers,
            timeout=TIMEOUT,
            stream=request.stream,
            allow_redirects=False,
            auth=_as_it_is,
        )


class GraphSession:
    """Reads from Graph for one connector. Safe for threads: each has a client and connections of its own.

    Raises `GraphError` for what Graph answers, `SourceAccessError` and `TransientSourceError` for what it does not.
    """

    def __init__(self, sign_in: SignIn, user_agent: str) -> None:
        self.sign_in = sign_in
        self._user_agent = user_agent
        self._of_thread = threading.local()
        self._sessions: list[requests.Session] = []
        """Those of all threads."""

    def close(self) -> None:
        """Close the connections of all threads, and those to the sign-in."""
        self.sign_in.close()
        while self._sessions:
            self._sessions.pop().close()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        self._sessions.append(session)
        return session

    def get(self, address: str) -> dict[str, Any]:
        """Return the JSON object at a path below the Graph version, or at a link that Graph gave."""
        response = self._request(address)
        try:
            answer = response.json()
        except ValueError:
            raise TransientSourceError(
                "something other than Microsoft Graph answers",
                hint="is there a proxy that wants a sign-in? HTTPS_PROXY and NO_PROXY steer it",
                code="network",
            ) from None
        if not isinstance(answer, dict):
            raise TransientSourceError("Microsoft Graph answers with something unexpected", code="network")
        return answer

    def pages(self, address: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the values of a collection, page by page."""
        seen: set[str] = set()
        link: str | None = address
        while link:
            if link in seen:
                raise TransientSourceError("Microsoft Graph leads round in circles", code="network")
            seen.add(link)
            answer = self.get(link)
            yield values_of(answer)
            link = answer.get("@odata.nextLink")

    def redirect_of(self, address: str) -> str | None:
        """Return where a path redirects to, which for ``…/content`` is a pre-authenticated address: keep it nowhere."""
        response = self._request(address, stream=True)
        with response:
            return response.headers.get("Location") if response.is_redirect else None

    def open_download(self, address: str, offset: int) -> requests.Response:
        """Return the streaming answer of a pre-authenticated address, whatever its status; the caller closes it.

        No token goes there: the address is the permission, and the host may be another one.
        """
        headers = {"User-Agent": self._user_agent, "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        session = getattr(self._of_thread, "downloads", None)
        if session is None:
            session = self._new_session()
            session.auth = _as_it_is
            session.max_redirects = _MOST_REDIRECTS
            self._of_thread.downloads = session
        try:
            response: requests.Response = session.get(address, headers=headers, timeout=TIMEOUT, stream=True)
        except requests.RequestException as error:
            raise network_error(error, "SharePoint's download service") from None
        return response

    def _request(self, address: str, *, stream: bool = False) -> requests.Response:
        options = RequestOptions(self._absolute(address), headers={"User-Agent": self._user_agent}, stream=stream)
        try:
            return self._client().pending_request().execute_request_direct(options)
        except ClientRequestException as error:
            raise _graph_error(error.response) from None
        except requests.RequestException as error:
            raise network_error(error, _GRAPH) from None

    def _client(self) -> GraphClient:
        client = getattr(self._of_thread, "client", None)
        if client is None:
            client = GraphClient(token_callback=self.sign_in.token)
            client.pending_request().transport = _Transport(self._new_session())
            self._of_thread.client = client
        return client

    def is_ours(self, link: str) -> bool:
        """Whether a link leads to the Graph that the token is for."""
        return urlsplit(link)[:2] == urlsplit(self.sign_in.endpoints.graph)[:2]

    def check_link(self, link: str | None) -> None:
        """Raise `SourceAccessError` for a link that leads elsewhere. Called before a link is kept for later."""
        if link is not None and not self.is_ours(link):
            raise SourceAccessError(
                "Microsoft Graph names a link to another host, which is not followed",
                hint="check the credential's cloud and graph_url",
                code="foreign_link",
            )

    def _absolute(self, address: str) -> str:
        """Links come from answers and from memory; the token goes to the Graph it is for and nowhere else."""
        if address.startswith("/"):
            return self.sign_in.endpoints.graph + address
        self.check_link(address)
        return address


def values_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a page. One that has none, or something else among them, proves nothing about the source."""
    values = answer.get("value")
    if not isinstance(values, list) or not all(isinstance(value, dict) and value.get("id") for value in values):
        raise TransientSourceError(
            "Microsoft Graph answers with something else than a list", hint="nothing was deleted", code="network"
        )
    return values


def _graph_error(response: requests.Response | None) -> GraphError:
    if response is None:
        return GraphError(0, {})
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return GraphError(
        response.status_code,
        error if isinstance(error, dict) else {},
        retry_after=seconds_to_wait(response.headers.get("Retry-After")),
        location=response.headers.get("Location"),
    )
