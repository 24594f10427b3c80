"""Connections that several threads share: TLS, the proxy of the environment, and how long to wait for an answer."""

from __future__ import annotations

import os
import ssl
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import urllib3

CONNECT_SECONDS = 10
READ_SECONDS = 60


def connections_to(base: str, number: int, read_seconds: float | None = None) -> tuple[urllib3.HTTPConnectionPool, str]:
    """Return connections to an address, through the proxy of the environment, and what a target has before it there."""
    import urllib3

    parts = urlsplit(base)
    # AWS_CA_BUNDLE is what the AWS tools take; OpenSSL itself knows SSL_CERT_FILE and SSL_CERT_DIR.
    bundle = os.environ.get("AWS_CA_BUNDLE") or None
    tls = ssl.create_default_context(cafile=bundle) if parts.scheme == "https" else None
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds or READ_SECONDS)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        direct = urllib3.PoolManager(1, maxsize=number, timeout=timeout, ssl_context=tls)
        return direct.connection_from_url(base), ""
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    manager = urllib3.ProxyManager(
        proxy, 1, proxy_headers=proxy_headers(proxy), maxsize=number, timeout=timeout, ssl_context=tls
    )
    return manager.connection_from_url(base), base if parts.scheme == "http" else ""


def proxy_headers(proxy: str) -> dict[str, str] | None:
    """Return the header that signs in to a proxy whose address has a name and a password; None where it has none."""
    import urllib3

    parts = urlsplit(proxy)
    if parts.username is None:
        return None
    return dict(urllib3.make_headers(proxy_basic_auth=f"{parts.username}:{parts.password or ''}"))
