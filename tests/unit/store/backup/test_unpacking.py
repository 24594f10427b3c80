"""Places that a backup is read into: what checks one refuses what restores one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.model.errors import ValidationError
from ingest_tui.store.backup.filling import filled_workspace
from ingest_tui.store.backup.unpacking import NewFolder, Nowhere, RestoreTarget


@pytest.fixture(params=["checked", "restored"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> RestoreTarget:
    """Each kind of place."""
    return Nowhere() if request.param == "checked" else NewFolder(tmp_path, {})


@pytest.mark.parametrize(
    ("paths", "twice"),
    [(["a/b", "a/b"], "a/b"), (["a", "a/b"], "a/b"), (["a/b/c", "a/b"], "a/b"), (["a/b", "a/b/c/d"], "a/b/c/d")],
)
def test_a_name_is_there_once(place: RestoreTarget, paths: list[str], twice: str) -> None:
    """The same file again, and a file where a folder is, or the other way round."""
    *firsts, last = paths
    for path in firsts:
        place.put(path, iter([b"x"]))
    with pytest.raises(ValidationError, match=r"is in it twice") as refused:
        place.put(last, iter([b"y"]))
    assert last == twice
    assert "is in it twice" in refused.value.message


def test_a_file_that_was_given_up_may_come_again(place: RestoreTarget) -> None:
    """What was dropped is no name any more; other names are not in the way of each other."""
    place.put("a/b", iter([b"x"]))
    place.drop("a/b")
    assert place.put("a/b", iter([b"yy", b"z"])).size == 3
    place.put("a/c", iter([b""]))


@pytest.mark.parametrize("there", ["", "one", "one/two/three"])
def test_what_fails_leaves_no_folder_that_it_made(tmp_path: Path, there: str) -> None:
    """Folders above the one that was to be filled are gone too, but for those that were there before."""
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))

    def fail() -> None:
        with filled_workspace(tmp_path / "one" / "two" / "three") as folder:
            (folder / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert sorted(tmp_path.rglob("*")) == before
