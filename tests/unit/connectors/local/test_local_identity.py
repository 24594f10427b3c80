"""Which file a local file is: what neither size nor modification time can show."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.connectors.local.status import fingerprint_of, is_older_form
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemChangedError, ItemError

PAST = 1_700_000_000_000_000_000
HOUR_NS = 3_600_000_000_000


@pytest.fixture
def connector(tmp_path: Path) -> LocalConnector:
    """A folder with one file whose modification time was set."""
    (tmp_path / "root").mkdir()
    write(tmp_path / "root" / "a.txt", "one")
    return LocalConnector({"path": str(tmp_path / "root")})


def write(path: Path, content: str) -> None:
    path.write_text(content)
    os.utime(path, ns=(PAST, PAST))


def described(connector: LocalConnector) -> Descriptor:
    (page,) = connector.list()
    (descriptor,) = page.descriptors
    return descriptor


def read(connector: LocalConnector, descriptor: Descriptor) -> bytes:
    with connector.fetch(descriptor) as pieces:
        return b"".join(pieces)


def overwritten(path: Path) -> None:
    write(path, "two")


def made_again(path: Path) -> None:
    path.unlink()
    write(path, "two")


def replaced(path: Path) -> None:
    write(path.with_name(".other"), "two")
    path.with_name(".other").rename(path)


@pytest.mark.parametrize("edit", [overwritten, made_again, replaced])
def test_an_edit_that_sets_size_and_time_back_changes_the_fingerprint(connector: LocalConnector, edit: Any) -> None:
    """What was read is distinguished from an edit of the same size and modification time, even one at once."""
    path = Path(connector.config.path) / "a.txt"
    seen = set()
    for _ in range(20):
        write(path, "one")
        descriptor = described(connector)
        assert read(connector, descriptor) == b"one"
        edit(path)
        seen.add(described(connector).fingerprint == descriptor.fingerprint)
    assert seen == {False}


def test_overwriting_while_it_is_read_is_seen_by_the_change_time(connector: LocalConnector) -> None:
    """A rewrite under the reader is found even when it keeps the size and sets the modification time back."""
    path = Path(connector.config.path) / "a.txt"
    write(path, "x" * 200_000)
    with connector.fetch(described(connector)) as pieces:
        next(pieces)
        write(path, "y" * 200_000)
        with pytest.raises(ItemError) as caught:
            list(pieces)
    assert caught.value.reason == "changed_while_read"


def test_a_backup_that_links_to_the_file_does_not_disturb_the_reader(connector: LocalConnector) -> None:
    """Another name for the file changes its status, not its content."""
    path = Path(connector.config.path) / "a.txt"
    write(path, "x" * 200_000)
    with connector.fetch(described(connector)) as pieces:
        first = next(pieces)
        path.with_name("backup").hardlink_to(path)
        assert first + b"".join(pieces) == b"x" * 200_000


def test_what_is_fetched_is_what_was_listed(connector: LocalConnector) -> None:
    """Bytes of another file are never given for those of the listed one; the error says what is there now."""
    path = Path(connector.config.path) / "a.txt"
    listed = described(connector)
    time.sleep(0.02)  # past the tick of the clock that stamps files
    replaced(path)
    with pytest.raises(ItemChangedError) as caught, connector.fetch(listed):
        pass
    assert caught.value.reason == "changed_while_read"
    assert caught.value.now == described(connector)
    assert read(connector, caught.value.now) == b"two"


def test_a_file_that_changed_in_the_future_has_no_fingerprint(
    connector: LocalConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the clock went back an hour nothing vouches for a file of that hour, so each sync looks at it."""
    assert described(connector).fingerprint
    earlier = time.time_ns() - HOUR_NS
    monkeypatch.setattr("ingest_tui.connectors.local.status.time.time_ns", lambda: earlier)
    assert described(connector).fingerprint == ""
    assert read(connector, described(connector)) == b"one"


def test_a_tick_is_waited_for_before_a_fresh_file_counts_as_read(
    connector: LocalConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changed in this moment is looked at again once the clock of the file system has moved on."""
    waits: list[float] = []
    path = Path(connector.config.path) / "a.txt"
    monkeypatch.setattr("ingest_tui.connectors.local.status.time.sleep", waits.append)
    changed = path.stat().st_ctime_ns
    monkeypatch.setattr("ingest_tui.connectors.local.status.time.time_ns", lambda: changed + 5_000_000)
    read(connector, described(connector))
    monkeypatch.setattr("ingest_tui.connectors.local.status.time.time_ns", lambda: changed + 25_000_000)
    read(connector, described(connector))
    assert waits == [pytest.approx(0.015)]


def test_a_fingerprint_of_the_first_form_is_trusted_only_for_what_has_not_changed_since(
    connector: LocalConnector,
) -> None:
    """It is taken over when all it names is equal and the file changed last before it was read."""
    status = (Path(connector.config.path) / "a.txt").stat()
    first_form = f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"
    now = fingerprint_of(status)
    later, earlier = status.st_ctime_ns + 10**9, status.st_ctime_ns - 10**9
    assert is_older_form(first_form, now, read_after_ns=later)
    assert not is_older_form(first_form, now, read_after_ns=earlier)
    assert not is_older_form(first_form, now, read_after_ns=status.st_ctime_ns)
    assert not is_older_form(f"{status.st_size:x}-{PAST:x}-1", now, read_after_ns=later)
    assert not is_older_form("", now, read_after_ns=later)
    assert not is_older_form(first_form, "", read_after_ns=later)
