"""The clouds that Microsoft 365 runs in, and where each has its sign-in, its Graph and its SharePoint.

From Microsoft's "Microsoft Graph national cloud deployments". Mapped here and not by the library: its environments send
GCC to the endpoints of GCC High, but GCC lives in the worldwide cloud.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest_tui.credentials.contract import Credential
from ingest_tui.model.errors import AuthenticationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.addresses import is_safe_for_secrets

GUIDE = "docs/sharepoint.md"
"""Where hints lead who sets this up."""
_API_VERSION = "v1.0"


class Cloud(NamedTuple):
    """One cloud: its name in credentials, its endpoints without a trailing slash, and how its SharePoint hosts end."""

    name: str
    graph: str
    login: str
    host_ending: str


CLOUDS = (
    Cloud("global", "https://graph.microsoft.com", "https://login.microsoftonline.com", ".sharepoint.com"),
    Cloud("gcc", "https://graph.microsoft.com", "https://login.microsoftonline.com", ".sharepoint.com"),
    Cloud("gcc-high", "https://graph.microsoft.us", "https://login.microsoftonline.us", ".sharepoint.us"),
    Cloud("dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us", ".sharepoint-mil.us"),
    Cloud("china", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn", ".sharepoint.cn"),
)


class Endpoints(NamedTuple):
    """Where one credential signs in and calls.

    ``graph`` is the base of every request (``https://graph.microsoft.com/v1.0``), ``scope`` what a token is asked for,
    ``authority`` the sign-in address with the tenant. ``known`` is False for an authority that a person gave: then msal
    must not ask Microsoft whether it knows that host.
    """

    cloud: Cloud
    graph: str
    scope: str
    authority: str
    known: bool


def cloud_named(name: str) -> Cloud:
    """Return a cloud by its name in credentials; raises `AuthenticationError` naming those there are."""
    for cloud in CLOUDS:
        if cloud.name == name.strip().lower():
            return cloud
    raise AuthenticationError(
        f"there is no cloud '{safe_display(name)}'",
        hint=f"the field 'cloud' of the credential is one of: {', '.join(cloud.name for cloud in CLOUDS)}",
    )


def clouds_of_host(host: str) -> list[Cloud]:
    """Return the clouds that a SharePoint host belongs to; none for a host name of an organisation's own."""
    return [cloud for cloud in CLOUDS if host.lower().endswith(cloud.host_ending)]


def endpoints_of(credential: Credential) -> Endpoints:
    """Return where a credential signs in and calls, from its fields cloud, tenant_id, authority and graph_url."""
    cloud = cloud_named(credential.get("cloud") or "global")
    authority = credential.get("authority")
    graph = (credential.get("graph_url") or cloud.graph).rstrip("/").removesuffix(f"/{_API_VERSION}")
    tenant = credential.require("tenant_id")
    _check_address("graph_url", graph)
    if authority is not None:
        _check_address("authority", authority)
    # A stand-in on this machine is called with tokens for the cloud it stands for.
    audience = graph if graph.lower().startswith("https://") else cloud.graph
    return Endpoints(
        cloud,
        f"{graph}/{_API_VERSION}",
        f"{audience}/.default",
        f"{(authority or cloud.login).rstrip('/').removesuffix(f'/{tenant}')}/{tenant}",
        known=authority is None,
    )


def _check_address(field: str, address: str) -> None:
    """A token must not travel in the clear, except within this machine."""
    if not is_safe_for_secrets(address):
        raise AuthenticationError(
            f"the field {field!r} of the credential is not an https address", hint="tokens are sent there; use https://"
        )
