"""A SharePoint site as a source, from its credential to finding its text, by the command line; and its secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.graph_server import certificates
from tests.graph_server.items import Drive
from tests.graph_server.running import GraphServer
from tests.graph_server.state import CLIENT_ID, CLIENT_SECRET, TENANT_ID

pytestmark = pytest.mark.slow

SITE = "https://contoso.sharepoint.com/sites/handbook"


@pytest.fixture
def server() -> Iterator[GraphServer]:
    """Graph, sign-in and downloads on loopback."""
    with GraphServer() as running:
        running.state.site("sites/handbook", "Handbook").library("Documents", "Shared Documents")
        yield running


@pytest.fixture
def drive(server: GraphServer, cli: Cli, tmp_path: Path) -> Drive:
    """A library of a site, and a workspace with the credential that opens it."""
    cli.environment |= {"REQUESTS_CA_BUNDLE": str(certificates.ca_bundle(tmp_path)), "APP_SECRET": CLIENT_SECRET}
    cli.run("init")
    fields = {
        "tenant_id": TENANT_ID,
        "client_id": CLIENT_ID,
        "authority": server.authority,
        "graph_url": server.state.graph_url,
    }
    settings = [part for field in fields.items() for part in ("--set", "=".join(field))]
    cli.run("credential", "add", "intranet", "--type", "entra", *settings, "--secret", "client_secret=env:APP_SECRET")
    drive = server.state.drive("Documents")
    drive.put("policies/travel.md", b"# Travel\n\ntrains before planes")
    drive.put("policies/drafts/pay.md", b"# Pay\n\nnot yet decided")
    drive.put("welcome.txt", b"welcome words")
    return drive


def test_from_a_site_to_its_text(cli: Cli, server: GraphServer, drive: Drive) -> None:
    """Try the credential, browse, add, test, plan and sync a site; change, rename and delete in it; lose it."""
    assert cli.run("credential", "test", "intranet").code == 0
    place = ("--site", f"{SITE}/Shared%20Documents/Forms/AllItems.aspx", "--credential", "intranet")
    looked = cli.run("source", "browse", "--type", "sharepoint", *place).out
    assert "Documents" in looked
    cli.run("source", "add", "sharepoint", "site", *place, "--exclude", "drafts/")
    steps = cli.run("source", "test", "site", "--json").lines
    assert all(step["ok"] for step in steps)
    assert steps[-1]["step"] == "read"
    planned = {line["key"] for line in cli.run("plan", "site", "--json").lines}
    assert planned == {"Documents/policies/travel.md", "Documents/welcome.txt"}

    server.state.fail("/root/delta", status=429, code="activityLimitReached", retry_after=0.2)
    cli.run("sync", "site")
    assert "planes" in cli.run("search", "trains").out
    drive.put("welcome.txt", b"welcome changed")
    drive.rename("policies/travel.md", "policies/journeys.md")
    server.state.forget_requests()
    changed = cli.run("sync", "site", "--json").json["counters"]
    assert (changed["items_ingested"], changed["items_moved"], len(server.state.requests("downloads"))) == (1, 1, 1)

    server.state.fail("/drives", status=403, code="accessDenied", times=50)
    cli.run("sync", "site", code=None)
    assert len(cli.run("doc", "list", "--json").json) == 2, "a permission that was lost retired documents"
    server.state.faults.clear()
    drive.remove("welcome.txt")
    cli.run("sync", "site")
    assert [document["key"] for document in cli.run("doc", "list", "--json").json] == ["Documents/policies/journeys.md"]


@pytest.mark.usefixtures("drive")
def test_credential_test_says_which_site_is_not_granted(cli: Cli, server: GraphServer) -> None:
    """The permission alone opens no site: those of the sources are tried, each told by its source and with a hint."""
    cli.run("source", "add", "sharepoint", "site", "--site", SITE, "--credential", "intranet")
    steps = cli.run("credential", "test", "intranet", "--json").lines
    assert [step["ok"] for step in steps] == [True] * len(steps)
    assert ("read", "site: ") in {(step["step"], step["message"][:6]) for step in steps}
    server.state.fail("/sites/", status=403, code="accessDenied", times=50)
    steps = cli.run("credential", "test", "intranet", "--json", code=1).lines
    assert steps[-1]["message"].startswith("site: no permission to read the site")
    assert "not granted to it" in steps[-1]["hint"]
    told = cli.run("source", "test", "site", code=1).out
    assert "hint: the app holds Sites.Selected, but this site was not granted" in told
    failed = [step for step in cli.run("source", "test", "site", "--json", code=1).lines if not step["ok"]]
    assert failed[0]["hint"]


@pytest.mark.usefixtures("drive")
def test_source_names_a_credential_that_is_there(cli: Cli) -> None:
    """An unknown credential is refused with the known ones, one of another type with the type that is needed."""
    add = ("source", "add", "sharepoint", "site", "--site", SITE, "--json")
    assert "intranet" in str(cli.run(*add, "--credential", "intranett", code=4).error)
    cli.environment["WIKI"] = "planted-token"
    cli.run("credential", "add", "wiki", "--type", "token", "--secret", "token=env:WIKI")
    assert "entra" in cli.run(*add, "--credential", "wiki", code=1).error["hint"]
    assert cli.run("source", "list", "--json").json == []
    cli.run(*add, "--credential", "intranet")
    cli.run("credential", "remove", "intranet", "--yes", "--force")
    cli.run("source", "disable", "site")


@pytest.mark.usefixtures("drive")
def test_address_that_was_left_out_is_explained(cli: Cli) -> None:
    """`doc explain` knows that an address below the site belongs to the source, and why it is not here."""
    cli.run("source", "add", "sharepoint", "site", "--site", SITE, "--credential", "intranet", "--exclude", "drafts/")
    told = cli.run("doc", "explain", f"{SITE}/Shared%20Documents/policies/drafts/pay.md").out
    assert "drafts is excluded" in told
    assert "would take it" in cli.run("doc", "explain", f"{SITE}/Shared%20Documents/new.md").out


def test_secrets_of_a_site_are_found_nowhere(cli: Cli, server: GraphServer, drive: Drive) -> None:
    """Neither the app's secret, nor a token, nor an address that needs none, in the workspace or in what is printed."""
    cli.run("source", "add", "sharepoint", "site", "--site", SITE, "--credential", "intranet")
    server.state.knobs.cut_after = 5
    calls: tuple[tuple[str, ...], ...] = (
        ("sync", "site"),
        ("source", "test", "site"),
        ("job", "logs", "last"),
        ("job", "items", "last"),
    )
    printed = [cli.run(*arguments, code=None) for arguments in calls]
    tokens = set(server.state.tokens)
    assert tokens
    server.state.revoke_tokens()
    server.state.knobs.sign_in_error = ("AADSTS7000215", f"The secret {CLIENT_SECRET} is not that of the app.")
    calls = (("sync", "site"), ("--debug", "source", "test", "site"), ("credential", "test", "intranet"))
    printed += [cli.run(*arguments, code=None) for arguments in calls]
    addresses = [asked.target for asked in server.state.requests("downloads")]
    assert addresses
    tickets = {target.partition("tempauth=")[2] for target in addresses} | set(server.state.downloads)
    canaries = {CLIENT_SECRET, *tickets, *tokens}
    written = [path.read_bytes() + os.fsencode(path) for path in cli.workspace.rglob("*") if path.is_file()]
    written += [(result.out + result.err).encode() for result in printed]
    assert {canary for canary in canaries if any(canary.encode() in text for text in written)} == set()
    assert json.loads((cli.home / "credentials.json").read_text())["credentials"]["intranet"]["client_secret"]
