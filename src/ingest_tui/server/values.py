"""Kinds of values that several endpoints take: each says in the OpenAPI document what it may look like."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ingest_tui.model.clock import is_beginning_of_time

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", max_length=64)]
"""Of a source or a collection."""
MediaType = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+/-]*$", max_length=200)]
"""A media type, the beginning of one, or an ending of file names; empty for any."""


FolderAddress = Annotated[str, Field(max_length=4000, description="SOURCE[/PATH]: those in it, however far below")]
"""Of documents; empty for all."""


def _time(value: str) -> str:
    if value and not is_beginning_of_time(value):
        raise ValueError("is not a time: write it as 2026-11-21 or 2026-11-21T06:30:00Z")
    return value


Moment = Annotated[str, Field(pattern=r"^([0-9]{4}[0-9TZ:.-]*)?$", max_length=40), AfterValidator(_time)]
"""The beginning of an RFC 3339 time in UTC, such as a day; empty for any."""
