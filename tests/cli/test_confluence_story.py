"""Confluence as a source, from adding it to losing it, by the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.running import Cli
from tests.confluence_server.running import PERSON, ConfluenceServer

pytestmark = pytest.mark.slow


@pytest.fixture(params=[True, False], ids=["Cloud", "Data Center"])
def server(request: pytest.FixtureRequest) -> Iterator[ConfluenceServer]:
    """A Confluence with two spaces."""
    with ConfluenceServer(is_cloud=request.param) as running:
        yield running


def _add(cli: Cli, server: ConfluenceServer, *options: str) -> None:
    cli.run("init")
    cli.environment["WIKI_TOKEN"] = server.state.token
    signing: tuple[str, ...]
    if server.state.is_cloud:
        signing = ("--type", "basic", "--set", f"username={PERSON}", "--secret", "password=env:WIKI_TOKEN")
    else:
        signing = ("--type", "token", "--secret", "token=env:WIKI_TOKEN")
    cli.run("credential", "add", "wiki", *signing)
    edition = "cloud" if server.state.is_cloud else "data-center"
    place = ("--url", server.url, "--edition", edition, "--credential", "wiki")
    cli.run("source", "add", "confluence", "handbook", *place, *options)


def test_from_a_space_to_its_texts(cli: Cli, server: ConfluenceServer) -> None:
    """Add, test, plan, sync; edit, rename, comment, attach, restrict, delete; a space that is gone deletes nothing."""
    state = server.state
    travel = state.page(
        "DOC",
        "Travel",
        "<h2>Trains</h2><p>We prefer trains, says <ac:link><ri:user ri:account-id='abc'/></ac:link>. See"
        ' <ac:link><ri:page ri:content-title="Pay &amp; leave"/></ac:link>.</p>',
    )
    pay = state.page("DOC", "Pay & leave", "<p>not yet decided</p>", parent=travel.entry_id)
    state.page("DOC", "News", "<p>A post about pigeons</p>", kind="blogposts")
    question = state.comment(travel, "<p>Night trains, too?</p>", is_inline=True)
    state.comment(travel, "<p>Only sleepers</p>", parent=question.entry_id, is_inline=True)
    state.attach(travel, "fares.csv", b"from,to,fare\nBonn,Ulm,41\n")
    state.page("OTHER", "Elsewhere", "<p>not taken</p>")
    travel.readers = ["@staff"]
    _add(cli, server, "--space", "DOC")

    assert all(step["ok"] for step in cli.run("source", "test", "handbook", "--json").lines)
    assert "Travel" in cli.run("source", "browse", "handbook", "DOC").out
    assert len(cli.run("plan", "handbook", "--json").lines) == 6
    assert cli.run("sync", "handbook", "--json").json["counters"]["items_ingested"] == 6
    assert "sleepers" in cli.run("search", "sleepers").out
    text = cli.run("doc", "text", f"DOC/{travel.entry_id}.confluence").out
    assert "# Travel" in text
    assert "## Trains" in text
    assert "@Ann Example" in text
    (linked,) = cli.run("doc", "links", f"DOC/{travel.entry_id}.confluence", "--json").json["links"]
    documents = {one["title"]: one for one in cli.run("doc", "list", "--json").json}
    assert linked["document_id"] == documents["Pay & leave"]["document_id"]
    paid = documents["Pay & leave"]["document_id"]
    assert "group:staff" in cli.run("doc", "show", paid, "--json").out, "what is above a page restricts it"

    pay.versions.append(b"<p>decided by lottery</p>")
    travel.title = "Journeys"
    travel.versions.append(travel.content)
    changed = cli.run("sync", "handbook", "--json").json["counters"]
    assert (changed["items_ingested"], changed["items_retired"], changed["items_skipped_incremental"]) == (2, 0, 4)
    assert len(cli.run("doc", "versions", paid, "--json").json) == 2

    state.remove(question)
    state.page("DOC", "More", "<p>a new page</p>")
    state.fail("attachment", service="confluence", status=403)
    told = cli.run("sync", "handbook", "--json", code=None).json["counters"]
    assert (told["items_ingested"], told["items_retired"]) == (1, 0), "with a gap nothing is proven gone"
    assert cli.run("sync", "handbook", "--json").json["counters"]["items_retired"] >= 1

    del state.spaces["DOC"]
    before = cli.run("doc", "list", "--json").json
    gone = cli.run("sync", "handbook", code=None)
    assert "there is no space DOC" in gone.out + gone.err
    assert cli.run("doc", "list", "--json").json == before
    assert state.token not in "".join(path.read_text(errors="replace") for path in _files(cli))


def _files(cli: Cli) -> Iterator:  # type: ignore[type-arg]
    return (path for path in cli.workspace.rglob("*") if path.is_file())


def test_a_wrong_token_says_what_to_do(cli: Cli, server: ConfluenceServer) -> None:
    """Refused by the server, with the way to a right one; once renewed the sync goes on."""
    server.state.page("DOC", "Travel", "<p>trains</p>")
    _add(cli, server)
    server.state.token = "another"
    refused = cli.run("sync", "handbook", code=None)
    assert refused.code == 1
    assert "docs/confluence.md" in refused.out + refused.err
    cli.environment["WIKI_TOKEN"] = "another"
    assert cli.run("sync", "handbook", "--json").json["counters"]["items_ingested"] == 1
