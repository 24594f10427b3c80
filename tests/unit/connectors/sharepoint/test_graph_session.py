"""Calling Graph: what is sent, what is not, and what failures mean."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from ingest_tui.connectors.sharepoint.connector import user_agent
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, item_error_of_graph, source_error
from ingest_tui.model.errors import (
    AuthenticationError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import connector_to, fetched, listed, session_to

SITE = "/sites/contoso.sharepoint.com:/sites/handbook"


def test_requests_are_signed_and_say_who_we_are(server: GraphServer) -> None:
    """Each request carries the token, the decorated User-Agent that Microsoft asks for, and an id of its own."""
    session = session_to(server)
    session.get(SITE)
    session.get(SITE)
    first, second = (asked.headers for asked in server.state.requests("graph"))
    assert first["authorization"].startswith("Bearer ")
    assert first["user-agent"] == "NONISV|contoso|ingest-tui/0"
    assert first["client-request-id"] != second["client-request-id"]


def test_user_agent_is_that_of_the_organisation() -> None:
    """The company is the name in the host, without what a header could not hold."""
    assert user_agent("contoso").startswith("NONISV|contoso|ingest-tui/")
    assert user_agent("c o\r\n|x").startswith("NONISV|cox|ingest-tui/")
    assert user_agent("").startswith("NONISV|unknown|")


def test_each_thread_has_its_own_client(server: GraphServer) -> None:
    """Many threads over one session get each its own answers, with one sign-in for all."""
    session = session_to(server)
    for number in range(8):
        server.state.site(f"sites/s{number}", f"Site {number}")
    found: dict[int, set[str]] = {}

    def ask(number: int) -> None:
        address = f"/sites/contoso.sharepoint.com:/sites/s{number}"
        found[number] = {session.get(address)["displayName"] for _ in range(20)}

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: {f"Site {number}"} for number in range(8)}
    assert len([asked for asked in server.state.requests("login") if asked.method == "POST"]) == 1


def test_token_goes_to_no_other_host(server: GraphServer) -> None:
    """A link that leads elsewhere, from an answer or from memory, is not followed."""
    session = session_to(server)
    for link in ("https://graph.evil.example/v1.0/x", server.state.downloads_url, "http://127.0.0.1:1/v1.0/sites"):
        with pytest.raises(SourceAccessError) as caught:
            session.get(link)
        assert caught.value.reason == "foreign_link"
    assert server.state.asked == []


def test_redirect_is_an_answer(server: GraphServer, drive: Drive) -> None:
    """The 302 of a content request is not followed with our token; its address is handed over."""
    item = drive.put("a.txt", b"x")
    address = session_to(server).redirect_of(f"/drives/{drive.drive_id}/items/{item.item_id}/content")
    assert address is not None
    assert address.startswith(server.state.downloads_url)
    assert server.state.requests("downloads") == []


def test_download_host_never_sees_the_token(
    server: GraphServer, drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pre-authenticated addresses are called without Authorization, also where ~/.netrc has a password for the host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password planted-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    drive.put("a.txt", b"alpha")
    connector = connector_to(server)
    assert fetched(connector, listed(connector)[0]["Documents/a.txt"]) == b"alpha"
    assert all("authorization" not in asked.headers for asked in server.state.requests("downloads"))
    assert all(asked.headers["authorization"].startswith("Bearer") for asked in server.state.requests("graph"))


def test_download_addresses_are_not_logged(server: GraphServer, drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    """Even with every logger at DEBUG, neither a pre-authenticated address nor a token nor a secret is logged."""
    caplog.set_level(logging.DEBUG)
    drive.put("a.txt", b"alpha")
    connector = connector_to(server)
    fetched(connector, listed(connector)[0]["Documents/a.txt"])
    assert server.state.requests("downloads")
    for secret in ("tempauth", "planted-client-secret", *server.state.tokens):
        assert secret not in caplog.text


def test_page_of_a_proxy_is_no_answer_of_graph(server: GraphServer) -> None:
    """A sign-in page of a proxy, with status 200, is reported as such."""
    server.state.fail("/sites/", action="html")
    with pytest.raises(TransientSourceError, match="other than Microsoft Graph") as caught:
        session_to(server).get(SITE)
    assert "proxy" in caught.value.hint


def test_failing_network_is_transient(server: GraphServer) -> None:
    """A connection that breaks, is refused, or stays silent may work later; no address is in the message."""
    server.state.fail("/sites/", action="close")
    with pytest.raises(TransientSourceError) as caught:
        session_to(server).get(SITE)
    assert caught.value.reason == "network"
    with pytest.raises(TransientSourceError, match=r"^no connection to Microsoft Graph$"):
        session_to(server, graph_url="http://127.0.0.1:1").get(SITE)


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_throttling_says_how_long_to_wait(server: GraphServer, status: int, as_date: bool) -> None:
    """Retry-After is understood as seconds and as a date."""
    server.state.knobs.retry_after_as_date = as_date
    server.state.fail("/sites/", status=status, code="tooManyRequests", retry_after=17)
    with pytest.raises(GraphError) as caught:
        session_to(server).get(SITE)
    error = source_error(caught.value, "the site")
    assert isinstance(error, TransientSourceError)
    assert error.reason == "throttled"
    assert error.retry_after == pytest.approx(17, abs=2)
    of_item = item_error_of_graph(caught.value, "uri")
    assert isinstance(of_item, TransientItemError)
    assert (of_item.reason, of_item.retry_after) == ("throttled", error.retry_after)


def error(status: int, code: str = "accessDenied", message: str = "Words of Graph.", **inner: str) -> GraphError:
    """Return an error as Graph words it."""
    return GraphError(status, {"code": code, "message": message, "innerError": {"request-id": "r-1", **inner}})


def test_real_error_is_never_hidden() -> None:
    """Whatever we make of an error, Graph's code and words are in the message, and its request id in the details."""
    for status in (400, 401, 403, 404, 405, 409, 423, 500, 504):
        of_source = source_error(error(status), "the site x", ["Sites.Selected"])
        assert f"{status} accessDenied: Words of Graph." in of_source.message, status
        assert of_source.context["request_id"] == "r-1"
        assert status >= 500 or of_source.hint
    for status in (400, 403, 423, 500):
        assert "Words of Graph." in item_error_of_graph(error(status), "uri").message


def test_words_of_graph_cannot_act_on_a_terminal() -> None:
    """A message from outside is shown, not obeyed."""
    told = source_error(error(404, message="\x1b]0;title\x07"), "the site").message
    assert told.isprintable()


@pytest.mark.parametrize(
    ("status", "roles", "hint"),
    [
        (403, ["Sites.Selected"], "this site was not granted"),
        (403, [], "no permission at all: add the application permission Sites.Selected"),
        (403, ["User.Read.All"], "only User.Read.All: add the application permission Sites.Selected"),
        (403, ["Sites.Read.All"], "access policy"),
        (403, None, "access policy"),
        (401, [], "add the application permission Sites.Selected"),
        (401, ["Sites.Read.All"], "disabled"),
    ],
)
def test_refusal_says_which_permission_is_missing(status: int, roles: list[str] | None, hint: str) -> None:
    """The permissions in the token tell whether the app lacks consent or the site lacks a grant."""
    told = source_error(error(status), "the site", roles)
    assert hint in told.hint
    assert isinstance(told, AuthenticationError) == (status == 401)


@pytest.mark.parametrize(
    ("status", "inner", "reason", "passing"),
    [
        (403, {}, "forbidden", False),
        (404, {}, "not_found", False),
        (410, {}, "not_found", False),
        (423, {}, "locked", True),
        (403, {"code": "malwareDetected"}, "malware", False),
        (400, {"code": "malwareDetected"}, "malware", False),
        (400, {}, "unreadable", False),
        (500, {}, "network", True),
        (503, {}, "throttled", True),
        (509, {}, "throttled", True),
    ],
)
def test_errors_of_items_have_stable_reasons(status: int, inner: dict[str, str], reason: str, passing: bool) -> None:
    """One item that cannot be had is an outcome with a reason, and only what may pass is tried again."""
    told = item_error_of_graph(error(status, **inner), "uri")
    assert isinstance(told, ItemError)
    assert (told.reason, told.retryable) == (reason, passing)


def test_refused_token_is_the_error_of_the_source() -> None:
    """A 401 while one item is fetched is not that item's fault."""
    assert isinstance(item_error_of_graph(error(401), "uri"), AuthenticationError)
