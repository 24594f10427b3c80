"""The tools: one declaration each, which the protocol, docs/mcp.md and the tests read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import pydantic

from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.model.invalid_values import refusal_in_words
from ingest_tui.server.mcp import arguments, changes, lookups, source_lookups
from ingest_tui.server.mcp.answers import (
    ApproveAnswer,
    ExplainAnswer,
    FetchAnswer,
    FreshnessAnswer,
    HitsAnswer,
    IgnoreAnswer,
    SourcesAnswer,
    SyncAnswer,
    ToolAnswer,
    WithdrawAnswer,
)
from ingest_tui.server.mcp.arguments import Arguments
from ingest_tui.server.mcp.lookups import GivenUp
from ingest_tui.server.mcp.reach import Reach

Given = TypeVar("Given", bound=Arguments)


@dataclass(frozen=True)
class ToolEntry(Generic[Given]):
    """A tool. ``changes``: it changes the workspace; ``destroys``: it may take something away.

    ``repeats``: the same call again changes nothing further. ``asks_outside``: it may ask the source itself.
    """

    name: str
    title: str
    description: str
    takes: type[Given]
    returns: type[ToolAnswer]
    handler: Callable[[Reach, Given, GivenUp], ToolAnswer]
    changes: bool = False
    destroys: bool = False
    repeats: bool = True
    asks_outside: bool = False

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The schema of what it is given."""
        return _plain_schema(self.takes)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The schema of what it returns."""
        return _plain_schema(self.returns)

    def call(self, reach: Reach, given: dict[str, Any], given_up: GivenUp) -> ToolAnswer:
        """Call it; raises `ValidationError` for arguments that do not fit, and what the services raise."""
        try:
            parsed = self.takes.model_validate(given)
        except pydantic.ValidationError as error:
            raise _invalid(self.name, error) from None
        return self.handler(reach, parsed, given_up)


def _invalid(tool: str, error: pydantic.ValidationError) -> ValidationError:
    """Return what is wrong with arguments: names and reasons, never the values."""
    problems = refusal_in_words(error, whole="arguments", quotes=False, noun="argument")
    return ValidationError(f"arguments of {tool}: {problems}", hint="tools/list has the schema")


def _plain_schema(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a model without the titles and docstrings that only repeat names."""
    schema: dict[str, Any] = _without_titles(model.model_json_schema(mode="serialization"))
    schema.pop("description", None)
    return schema


def _without_titles(schema: Any) -> Any:
    """Return a schema without titles; a title that is no text is a property of that name."""
    if isinstance(schema, dict):
        return {
            key: _without_titles(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)
        }
    return [_without_titles(one) for one in schema] if isinstance(schema, list) else schema


TOOLS: tuple[ToolEntry[Any], ...] = (
    ToolEntry(
        "search",
        "Search documents",
        "Find documents by words, and by meaning where the collection has vectors. Returns ids, short excerpts, the "
        "version, and how fresh each hit is. Read on with fetch(id, offset). next_cursor gives further hits.",
        arguments.SearchArguments,
        HitsAnswer,
        lookups.search,
    ),
    ToolEntry(
        "fetch",
        "Read a document",
        "Read the text of a document page by page: begin at an offset, go on at next_offset until it is null. Name the "
        "version of the first page for the further ones, so that all pages are of one text.",
        arguments.FetchArguments,
        FetchAnswer,
        lookups.fetch,
    ),
    ToolEntry(
        "list_sources",
        "List sources",
        "List where the documents come from: each source with its number of documents, its health, when it was last "
        "seen whole, and when it is looked at next.",
        arguments.ListSourcesArguments,
        SourcesAnswer,
        source_lookups.list_sources,
    ),
    ToolEntry(
        "freshness",
        "How fresh a source is",
        "Say when a source was last seen whole, what is pending (a job, deletions that wait for a person), what "
        "failed, and what needs a person. Ask this before concluding that something does not exist.",
        arguments.FreshnessArguments,
        FreshnessAnswer,
        source_lookups.freshness,
    ),
    ToolEntry(
        "explain",
        "Why is it here, or not?",
        "Say why a document, a file or a folder is here, or is not: excluded, failed, removed, too large, gone at its "
        "source, never seen. Give an id, an address, a path or a file name.",
        arguments.ExplainArguments,
        ExplainAnswer,
        source_lookups.explain,
        asks_outside=True,
    ),
    ToolEntry(
        "similar",
        "Similar documents",
        "Find documents that are similar in meaning to a document (id) or to a text. Needs a collection with vectors.",
        arguments.SimilarArguments,
        HitsAnswer,
        lookups.similar,
    ),
    ToolEntry(
        "sync",
        "Sync a source",
        "Queue a sync: what is new, changed or gone at the source is brought in. Returns the job at once; freshness "
        "says how far it is. A job that waits already is returned instead of a second one.",
        arguments.SyncArguments,
        SyncAnswer,
        changes.sync,
        changes=True,
        asks_outside=True,
    ),
    ToolEntry(
        "approve",
        "Approve held deletions",
        "Approve the deletions that a job holds because they were too many to be believed: the documents go to the "
        "trash if they are still gone at the source. Only do this when a person has asked for it.",
        arguments.ApproveArguments,
        ApproveAnswer,
        changes.approve,
        changes=True,
        destroys=True,
        repeats=False,
        asks_outside=True,
    ),
    ToolEntry(
        "withdraw",
        "Take an approval back",
        "Take back the approval of deletions that a job held, while no worker has begun: they are held again.",
        arguments.WithdrawArguments,
        WithdrawAnswer,
        changes.withdraw,
        changes=True,
        repeats=False,
    ),
    ToolEntry(
        "ignore",
        "Ignore problems",
        "Show items of a source as problems no more, until they change or something else is wrong with them.",
        arguments.IgnoreArguments,
        IgnoreAnswer,
        changes.ignore,
        changes=True,
    ),
)


def offered_to(reach: Reach) -> list[ToolEntry[Any]]:
    """Return the tools that a caller may use."""
    return [one for one in TOOLS if reach.may_write or not one.changes]


def tool_named(reach: Reach, name: str) -> ToolEntry[Any]:
    """Return a tool that a caller may use; raises `UsageError` for any other name."""
    for one in offered_to(reach):
        if one.name == name:
            return one
    if any(one.name == name for one in TOOLS):
        raise UsageError(f"the tool {name} is not offered", hint=reach.how_to_write)
    raise UsageError("there is no such tool", hint="tools/list returns the names")
