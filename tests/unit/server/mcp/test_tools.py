"""The tools, as an agent calls them through the client of the SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.server.mcp.safe_values import NOTICE
from ingest_tui.server.mcp.tools import TOOLS
from ingest_tui.services.client import Client
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.workers import follow_job
from tests.made_models import make_static_model
from tests.servers.mcp_agent import ERAS, Agent
from tests.unit.server.mcp.conftest import GUIDE, MakeAgent

SNAPSHOT = Path(__file__).with_name("tools.json")
READING = {"search", "fetch", "list_sources", "freshness", "explain", "similar"}
CHANGING = {"sync", "approve", "withdraw", "ignore"}


def first_id(agent: Agent, query: str) -> str:
    """Return the id of the best hit."""
    return str(agent.get("search", query=query)["results"][0]["id"])


# What is offered


def test_the_tools_are_those_of_the_snapshot(agent: MakeAgent) -> None:
    """Names, schemas and annotations that clients rely on change only together with the file of the snapshot."""
    shown = json.dumps(agent(may_write=True).tools(), indent=1, sort_keys=True) + "\n"
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(shown)
    assert shown == SNAPSHOT.read_text(), f"delete {SNAPSHOT} and run this again, then look at the difference"


def test_what_changes_something_is_offered_only_where_that_is_allowed(agent: MakeAgent) -> None:
    """Without leave to write there are only tools that read, and they say so of themselves."""
    reading, all_of_them = agent().tools(), agent(may_write=True).tools()
    assert set(reading) == READING
    assert set(all_of_them) == READING | CHANGING
    for name, tool in all_of_them.items():
        assert tool["annotations"]["readOnlyHint"] == (name in READING)
        assert tool["annotations"]["destructiveHint"] == (name == "approve")
        assert tool["annotations"]["idempotentHint"] == (name not in {"approve", "withdraw"})


@pytest.mark.parametrize("tool", sorted(CHANGING))
def test_what_is_not_offered_does_nothing(agent: MakeAgent, home: Path, tool: str) -> None:
    """Who calls a tool that is not offered learns what offers it, and nothing has changed."""
    error = agent().error(tool, source_id="docs", job_id="x", addresses=["x"])
    assert "--allow-write" in error["hint"]
    assert Client(home / "workspace").jobs.list(states={"queued"}) == []


def test_a_client_that_only_reads_refuses_changes_of_its_own(agent: MakeAgent) -> None:
    """Even a tool that was offered by mistake changes nothing with --read-only."""
    assert agent(may_write=True, read_only=True).error("sync", source_id="docs")["code"] == "refused"


# Finding and reading


@pytest.mark.parametrize("mode", ERAS)
def test_a_search_tells_where_how_fresh_and_how_to_read_on(agent: MakeAgent, mode: str) -> None:
    """A hit has an id, a short excerpt, its version and freshness; what it quotes is marked as untrusted."""
    found = agent(mode=mode).get("search", query="tide")
    assert (found["untrusted"], found["notice"]) == (True, NOTICE)
    (hit,) = found["results"]
    assert hit["text"] == "The tide follows the moon."
    assert hit["url"].endswith("/docs/tide.txt")
    assert (hit["version"], hit["source_id"], hit["collection_id"]) == (1, "docs", "default")
    assert hit["freshness"]["status"] == "searchable"
    assert hit["freshness"]["source_last_complete_at"] > hit["freshness"]["updated_at"][:10]


def test_a_search_goes_on_at_its_cursor(agent: MakeAgent) -> None:
    """The pages of an answer have each hit once."""
    whole = [one["id"] for one in agent().get("search", query="storm OR moon")["results"]]
    first = agent().get("search", query="storm OR moon", limit=2)
    second = agent().get("search", query="storm OR moon", limit=2, cursor=first["next_cursor"])
    assert [one["id"] for one in first["results"] + second["results"]] == whole
    assert second["next_cursor"] is None


def test_a_search_without_hits_asks_what_was_meant(agent: MakeAgent) -> None:
    """A word that is in no document, and a filter that names nothing, are pointed out."""
    found = agent().get("search", query="barometter source:nowhere type:pdff")
    assert found["results"] == []
    assert any("barometer" in hint for hint in found["hints"])
    assert any("nowhere" in hint and "docs" in hint for hint in found["hints"])
    assert any("pdff" in hint and "text/" in hint for hint in found["hints"])


@pytest.mark.parametrize("query", ["-", '""', "source:docs -"])
def test_a_query_without_a_word_is_an_error_with_a_hint(agent: MakeAgent, query: str) -> None:
    """Or it is an answer: nothing else comes of an odd query."""
    result = agent().call("search", query=query)
    assert not result.is_error or result.structured_content["error"]["hint"]


def test_the_pages_of_a_document_make_its_text(agent: MakeAgent) -> None:
    """Page by page, each at the offset that the one before named, comes the whole text, and nothing else."""
    asking, text, offset = agent(), "", 0
    document_id = first_id(asking, "guide")
    while offset is not None:
        page = asking.get("fetch", id=document_id, offset=offset, limit=3_000)
        assert len(page["text"]) <= 3_000
        assert page["total_characters"] == len(GUIDE)
        text, offset = text + page["text"], page["next_offset"]
    assert text == GUIDE
    assert page["metadata"]["file_name"] == "guide.md"


def test_a_hit_says_where_its_passage_is(agent: MakeAgent) -> None:
    """To read on from a hit, its offset is given to fetch."""
    hit = agent().get("search", query='"line 150"')["results"][0]
    page = agent().get("fetch", id=hit["id"], offset=hit["offset"], limit=50_000)
    assert "Line 150 " in page["text"]


def test_earlier_versions_are_read_by_number(agent: MakeAgent, home: Path) -> None:
    """A document that changed is read as it was, and the answer names the version that is current."""
    folder = home / "more"
    folder.mkdir()
    with open_workspace(home / "workspace") as handle:
        handle.add_source("more", path=str(folder))
        for text in ("the early words", "the late words"):
            (folder / "a.txt").write_text(text)
            handle.sync("more")
    document_id = first_id(agent(), "late")
    assert agent().get("fetch", id=document_id)["text"].strip() == "the late words"
    old = agent().get("fetch", id=document_id, version=1)
    assert (old["text"].strip(), old["version"], old["metadata"]["current_version"]) == ("the early words", 1, 2)
    assert agent().error("fetch", id=document_id, version=7)["code"] == "not_found"


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("search", {"query": "x", "cursor": "no"}, "usage"),
        ("search", {"query": ""}, "invalid"),
        ("search", {"query": "x", "limit": 51}, "invalid"),
        ("search", {"query": "x", "mode": "guess"}, "invalid"),
        ("search", {}, "invalid"),
        ("search", {"query": "x", "other": 1}, "invalid"),
        ("search", {"query": {"a": 1}}, "invalid"),
        ("fetch", {"id": "0" * 26}, "not_found"),
        ("fetch", {"id": "../../etc/passwd"}, "not_found"),
        ("fetch", {"id": "x", "limit": 50_001}, "invalid"),
        ("fetch", {"id": "x", "offset": -1}, "invalid"),
        ("list_sources", {"cursor": "no"}, "usage"),
        ("freshness", {"source_id": "nowhere"}, "not_found"),
        ("explain", {"target": ""}, "invalid"),
        ("similar", {}, "usage"),
        ("similar", {"id": "x", "text": "y"}, "usage"),
        ("similar", {"id": "0" * 26}, "not_found"),
        ("similar", {"text": "y"}, "no_embedder"),
        ("sync", {"source_id": "nowhere"}, "not_found"),
        ("approve", {"job_id": "last"}, "not_found"),
        ("withdraw", {"job_id": "last"}, "not_found"),
        ("ignore", {"source_id": "docs", "addresses": ["nowhere"]}, "not_found"),
        ("ignore", {"source_id": "docs", "addresses": []}, "invalid"),
        ("nothing", {}, "usage"),
    ],
)
def test_each_mistake_is_an_error_with_a_code_and_a_hint(
    agent: MakeAgent, tool: str, arguments: dict[str, Any], code: str
) -> None:
    """An agent reads what was wrong and what to do; the server answers on."""
    error = agent(may_write=True).error(tool, **arguments)
    assert error["code"] == code
    assert error["hint"]


def test_an_offset_beyond_the_end_is_an_error(agent: MakeAgent) -> None:
    """It says how long the text is."""
    document_id = first_id(agent(), "tide")
    assert "27" in agent().error("fetch", id=document_id, offset=1_000)["message"]
    assert agent().get("fetch", id=document_id, offset=27)["text"] == ""


def test_what_is_in_the_trash_is_neither_found_nor_read(agent: MakeAgent, home: Path) -> None:
    """What a person removed is not shown; explain says where it went."""
    document_id = first_id(agent(), "tide")
    with open_workspace(home / "workspace") as handle:
        remove_documents(handle.workspace, [document_id])
    assert agent().get("search", query="tide")["results"] == []
    assert "trash" in agent().error("fetch", id=document_id)["message"]
    explained = agent().get("explain", target=document_id)
    assert (explained["here"], explained["document"]["state"]) == (False, "retired")


# Sources


def test_sources_are_listed_in_pages(agent: MakeAgent) -> None:
    """Each with its number of documents and when it was last seen whole."""
    first = agent().get("list_sources", limit=1)
    second = agent().get("list_sources", limit=1, cursor=first["next_cursor"])
    assert [one["source_id"] for one in first["sources"] + second["sources"]] == ["docs", "notes"]
    assert first["sources"][0]["documents"] == 3
    assert first["sources"][0]["last_complete_at"]
    assert second["next_cursor"] is None


def test_freshness_tells_what_is_pending_and_what_failed(agent: MakeAgent) -> None:
    """A queued job, items that failed with what to do, and that no worker runs are all there."""
    asking = agent(may_write=True)
    job_id = asking.get("sync", source_id="docs")["job_id"]
    found = asking.get("freshness", source_id="docs")
    assert found["last_complete_at"] <= found["as_of"]
    assert found["age_seconds"] >= 0
    assert (found["active_job"]["job_id"], found["active_job"]["queue_position"]) == (job_id, 1)
    assert [one["reason"] for one in found["problems"]] == ["malformed"]
    assert found["problem_items"][0]["address"].endswith("/broken.docx")
    assert "no_worker" in {one["code"] for one in found["needs_attention"]}


def test_explain_says_why_something_is_not_here(agent: MakeAgent) -> None:
    """By id, by file name, and for what nothing covers."""
    assert agent().get("explain", target=first_id(agent(), "tide"))["reason"] == "present"
    assert agent().get("explain", target="broken.docx")["reason"] == "malformed"
    assert agent().get("explain", target="/nowhere/x")["reason"] == "not_covered"


def test_similar_documents_are_found_by_their_vectors(agent: MakeAgent, home: Path) -> None:
    """To a document, which is not among them, and to a text."""
    make_static_model(home / "model")
    client = Client(home / "workspace")
    with open_workspace(home / "workspace") as handle:
        client.embedders.add(backend="static", name="tiny", settings={"path": str(home / "model")})
        client.vectors.choose_embedder("default", "tiny")
        missing = agent().get("search", query="tide")
        assert missing["results"]
        assert "of collection 'default' are missing" in missing["hints"][0]
        job = client.vectors.embed("default")
        follow_job(handle.workspace, job.job_id, lambda _manifest: None, run_here=True)
    document_id = first_id(agent(), "tide")
    assert agent().get("search", query="tide")["hints"] == []
    by_meaning = agent().get("search", query="barometter", mode="hybrid")
    assert any("barometer" in hint for hint in by_meaning["hints"])
    found = agent().get("similar", id=document_id)["results"]
    assert found
    assert document_id not in {one["id"] for one in found}
    assert agent().get("similar", text="the tide follows the moon")["results"][0]["id"] == document_id


# One collection


def test_what_is_in_another_collection_does_not_exist(agent: MakeAgent) -> None:
    """Not for a search, by id, as a source, as a job, as a resource, nor as what was meant by a word."""
    hidden = first_id(agent(), "password")
    job_id = agent().get("freshness", source_id="notes")["last_job"]["job_id"]
    seen = agent(collection_id="default", may_write=True)
    for query in ("password", "password collection:private", "password source:notes", "pasword", "x type:pdff"):
        found = seen.get("search", query=query)
        assert (found["results"], found["hints"]) == ([], [])
    nobody = seen.error("fetch", id="0" * 26)
    assert seen.error("fetch", id=hidden) == nobody | {"message": nobody["message"].replace("0" * 26, hidden)}
    for tool, arguments in {
        "similar": {"id": hidden},
        "freshness": {"source_id": "notes"},
        "sync": {"source_id": "notes"},
        "approve": {"job_id": job_id},
        "withdraw": {"job_id": job_id},
        "ignore": {"source_id": "notes", "addresses": ["x"]},
    }.items():
        assert seen.error(tool, **arguments)["code"] == "not_found", tool
    assert [one["source_id"] for one in seen.get("list_sources")["sources"]] == ["docs"]
    assert seen.failure(f"document://{hidden}").data["code"] == "not_found"
    assert seen.get("search", query="tide")["results"]


def test_an_unknown_argument_is_named_as_one(agent: MakeAgent) -> None:
    """Agents know arguments, and no settings."""
    error = agent().error("search", query="storm", pages=2)
    assert error["message"] == "arguments of search: pages: there is no such argument"


def test_explain_tells_of_one_collection_alone(agent: MakeAgent, made: Path) -> None:
    """A path, an id and a name that others have are unknown; a name in both is that of the one that is seen."""
    seen = agent(collection_id="default")
    hidden = first_id(agent(), "password")
    for target in (hidden, "secret.txt", str(made / "notes" / "secret.txt"), str(made / "notes"), "notes"):
        found = seen.get("explain", target=target)
        assert (found["here"], found["reason"], found["others"]) == (False, "not_covered", [])
        assert "private" not in json.dumps(found)
        assert found["source_id"] == ""
    both = seen.get("explain", target="storm.txt")
    assert (both["reason"], both["source_id"], both["others"]) == ("present", "docs", [])


# What changes something


def test_a_sync_is_queued_once_and_audited(agent: MakeAgent, home: Path) -> None:
    """The second call returns the job that waits; the audit names the agent's user, the job its trigger."""
    asking = agent(may_write=True)
    first, second = (asking.get("sync", source_id="docs") for _ in range(2))
    assert (first["is_new"], second["is_new"], first["has_worker"]) == (True, False, False)
    assert first["job_id"] == second["job_id"]
    client = Client(home / "workspace")
    job = client.jobs.get(first["job_id"])
    assert (job.trigger, job.requested_by.partition("@")[0]) == ("mcp", "mcp:somebody")
    entry = next(one for one in audit_of(client) if one["target"] == first["job_id"])
    assert entry["by"].startswith("mcp:somebody@")


def test_held_deletions_are_approved_and_audited(agent: MakeAgent, home: Path) -> None:
    """freshness names the job that holds them; approve queues what carries them out, and only once."""
    folder = home / "many"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"document {number}")
    with open_workspace(home / "workspace") as handle:
        handle.add_source("many", path=str(folder))
        handle.sync("many")
        for path in folder.iterdir():
            path.unlink()
        (folder / "one.txt").write_text("one more")
        handle.sync("many")
    asking = agent(may_write=True)
    held = asking.get("freshness", source_id="many")["held_deletions"]
    assert held["documents"] == 12
    approved = asking.get("approve", job_id=held["job_id"])
    assert approved["documents"] == 12
    assert asking.error("approve", job_id=held["job_id"])["code"] == "usage"
    assert asking.get("withdraw", job_id=held["job_id"]) == {"job_id": held["job_id"], "documents": 12}
    assert asking.error("withdraw", job_id=held["job_id"])["code"] == "usage"
    assert asking.get("approve", job_id=held["job_id"])["documents"] == 12
    audit = audit_of(Client(home / "workspace"))
    assert [one["by"].partition("@")[0] for one in audit if one["action"] == "job.approve"] == ["mcp:somebody"] * 2


def test_problems_are_ignored_by_their_addresses(agent: MakeAgent, home: Path) -> None:
    """What was ignored is no problem item any more, and the audit says who did that."""
    asking = agent(may_write=True)
    (item,) = asking.get("freshness", source_id="docs")["problem_items"]
    assert asking.get("ignore", source_id="docs", addresses=[item["address"]]) == {"ignored": 1}
    assert asking.get("freshness", source_id="docs")["problem_items"] == []
    assert audit_of(Client(home / "workspace"))[-1]["action"] == "errors.ignore"


def audit_of(client: Client) -> list[dict[str, Any]]:
    """Return the lines of the audit."""
    return [entry for entry, _end in client.audit.entries_from(0)]


def test_each_tool_is_tried_above() -> None:
    """A tool that is added is added here."""
    text = Path(__file__).read_text()
    assert [one.name for one in TOOLS if f'"{one.name}"' not in text] == []
