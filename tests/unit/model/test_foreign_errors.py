"""Errors of libraries and of the operating system: each says what happened and what to do, none is 'unexpected'."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Iterator

import apsw
import botocore.exceptions
import pydantic
import pytest
import requests
import urllib3.exceptions

from ingest_tui.model.errors import BusyError, DiskFullError, IngestError, StoreError, TransientSourceError
from ingest_tui.model.foreign_errors import as_ingest_error


def database_errors() -> Iterator[type[BaseException]]:
    for _, kind in inspect.getmembers(apsw, inspect.isclass):
        if issubclass(kind, apsw.Error):
            yield kind


def library_errors() -> Iterator[BaseException]:
    """Yield one error of every class of botocore, requests and urllib3 that can be made from a text."""
    for module in (botocore.exceptions, requests.exceptions, urllib3.exceptions):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and not issubclass(kind, Warning):
                error = kind.__new__(kind)
                Exception.__init__(error, "as told")
                if kind.__module__.partition(".")[0] in {"botocore", "requests", "urllib3"}:
                    yield error


def says_what_and_what_to_do(found: IngestError | None) -> bool:
    return found is not None and bool(found.message) and bool(found.hint) and "unexpected" not in found.message


@pytest.mark.parametrize("kind", list(database_errors()), ids=lambda kind: kind.__name__)
def test_error_of_the_database_is_explained(kind: type[BaseException]) -> None:
    """Every class of error that SQLite can raise has words and a hint."""
    assert says_what_and_what_to_do(as_ingest_error(kind("as told")))


@pytest.mark.parametrize("number", sorted(errno.errorcode), ids=lambda number: errno.errorcode[number])
def test_error_of_the_system_is_explained(number: int) -> None:
    """Every error number of the operating system has words and a hint."""
    assert says_what_and_what_to_do(as_ingest_error(OSError(number, os.strerror(number), "/some/file")))


@pytest.mark.parametrize("error", list(library_errors()), ids=lambda error: type(error).__name__)
def test_error_of_a_network_library_is_explained(error: BaseException) -> None:
    """Every class of error of botocore, requests and urllib3 has words and a hint."""
    assert says_what_and_what_to_do(as_ingest_error(error))


def test_error_of_validation_names_the_field() -> None:
    """A value that a model refuses is named."""

    class Model(pydantic.BaseModel):
        size: int

    with pytest.raises(pydantic.ValidationError) as raised:
        Model.model_validate({"size": "much"})
    found = as_ingest_error(raised.value)
    assert says_what_and_what_to_do(found)
    assert found is not None
    assert found.message.startswith("size is not valid")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (apsw.FullError("database or disk is full"), DiskFullError),
        (apsw.BusyError("database is locked"), BusyError),
        (apsw.ReadOnlyError("attempt to write"), StoreError),
        (OSError(errno.ENOSPC, "No space left on device"), DiskFullError),
        (OSError(errno.EROFS, "Read-only file system"), StoreError),
        (ConnectionResetError(errno.ECONNRESET, "reset"), TransientSourceError),
        (requests.exceptions.ConnectTimeout("slow"), TransientSourceError),
    ],
)
def test_kind_decides_the_exit_code(error: Exception, kind: type[IngestError]) -> None:
    """What is busy, full or passing are distinguished, so that scripts can act on the exit code and the code."""
    assert isinstance(as_ingest_error(error), kind)


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), AttributeError("x"), AssertionError()])
def test_bug_is_no_foreign_error(error: Exception) -> None:
    """What only a bug of ours can raise is not explained away."""
    assert as_ingest_error(error) is None


def test_error_of_ours_is_itself() -> None:
    """What says already what happened stays as it is."""
    error = StoreError("it is damaged", hint="repair it")
    assert as_ingest_error(error) is error
