"""The commit lock: waited for, given up, and left to whoever has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.errors import BusyError
from ingest_tui.store.commit_lock import CommitLock
from ingest_tui.store.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def test_whoever_waits_too_long_is_refused(layout: Layout) -> None:
    """While somebody holds the lock nobody else gets it; afterwards it is free again."""
    with CommitLock(layout).held():
        with pytest.raises(BusyError, match="the catalogue is in use"), CommitLock(layout).held(seconds=0):
            pytest.fail("two hold the commit lock")
        with CommitLock(layout).held_if_free() as is_ours:
            assert not is_ours
    with CommitLock(layout).held_if_free() as is_ours:
        assert is_ours
        with pytest.raises(BusyError), CommitLock(layout).held(seconds=0):
            pytest.fail("two hold the commit lock")
    with CommitLock(layout).held(seconds=0):
        pass


def test_what_is_done_between_tries_may_end_the_wait(layout: Layout) -> None:
    """A job that is cancelled while it waits for the lock waits no longer; one that is let in goes on."""

    class EndedError(Exception):
        pass

    def end() -> None:
        raise EndedError

    with CommitLock(layout).held(), pytest.raises(EndedError), CommitLock(layout).held(between_tries=end):
        pytest.fail("two hold the commit lock")
    other = CommitLock(layout).held()
    other.__enter__()

    def give_back() -> None:
        other.__exit__(None, None, None)

    with CommitLock(layout).held(between_tries=give_back):
        pass
