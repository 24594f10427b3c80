"""Signed requests to one bucket: the three that reading needs, over connections that all threads share.

botocore signs, urllib3 sends. No boto3 client: it takes more than twice the processor time for each small object and
most of the memory that staging may take (docs/benchmarks.md).
"""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_from_bytes, urlencode, urlsplit

from ingest_tui.connectors.base import Credentials
from ingest_tui.connectors.s3.access import Access, AccessKeys, aws_endpoint, resolve_access
from ingest_tui.connectors.s3.config import S3Config
from ingest_tui.connectors.s3.s3_errors import NetworkFailure, read_failure
from ingest_tui.transport.connections import connections_to

if TYPE_CHECKING:
    import urllib3

_LONGEST_ERROR = 1 << 16
_SAFE_IN_KEYS = "/-_.~"
_SAFE_IN_QUERIES = "-_.~"
_TRIES_TO_FIND_THE_REGION = 3
_OK = 300

Query = dict[str, str | bytes]


class _Route:
    """Where requests go: address, path before the key, region and connections."""

    def __init__(self, config: S3Config, access: Access, region: str, connections: int) -> None:
        base = access.endpoint_url or aws_endpoint(region)
        parts = urlsplit(base)
        host = parts.netloc.lower()
        path = parts.path.rstrip("/")
        if not config.bucket:
            pass  # a request to the store itself
        elif _in_host_name(config, access):
            host = f"{config.bucket}.{host}"
        else:
            path = f"{path}/{config.bucket}"
        default_port = ":443" if parts.scheme == "https" else ":80"
        self.host = host.removesuffix(default_port)
        self.bucket_path = path
        self.region = region
        self.origin = f"{parts.scheme}://{self.host}"
        self.pool, self.absolute = connections_to(self.origin, connections)


def _in_host_name(config: S3Config, access: Access) -> bool:
    """Whether the bucket comes before the host name: AWS wants that, most other stores are made for the path."""
    if config.addressing != "auto":
        return config.addressing == "virtual"
    # A certificate for *.s3.region.amazonaws.com does not cover a name with dots.
    return access.endpoint_url is None and "." not in config.bucket and config.bucket == config.bucket.lower()


class BucketClient:
    """Requests to the bucket of a source, signed by whom the source names. Used by several threads.

    It does not retry; only a wrong region is followed, because the store names the right one.
    """

    def __init__(self, config: S3Config, credentials: Credentials | None, *, connections: int) -> None:
        self._config = config
        self._credentials = credentials
        self._connections = connections
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._route: _Route | None = None
        self._region: str | None = None

    def close(self) -> None:
        """Close the connections; others are made if it is asked again."""
        with self._lock:
            route, self._route = self._route, None
        if route is not None:
            route.pool.close()

    def access(self) -> Access:
        """Return who asks, found when first needed; raises `AuthenticationError`."""
        with self._lock:
            if self._access is None:
                self._access = resolve_access(self._config, self._credentials)
            return self._access

    def forget_access(self) -> None:
        """Find out again who asks at the next request."""
        with self._lock:
            self._access = self._route = None

    def _find_route(self, access: Access) -> _Route:
        with self._lock:
            if self._route is None:
                self._route = _Route(self._config, access, self._region or access.region, self._connections)
            return self._route

    def send(self, method: str, key: bytes | None, query: Query, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Return the answer, its body unread; the caller reads it to its end or closes it.

        ``key`` is None for requests to the bucket. Raises `StoreFailure`, `NetworkFailure`, `AuthenticationError`.
        """
        if self._config.requester_pays:
            headers = {**headers, "x-amz-request-payer": "requester"}
        for last in (False,) * (_TRIES_TO_FIND_THE_REGION - 1) + (True,):
            access = self.access()
            route = self._find_route(access)
            response = self._send_once(access, route, method, key, query, headers)
            if response.status < _OK:
                return response
            failure = read_failure(response.status, response.headers, _error_body(response))
            if failure.region is None or failure.region == route.region or last:
                raise failure
            with self._lock:
                self._region = failure.region
                self._route = None
        raise AssertionError

    def _send_once(
        self,
        access: Access,
        route: _Route,
        method: str,
        key: bytes | None,
        query: Query,
        headers: dict[str, str],
    ) -> urllib3.BaseHTTPResponse:
        path = route.bucket_path
        path += "/" if key is None and not path else "" if key is None else "/" + quote_from_bytes(key, _SAFE_IN_KEYS)
        if query:
            path += "?" + urlencode(query, quote_via=quote, safe=_SAFE_IN_QUERIES)
        headers = _signed(access.keys(), route, method, path, headers)
        # Not signed: what is on the way may change them.
        headers |= {"user-agent": "ingest-tui", "accept-encoding": "identity"}
        from urllib3.exceptions import HTTPError

        try:
            return route.pool.urlopen(
                method,
                route.absolute + path,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,  # with a plain HTTP proxy the pool is that of the proxy
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as error:
            raise network_failure(error, route.host) from None


def _signed(keys: AccessKeys | None, route: _Route, method: str, path: str, headers: dict[str, str]) -> dict[str, str]:
    """Return ``headers`` and those that prove who asks. ``path`` is as it will be sent, with its query."""
    headers = {**headers, "host": route.host}
    if keys is None:
        return headers
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest(method, route.origin + path, headers)
    S3SigV4Auth(keys, "s3", route.region).add_auth(request)
    return dict(request.headers.items())


def _error_body(response: urllib3.BaseHTTPResponse) -> bytes:
    from urllib3.exceptions import HTTPError

    try:
        body = response.read(_LONGEST_ERROR)
    except HTTPError:
        body = b""
    response.close()
    return body


def network_failure(error: Exception, host: str) -> NetworkFailure:
    """Return what broke, without the text of the exception: it may hold the address with its query."""
    from urllib3 import exceptions

    if isinstance(error, exceptions.ProxyError):
        return NetworkFailure("the proxy does not answer as it should", "check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, exceptions.SSLError) and any(
        isinstance(cause, ssl.SSLCertVerificationError) for cause in (*error.args, error.__cause__)
    ):
        return NetworkFailure(
            f"no secure connection to {host}: its certificate is not accepted",
            "AWS_CA_BUNDLE names the file with the certificates of a private authority",
            transient=False,
        )
    if isinstance(error, exceptions.NameResolutionError):
        return NetworkFailure(f"the name {host} cannot be resolved")
    if isinstance(error, exceptions.NewConnectionError):
        return NetworkFailure(f"{host} cannot be reached")
    if isinstance(error, exceptions.TimeoutError):
        return NetworkFailure(f"{host} does not answer in time")
    return NetworkFailure(f"the connection to {host} was cut")
