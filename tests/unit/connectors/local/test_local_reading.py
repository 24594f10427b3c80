"""Reading a local file that does not hold still."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.local import connector as local_module
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError
from tests.open_files import open_files

PAST = 1_700_000_000_000_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


def described(connector: LocalConnector) -> Descriptor:
    (page,) = connector.list()
    (descriptor,) = page.descriptors
    return descriptor


def reason_of_reading(connector: LocalConnector, descriptor: Descriptor) -> str:
    with pytest.raises(ItemError) as caught, connector.fetch(descriptor) as pieces:
        list(pieces)
    return caught.value.reason


@pytest.mark.parametrize("size", [10, 200_000])
@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.open("ab").write(b"more"),
        lambda path: os.truncate(path, 5),
        lambda path: path.write_bytes(b"y" * path.stat().st_size),
    ],
    ids=["grows", "shrinks", "is rewritten"],
)
def test_file_that_changes_between_first_and_last_byte(source: Path, size: int, change: Any) -> None:
    """A file that grows, shrinks or is rewritten while it is read is not taken, whether it is read in one go or not."""
    path = source / "a.txt"
    path.write_bytes(b"x" * size)
    os.utime(path, ns=(PAST, PAST))
    connector = LocalConnector({"path": str(source)})
    descriptor = described(connector)
    with connector.fetch(descriptor) as pieces:
        next(pieces)
        change(path)
        with pytest.raises(ItemError, match="changed") as caught:
            list(pieces)
    assert caught.value.reason == "changed_while_read"
    assert caught.value.hint


def test_file_replaced_while_it_is_read_gives_the_old_one_whole(source: Path) -> None:
    """What was opened is read to its end, although another file has taken its name: that one is for the next sync."""
    path = source / "a.txt"
    path.write_bytes(b"old" * 100_000)
    connector = LocalConnector({"path": str(source)})
    descriptor = described(connector)
    with connector.fetch(descriptor) as pieces:
        first = next(pieces)
        (source / "other").write_bytes(b"new")
        (source / "other").rename(path)
        assert first + b"".join(pieces) == b"old" * 100_000
    assert described(connector).fingerprint != descriptor.fingerprint


def test_pipe_in_the_place_of_a_file_does_not_block(source: Path) -> None:
    """A file that became a named pipe is refused at once; opening it must not wait for a writer."""
    (source / "a.txt").write_bytes(b"x")
    connector = LocalConnector({"path": str(source)})
    descriptor = described(connector)
    (source / "a.txt").unlink()
    os.mkfifo(source / "a.txt")
    assert reason_of_reading(connector, descriptor) == "special_file"


def test_folder_in_the_place_of_a_file(source: Path) -> None:
    """A file that became a folder is no regular file any more."""
    (source / "a.txt").write_bytes(b"x")
    connector = LocalConnector({"path": str(source)})
    descriptor = described(connector)
    (source / "a.txt").unlink()
    (source / "a.txt").mkdir()
    assert reason_of_reading(connector, descriptor) == "special_file"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOENT, "not_found"),
        (errno.ENOTDIR, "not_found"),
        (errno.EACCES, "forbidden"),
        (errno.EPERM, "forbidden"),
        (errno.EIO, "unreadable"),
    ],
)
@pytest.mark.parametrize("call", ["open", "read"])
def test_error_of_the_file_system_is_a_reason(
    source: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str, call: str
) -> None:
    """Errors in opening and in reading become the reason of the item's outcome, not an exception of the job."""
    (source / "a.txt").write_bytes(b"x")
    connector = LocalConnector({"path": str(source)})
    descriptor = described(connector)

    class Failing:
        def __getattr__(self, name: str) -> Any:
            if name == call:
                return self.fail
            return getattr(os, name)

        def fail(self, *_arguments: object) -> None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(local_module, "os", Failing())
    assert reason_of_reading(connector, descriptor) == reason


def test_no_file_stays_open(source: Path) -> None:
    """However a fetch ends, its descriptor is closed."""
    (source / "a.txt").write_bytes(b"x" * 200_000)
    connector = LocalConnector({"path": str(source)}, max_size=300_000)
    descriptor = described(connector)
    with connector.fetch(descriptor) as pieces:
        next(pieces)
        assert open_files(source)
        list(pieces)
    with connector.fetch(descriptor) as pieces:
        next(pieces)
    with pytest.raises(ZeroDivisionError), connector.fetch(descriptor):
        raise ZeroDivisionError
    (source / "a.txt").write_bytes(b"x" * 300_001)
    assert reason_of_reading(connector, descriptor) == "too_large"
    assert not open_files(source)


def test_edit_within_the_same_second_that_keeps_the_size_is_seen(source: Path) -> None:
    """Nanoseconds of the modification time distinguish an edit that neither size nor seconds show."""
    path = source / "a.txt"
    path.write_bytes(b"one")
    os.utime(path, ns=(PAST, PAST + 1))
    connector = LocalConnector({"path": str(source)})
    before = described(connector).fingerprint
    path.write_bytes(b"two")
    os.utime(path, ns=(PAST, PAST + 2))
    assert described(connector).fingerprint != before


@pytest.mark.parametrize("seconds", [-1, 0, 2**33, -(2**31)])
def test_odd_file_times_are_listed(source: Path, seconds: int) -> None:
    """Files from before 1970 or from far in the future are listed and read like others."""
    (source / "a.txt").write_bytes(b"x")
    os.utime(source / "a.txt", (seconds, seconds))
    connector = LocalConnector({"path": str(source)})
    descriptor = described(connector)
    assert descriptor.modified_ns == seconds * 10**9
    with connector.fetch(descriptor) as pieces:
        assert b"".join(pieces) == b"x"
