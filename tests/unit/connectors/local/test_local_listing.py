"""What a local source lists, leaves out, and says about it."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.descriptor import Descriptor, ListingEnd
from ingest_tui.model.errors import SourceAccessError, ValidationError
from ingest_tui.model.keys import bytes_from_key, key_from_bytes


def listing(root: Path, **config: Any) -> tuple[dict[str, Descriptor], ListingEnd]:
    found: dict[str, Descriptor] = {}
    generator = LocalConnector({"path": str(root), **config}).list()
    while True:
        try:
            page = next(generator)
        except StopIteration as stop:
            return found, stop.value
        found |= {descriptor.key: descriptor for descriptor in page.descriptors}


def keys(root: Path, **config: Any) -> set[str]:
    return set(listing(root, **config)[0])


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


TREE = ("a.md", "b.txt", "docs/c.md", "docs/drafts/d.md", "drafts/e.md", "docs/f.pdf")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, set(TREE)),
        ({"include": ["*.md"]}, {"a.md", "docs/c.md", "docs/drafts/d.md", "drafts/e.md"}),
        ({"include": ["docs/**"]}, {"docs/c.md", "docs/drafts/d.md", "docs/f.pdf"}),
        ({"include": ["docs/*.md"]}, {"docs/c.md"}),
        ({"include": ["/*.md"]}, {"a.md"}),
        ({"include": ["docs/"]}, {"docs/c.md", "docs/drafts/d.md", "docs/f.pdf"}),
        ({"include": ["*.md", "!drafts/*.md"]}, {"a.md", "docs/c.md", "docs/drafts/d.md"}),
        ({"exclude": ["drafts/"]}, {"a.md", "b.txt", "docs/c.md", "docs/f.pdf"}),
        ({"exclude": ["/drafts/"]}, {"a.md", "b.txt", "docs/c.md", "docs/drafts/d.md", "docs/f.pdf"}),
        ({"exclude": ["*.md"]}, {"b.txt", "docs/f.pdf"}),
        ({"exclude": ["*.md", "!a.md"]}, {"a.md", "b.txt", "docs/f.pdf"}),
        ({"include": ["*.md"], "exclude": ["docs"]}, {"a.md", "drafts/e.md"}),
        ({"recursive": False}, {"a.md", "b.txt"}),
        ({"recursive": False, "include": ["docs/**"]}, set()),
        ({"include": ["# a comment", ""]}, set()),
    ],
)
def test_patterns_choose(tmp_path: Path, config: dict[str, Any], expected: set[str]) -> None:
    """Include and exclude are read as in .gitignore: anchors, folders, depth, and exceptions."""
    make(tmp_path, *TREE)
    assert keys(tmp_path, **config) == expected


def test_hidden_names_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    """A leading dot hides a file, and a folder with all it holds."""
    make(tmp_path, "a.md", ".hidden.md", ".git/config", "docs/.env", "docs/b.md")
    assert keys(tmp_path) == {"a.md", "docs/b.md"}
    assert keys(tmp_path, hidden=True) == {"a.md", ".hidden.md", ".git/config", "docs/.env", "docs/b.md"}


def test_excluded_folder_is_not_even_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is excluded costs nothing, and if it cannot be read that is no gap."""
    make(tmp_path, "a.md", "node_modules/deep/b.md")
    entered = []
    scandir = os.scandir

    def noting(path: Any) -> Any:
        entered.append(os.fsdecode(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noting)
    assert keys(tmp_path, exclude=["node_modules/"]) == {"a.md"}
    assert not [path for path in entered if "node_modules" in path]


@pytest.mark.parametrize("pattern", ["!", "\\"])
@pytest.mark.parametrize("setting", ["include", "exclude"])
def test_pattern_that_is_none_is_refused(tmp_path: Path, setting: str, pattern: str) -> None:
    """A pattern that makes no sense is refused when the source is made, not when it is listed."""
    with pytest.raises(ValidationError, match="not a pattern in gitignore style"):
        LocalConnector({"path": str(tmp_path), setting: [pattern]})


def test_special_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    """A named pipe or a socket is listed as refused, so that nothing ever waits for it and people see why."""
    make(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe")
    here = Path.cwd()
    server = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(tmp_path)  # the address of a socket is short
        server.bind("socket")
    finally:
        os.chdir(here)
        server.close()
    found, end = listing(tmp_path)
    assert end.complete
    assert {key: descriptor.refusal for key, descriptor in found.items()} == {
        "a.md": None,
        "pipe": ("special_file", "it is a named pipe"),
        "socket": ("special_file", "it is a socket"),
    }


def test_names_that_are_not_utf8_are_listed_and_read(tmp_path: Path) -> None:
    """A name in an old encoding has a key that leads back to its bytes, and an address in ASCII."""
    name = b"caf\xe9-\xff.md"
    (tmp_path / os.fsdecode(name)).write_bytes(b"content")
    (tmp_path / os.fsdecode(b"d\xff")).mkdir()
    (tmp_path / os.fsdecode(b"d\xff/inner.md")).write_bytes(b"inner")
    found, end = listing(tmp_path)
    assert end.complete
    assert set(found) == {key_from_bytes(name), key_from_bytes(b"d\xff/inner.md")}
    connector = LocalConnector({"path": str(tmp_path)})
    descriptor = found[key_from_bytes(name)]
    assert bytes_from_key(descriptor.key) == name
    assert descriptor.uri.endswith("caf%E9-%FF.md")
    with connector.fetch(descriptor) as pieces:
        assert b"".join(pieces) == b"content"
    assert os.fsencode(connector.local_path(descriptor) or "") == os.fsencode(tmp_path) + b"/" + name


def test_patterns_work_on_names_that_are_not_utf8(tmp_path: Path) -> None:
    """A pattern looks at the rest of such a name as at any other."""
    (tmp_path / os.fsdecode(b"\xff.md")).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_bytes(b"x")
    assert keys(tmp_path, include=["*.md"]) == {key_from_bytes(b"\xff.md")}


def _guard(monkeypatch: pytest.MonkeyPatch, folder: Path, number: int) -> None:
    scandir = os.scandir

    def guarded(path: Any) -> Any:
        if os.fsencode(path) == os.fsencode(folder):
            raise OSError(number, os.strerror(number))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ENAMETOOLONG])
def test_unreadable_folder_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A folder that cannot be opened makes the listing incomplete and is named with the reason."""
    make(tmp_path, "a.md", "closed/b.md", "open/c.md")
    _guard(monkeypatch, tmp_path / "closed", number)
    found, end = listing(tmp_path)
    assert set(found) == {"a.md", "open/c.md"}
    assert (end.complete, end.gaps) == (False, (("closed", os.strerror(number)),))


def test_folder_that_breaks_off_while_it_is_read_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that fails in the middle of a folder makes a gap; what was named before it stays listed."""
    make(tmp_path, "a.md", "broken/b.md")
    scandir, broken = os.scandir, os.fsencode(tmp_path / "broken")

    class Breaking:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_error: object) -> None:
            self.inner.close()

        def close(self) -> None:
            self.inner.close()

        def __iter__(self) -> Iterator[Any]:
            yield from self.inner
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(
        os, "scandir", lambda path: Breaking(scandir(path)) if os.fsencode(path) == broken else scandir(path)
    )
    found, end = listing(tmp_path)
    assert "a.md" in found
    assert (end.complete, end.gaps) == (False, (("broken", "Input/output error"),))


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop the superuser; the test above stands in")
def test_folder_without_permission_is_a_gap(tmp_path: Path) -> None:
    """A folder whose mode keeps us out is a gap, by the file system's own word."""
    make(tmp_path, "closed/b.md")
    (tmp_path / "closed").chmod(0)
    try:
        assert not listing(tmp_path)[1].complete
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_folder_that_vanishes_meanwhile_is_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gone when it is its turn is gone: the listing stays complete."""
    make(tmp_path, "a.md", "gone/b.md")
    _guard(monkeypatch, tmp_path / "gone", errno.ENOENT)
    end = listing(tmp_path)[1]
    assert (end.complete, end.gaps) == (True, ())


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda _root: None, "not_found"),
        (lambda root: root.write_bytes(b"x"), "not_a_folder"),
        (lambda root: root.symlink_to("nowhere"), "not_found"),
    ],
    ids=["missing", "file", "dangling link"],
)
def test_root_that_is_no_folder_is_an_error_of_the_source(tmp_path: Path, prepare: Any, code: str) -> None:
    """A missing root never lists as empty: that would retire everything."""
    root = tmp_path / "root\x1b[2J"
    prepare(root)
    connector = LocalConnector({"path": str(root)})
    for asking in (connector.validate_config, lambda: next(connector.list())):
        with pytest.raises(SourceAccessError) as caught:
            asking()
        assert caught.value.reason == code
        assert caught.value.hint
        assert "\x1b" not in caught.value.message


def test_root_that_vanishes_while_it_is_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unmounted root in the middle of a listing ends it; it does not come out as complete."""
    make(tmp_path, "a.md")
    scandir, calls = os.scandir, []

    def vanishing(path: Any) -> Any:
        calls.append(path)
        if len(calls) > 1:
            raise FileNotFoundError(errno.ENOENT, "gone")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    with pytest.raises(SourceAccessError, match="does not exist"):
        listing(tmp_path)


def test_home_and_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is fixed when the source is made, so that a worker in another folder reads the same one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert LocalConnector({"path": "~/docs"}).config.path == str(tmp_path / "docs")
    assert LocalConnector({"path": "docs/../docs"}).config.path == str(tmp_path / "docs")
    assert LocalConnector({"path": "docs"}).watch_path() == str(tmp_path / "docs")


names = st.sampled_from(["a.md", "b.txt", ".h.md", "ü.md"])
folders = st.sampled_from(["", "docs/", "docs/drafts/", ".hidden/", "drafts/"])
patterns = st.lists(
    st.sampled_from(
        ["*.md", "*.txt", "docs/", "docs/**", "drafts/", "/drafts", "!a.md", "!docs/", "*", "**/drafts/*", "ü*"]
    ),
    max_size=3,
).map(tuple)


@settings(max_examples=80, deadline=None)
@given(
    files=st.sets(st.tuples(folders, names).map("".join), max_size=8),
    include=patterns,
    exclude=patterns,
    hidden=st.booleans(),
    recursive=st.booleans(),
)
def test_explanation_agrees_with_the_listing(
    files: set[str], include: tuple[str, ...], exclude: tuple[str, ...], hidden: bool, recursive: bool
) -> None:
    """A file is listed exactly when there is no explanation why it would be left out."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root, *files)
        config = {"include": include, "exclude": exclude, "hidden": hidden, "recursive": recursive}
        connector = LocalConnector({"path": folder, **config})
        explained = {name: connector.explain_left_out(name) for name in files}
        assert {name for name, reason in explained.items() if reason is None} == keys(root, **config)


@pytest.mark.parametrize(
    ("key", "config", "words"),
    [
        (".env", {}, "hidden"),
        ("docs/.git/x", {}, "hidden"),
        ("docs/a.md", {"recursive": False}, "folders"),
        ("drafts/a.md", {"exclude": ["drafts/"]}, "drafts is excluded"),
        ("a.txt", {"include": ["*.md"]}, "include and exclude patterns"),
        ("a.md", {"exclude": ["a.*"]}, "include and exclude patterns"),
    ],
)
def test_explanation_says_what_to_change(tmp_path: Path, key: str, config: dict[str, Any], words: str) -> None:
    """Why a file is missing is answered with the setting that leaves it out."""
    reason = LocalConnector({"path": str(tmp_path), **config}).explain_left_out(key)
    assert reason is not None
    assert words in reason
