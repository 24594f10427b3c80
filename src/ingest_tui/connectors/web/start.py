"""Where a source begins: the address of the settings, or that of its folder where the site leads there."""

from __future__ import annotations

from ingest_tui.connectors.web.addresses import SiteScope
from ingest_tui.connectors.web.client import WebClient
from ingest_tui.connectors.web.web_errors import RequestFailedError

_NAME_IT = "name the address that it leads to"


def find_start(client: WebClient, scope: SiteScope, *, always: bool) -> None:
    """Follow the start to its own folder, from ``/docs`` to ``/docs/``; ``always``: ask also where it is one.

    Raises `RequestFailedError` where it cannot be read, or leads out of the source.
    """
    if not always and scope.begins_in_its_folder:
        return
    with client.get(scope.start_address) as answer:
        leads_to = answer.leads_to
    if leads_to is None:
        return
    if scope.follow_start(leads_to):
        find_start(client, scope, always=always)
    elif target_of(scope, scope.start_key, leads_to) is None:
        raise leads_out(scope, leads_to)


def target_of(scope: SiteScope, key: str, leads_to: str) -> str | None:
    """Return the key of where a page leads; None where that is no other page of the source."""
    address = scope.resolve(leads_to, leads_to)
    found = scope.key_of(address) if address else None
    return found if found != key else None


def leads_out(scope: SiteScope, leads_to: str) -> RequestFailedError:
    """Return what it means that the start leads to what is no other page of the source."""
    address = scope.resolve(leads_to, leads_to) or ""
    if not scope.is_of_the_site(leads_to):
        what = f"it leads to another site: {_NAME_IT}"
    elif scope.key_of(address) is None:
        what = f"it leads to another folder of the site: {_NAME_IT}"
    else:
        what = "it leads to itself again and again"
    return RequestFailedError(what, reason="not_found")
