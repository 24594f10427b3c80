"""One catalogue, many connections: of one process and of several."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ingest_tui.model.errors import BusyError, StoreError, UsageError
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.sqlite_access import reported_errors
from ingest_tui.store.workspace import init_workspace

OPEN_IN_THREADS = """
import sys, threading, time
from pathlib import Path
from ingest_tui.store.catalogue.catalogue import Catalogue

def open_again_and_again():
    while time.time() < float(sys.argv[2]):
        pass
    try:
        for _ in range(3):
            Catalogue(Path(sys.argv[1]), create=True).close()
    except BaseException as error:
        failures.append(repr(error))

failures = []
threads = [threading.Thread(target=open_again_and_again) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(failures)
"""


def locks_on(path: Path) -> list[str]:
    """Return the locks that processes hold on a file, as the kernel lists them."""
    inode = path.stat().st_ino
    return [line for line in Path("/proc/locks").read_text().splitlines() if f":{inode} " in line]


def test_second_connection_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """Opening and closing one connection takes no lock from another one of the process, which still reads."""
    path = tmp_path / "catalogue.db"
    first = Catalogue(path, create=True)
    assert len(locks_on(path)) == 1
    second = Catalogue(path)
    assert len(locks_on(path)) == 1
    second.close()
    assert len(locks_on(path)) == 1
    first.close()
    assert locks_on(path) == []


@pytest.mark.parametrize("trial", range(3))
def test_new_catalogue_is_opened_by_many_at_once(tmp_path: Path, trial: int) -> None:
    """Processes with threads that all make the same catalogue in the same moment each get it."""
    del trial
    start = str(time.time() + 0.7)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_IN_THREADS, str(tmp_path / "catalogue.db"), start],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [process.communicate()[0].strip() for process in processes] == ["[]"] * 4


def test_opening_gives_up_when_the_catalogue_stays_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot set the journal mode within the time is told so; before that it tries again."""
    monkeypatch.setattr("ingest_tui.store.catalogue.connection._BUSY_MILLISECONDS", 100)
    genuine, tries = Catalogue.execute, []

    def busy(self: Catalogue, sql: str, *values: object) -> list[object]:
        if "journal_mode" in sql:
            tries.append(sql)
            raise BusyError("the catalogue is busy")
        return genuine(self, sql, *values)  # type: ignore[arg-type]

    monkeypatch.setattr(Catalogue, "execute", busy)
    with pytest.raises(BusyError):
        Catalogue(tmp_path / "catalogue.db", create=True)
    assert len(tries) > 3


def test_catalogue_is_no_link(tmp_path: Path) -> None:
    """A link planted at the name of the catalogue is refused, and nothing is made where it points to."""
    (tmp_path / "catalogue.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="symbolic link"):
        Catalogue(tmp_path / "catalogue.db", create=True)
    assert not (tmp_path / "elsewhere").exists()


def test_catalogue_of_a_missing_workspace(tmp_path: Path) -> None:
    """A catalogue whose folder is gone is a clear error, not one of SQLite."""
    with pytest.raises(StoreError, match="cannot be opened"):
        Catalogue(tmp_path / "gone" / "catalogue.db")


def test_failing_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite calls an I/O error reaches people as what it means."""
    catalogue = Catalogue(tmp_path / "catalogue.db", create=True)

    class Failing:
        def execute(self, *_arguments: object) -> list[object]:
            raise apsw.IOError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(catalogue, "connection", Failing())
        with pytest.raises(StoreError, match="disk I/O error") as caught:
            catalogue.value("SELECT 1")
    assert caught.value.hint
    catalogue.close()


def test_two_threads_with_one_connection_are_told_so(tmp_path: Path) -> None:
    """SQLite refuses it with an error of its own; what people read says what to do."""
    with pytest.raises(UsageError, match="two threads") as caught, reported_errors(tmp_path):
        raise apsw.ThreadingViolationError
    assert "each thread" in caught.value.hint


def test_a_catalogue_that_is_replaced_while_it_is_asked_ends_no_question(tmp_path: Path) -> None:
    """What could be given up is answered by the new one; that the old connection is closed then is no error."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    with closing(workspace):
        workspace.open_catalogue().close()
        before = workspace.reading
        for given_up in (None, lambda: False):
            with workspace.reading.giving_up_when(given_up):
                copy = tmp_path / "copy.db"
                shutil.copy(workspace.layout.catalogue, copy)
                copy.rename(workspace.layout.catalogue)
                assert workspace.reading is not before
                assert workspace.reading.value("SELECT count(*) FROM documents") == 0
            before = workspace.reading
