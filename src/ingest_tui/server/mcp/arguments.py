"""What the tools are given. The schemas that clients see are made of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LARGEST_PAGE = 50
LARGEST_TEXT = 50_000
_LONGEST_QUERY = 2_000
_LONGEST_ADDRESS = 8_000

DocumentArgument = Annotated[
    str, Field(min_length=1, max_length=100, description="of a document, as search returns it")
]
SourceArgument = Annotated[
    str, Field(min_length=1, max_length=200, description="the source_id, as list_sources returns it")
]
Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="at most so many")]
Cursor = Annotated[str | None, Field(max_length=40, description="next_cursor of the answer before, to go on")]


class Arguments(BaseModel):
    """What a tool is given; an unknown name is a mistake, and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchArguments(Arguments):
    """A query and how much of its answer."""

    query: str = Field(
        min_length=1,
        max_length=_LONGEST_QUERY,
        description='words; "words in quotes" follow each other; begin* finds beginnings; -word must not occur; '
        "filters: source: collection: type: path: title: after:2026-01-31 before:",
    )
    mode: Literal["text", "vector", "hybrid"] | None = Field(
        default=None, description="by words, by meaning, or by both; usual: by both where there are vectors"
    )
    limit: Limit = 10
    cursor: Cursor = None


class FetchArguments(Arguments):
    """Which part of which text."""

    id: DocumentArgument
    offset: int = Field(default=0, ge=0, le=10**12, description="the first character; next_offset of the page before")
    limit: int = Field(default=10_000, ge=1, le=LARGEST_TEXT, description="at most so many characters")
    version: int | None = Field(default=None, ge=1, le=10**6, description="an earlier version; usual: the current one")


class ListSourcesArguments(Arguments):
    """How much of the list."""

    limit: Limit = LARGEST_PAGE
    cursor: Cursor = None


class FreshnessArguments(Arguments):
    """Which source."""

    source_id: SourceArgument


class ExplainArguments(Arguments):
    """What is to be explained."""

    target: str = Field(
        min_length=1,
        max_length=_LONGEST_ADDRESS,
        description="a document id, an address, the path of a file or a folder, or a file name",
    )


class SimilarArguments(Arguments):
    """What others are to be similar to: a document, or a text."""

    id: DocumentArgument | None = None
    text: str | None = Field(default=None, min_length=1, max_length=LARGEST_TEXT, description="in place of id")
    limit: Limit = 10
    cursor: Cursor = None


class SyncArguments(Arguments):
    """Which source, and whether all of it is read again."""

    source_id: SourceArgument
    force: bool = Field(default=False, description="read everything again, what has not changed too")


class ApproveArguments(Arguments):
    """Which job holds the deletions."""

    job_id: str = Field(min_length=1, max_length=200, description="job_id of held_deletions, as freshness returns it")


class WithdrawArguments(Arguments):
    """Which job held the deletions that were approved."""

    job_id: str = Field(min_length=1, max_length=200, description="the job_id that was approved")


class IgnoreArguments(Arguments):
    """Which items of a source are not to be shown as problems any more."""

    source_id: SourceArgument
    addresses: list[Annotated[str, Field(min_length=1, max_length=_LONGEST_ADDRESS)]] = Field(
        min_length=1, max_length=100, description="the addresses of problem_items, as freshness returns them"
    )
