"""Reading a database without being able to write, and where its temporary files go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ingest_tui.model.errors import BusyError
from ingest_tui.store.catalogue import sqlite_access
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.sqlite_access import UnlockedFiles, put_temporary_files_in
from tests.open_files import open_files
from tests.unit.store.catalogue_rows import document, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    catalogue = Catalogue(tmp_path / "catalogue.db", create=True)
    put(catalogue, document("d1"), "rain")
    catalogue.close()
    return tmp_path / "catalogue.db"


@pytest.fixture
def _no_shared_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse what needs the shared index, as a folder without the right to write does."""
    connect = sqlite_access._connect

    def refusing(path: Path, how: str) -> apsw.Connection:
        if how == "mode=ro":
            raise apsw.CantOpenError
        return connect(path, how)

    monkeypatch.setattr(sqlite_access, "_connect", refusing)


@pytest.fixture
def _temporary_files_as_before() -> Iterator[None]:
    yield
    put_temporary_files_in(Path("/nowhere"))


def test_reader_cannot_write(path: Path) -> None:
    """What is opened for reading changes nothing, whoever asks it to."""
    reader = Catalogue(path, read_only=True)
    with pytest.raises(apsw.ReadOnlyError):
        reader.connection.execute("DELETE FROM documents")
    assert set(reader.documents(["d1"])) == {"d1"}
    reader.close()


def test_reader_sees_what_is_written_meanwhile(path: Path) -> None:
    """A reader that shares the index follows a writer as any other connection does."""
    reader, writer = Catalogue(path, read_only=True), Catalogue(path)
    put(writer, document("d2"), "snow")
    assert set(reader.documents(["d1", "d2"])) == {"d1", "d2"}
    reader.close()
    writer.close()


@pytest.mark.usefixtures("_no_shared_reading")
@pytest.mark.parametrize("log_is_kept", [False, True])
def test_answers_read_without_locks_count_only_while_nobody_writes(path: Path, log_is_kept: bool) -> None:
    """Where nothing keeps writers away, an answer that may be torn is refused; the log is read where there is one."""
    writer = Catalogue(path)
    if log_is_kept:
        put(writer, document("d2"), "snow")
    reader = Catalogue(path, read_only=True)
    assert set(reader.documents(["d1", "d2"])) == ({"d1", "d2"} if log_is_kept else {"d1"})
    put(writer, document("d3"), "hail")
    with pytest.raises(BusyError, match="changed"):
        reader.documents(["d1"])
    with pytest.raises(BusyError, match="changed"):
        list(reader.stream("SELECT * FROM documents"))
    reader.close()
    writer.close()


def test_unlocked_files_notice_a_log_that_appears(path: Path) -> None:
    """A write-ahead log that was not there is a change, too."""
    files = UnlockedFiles(path)
    files.refuse_if_changed()
    path.with_name("catalogue.db-wal").write_bytes(b"x")
    with pytest.raises(BusyError):
        files.refuse_if_changed()


@pytest.mark.usefixtures("_temporary_files_as_before")
def test_temporary_files_go_next_to_the_catalogue(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite spills into the folder of the workspace, and elsewhere where that has no room."""

    def nameless_files() -> set[Path]:
        return {Path(path) for path in open_files() if path.endswith("(deleted)")}

    def spilled_into() -> set[str]:
        before = nameless_files()
        connection = apsw.Connection("")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("CREATE TABLE t AS WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM n LIMIT 9999)"
                           " SELECT x, hex(zeroblob(100)) FROM n")  # fmt: skip
        spilled = nameless_files() - before
        connection.close()
        return {str(link.parent) for link in spilled}

    Catalogue(path).close()
    assert spilled_into() == {str(path.parent)}
    monkeypatch.setattr(sqlite_access, "_ENOUGH_FOR_TEMPORARY_FILES", 1 << 60)
    Catalogue(path).close()
    assert str(path.parent) not in spilled_into()
