"""Documents as resources."""

from __future__ import annotations

import pytest
from mcp.client.client import Client as McpClient

from ingest_tui.model.errors import NotFoundError
from ingest_tui.server.mcp.resources import arguments_of
from ingest_tui.server.mcp.safe_values import NOTICE
from tests.servers.mcp_agent import ERAS
from tests.unit.server.mcp.conftest import GUIDE, MakeAgent


@pytest.mark.parametrize("mode", ERAS)
def test_documents_are_listed_and_read(agent: MakeAgent, mode: str) -> None:
    """What a list names can be read; the first part says what it is, the second one is the text and nothing but it."""
    asking = agent(mode=mode)

    async def listed(client: McpClient) -> dict[str, str]:
        return {one.name: one.uri for one in (await client.list_resources()).resources}

    uris = asking.ask(listed)
    assert uris.keys() >= {"Guide", "tide.txt"}
    about, text = asking.read(uris["Guide"])
    assert about.text.startswith(NOTICE)
    assert (text.meta or {})["untrusted"] is True
    assert text.text == GUIDE


def test_the_next_page_is_at_the_address_that_the_first_one_names(agent: MakeAgent) -> None:
    """Until a page names none."""
    asking = agent()
    found = asking.get("search", query="guide")["results"][0]["id"]
    uri, text = f"document://{found}?limit=1000", ""
    about, page = asking.read(uri)
    text += page.text
    while "The next page is " in about.text:
        about, page = asking.read(about.text.partition("The next page is ")[2])
        text += page.text
    assert text == GUIDE


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "document://",
        "document:///etc/passwd",
        "document://a/../b",
        "document://a?offset=x",
        "document://a?offset=-1",
        "document://a?other=1",
        "document://a?id=b",
        "document://[",
        "\x1b[2J",
    ],
)
def test_other_addresses_are_not_found(agent: MakeAgent, uri: str) -> None:
    """What is no address of a document is no resource; the error is safe to show."""
    with pytest.raises(NotFoundError) as refused:
        arguments_of(uri)
    assert refused.value.message.isprintable()
    assert agent().failure(uri).data["code"] == "not_found"
