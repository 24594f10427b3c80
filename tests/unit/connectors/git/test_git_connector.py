"""What a Git source takes from a repository, what it leaves alone, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest_tui.connectors.git import git_process
from ingest_tui.connectors.git.connector import GitConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError, MissingDependencyError, SourceAccessError, ValidationError
from tests.conformance.connectors.connector_suite import fetched, listed
from tests.conformance.connectors.git_site import commit_files, git
from tests.waiting import wait_until

FILES = ("a.md", "docs/b.md")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository with one commit on ``main``."""
    folder = tmp_path / "handbook.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    commit_files(folder, {"a.md": b"alpha", "docs/b.md": b"beta", ".hidden/c.md": b"gamma"})
    return folder


def connector_to(repository: Path, **settings: object) -> GitConnector:
    return GitConnector({"repository": str(repository), **settings})


def keys(connector: GitConnector) -> set[str]:
    return set(listed(connector)[0])


def one(connector: GitConnector, key: str) -> Descriptor:
    return listed(connector)[0][key]


def test_branches_tags_and_ids_name_a_commit(repository: Path) -> None:
    """Each shows the files of its own commit; without one it is that of HEAD."""
    first = git(repository, "rev-parse", "main").strip()
    git(repository, "tag", "--annotate", "--message=release", "v1.0", "main")
    commit_files(repository, {"new.md": b"n"}, branch="feature/new")
    commit_files(repository, {"later.md": b"l"})
    assert keys(connector_to(repository)) == {"later.md"}
    assert keys(connector_to(repository, ref="feature/new")) == {"new.md"}
    assert keys(connector_to(repository, ref="v1.0")) == {"a.md", "docs/b.md"}
    assert keys(connector_to(repository, ref=first[:12])) == {"a.md", "docs/b.md"}


def test_working_copy_is_read_at_its_commit(tmp_path: Path) -> None:
    """What is committed counts, not what lies in the folder; a linked working copy is read, too."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "copy")
    copy = tmp_path / "copy"
    commit_files(copy, {"committed.md": b"c"})
    (copy / "not committed.md").write_text("n")
    git(copy, "worktree", "add", "--quiet", "--detach", "../linked", "main")
    assert keys(connector_to(copy)) == keys(connector_to(tmp_path / "linked")) == {"committed.md"}


def test_filters_apply_and_say_why(repository: Path) -> None:
    """Patterns and hidden names work as for folders, and are the answer to why a path is not there."""
    assert keys(connector_to(repository, include=["docs/**"])) == {"docs/b.md"}
    assert keys(connector_to(repository, hidden=True)) == {"a.md", "docs/b.md", ".hidden/c.md"}
    connector = connector_to(repository, exclude=["docs/"])
    assert keys(connector) == {"a.md"}
    assert connector.explain_left_out("a.md") is None
    assert "patterns" in (connector.explain_left_out("docs/b.md") or "")
    assert "--hidden" in (connector.explain_left_out(".hidden/c.md") or "")


def test_links_and_submodules_are_left_alone(tmp_path: Path) -> None:
    """Neither is a file; asked for, each says what it is."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "a.md").write_text("alpha")
    (tmp_path / "link.md").symlink_to("a.md")
    git(tmp_path, "add", "a.md", "link.md")
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(tmp_path, "commit", "--quiet", "--message=files")
    connector = connector_to(tmp_path)
    assert keys(connector) == {"a.md"}
    assert [connector.sight(key).kind for key in ("", "a.md", "link.md", "module", "other.md")] == [
        "folder",
        "item",
        "link",
        "gone",
        "gone",
    ]
    assert [place.name for place in connector.browse()] == ["a.md"]


def test_what_is_kept_of_the_origin(repository: Path) -> None:
    """The record of a version names the commit, its date and the branch; an address leads back to its
    key."""
    connector = connector_to(repository, ref="main")
    descriptor = one(connector, "docs/b.md")
    assert descriptor.uri == f"git+file://{repository}@main//docs/b.md"
    assert connector.key_of(descriptor.uri) == "docs/b.md"
    assert connector.key_of("https://example.org/docs/b.md") is None
    assert connector.origin(descriptor) == {
        "commit": git(repository, "rev-parse", "main").strip(),
        "author_date": "2026-11-30T07:16:30.000Z",
        "ref": "main",
    }


def test_repository_of_sha256(tmp_path: Path) -> None:
    """The longer ids are ids of contents, too, and an empty commit of such a repository is an empty listing."""
    git(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main")
    commit_files(tmp_path, {})
    assert keys(connector_to(tmp_path)) == set()
    commit_files(tmp_path, {"a.md": b"alpha"})
    connector = connector_to(tmp_path)
    assert fetched(connector, one(connector, "a.md")) == b"alpha"


def test_content_is_checked_by_its_id(repository: Path) -> None:
    """Other bytes than those that the id stands for are not taken for the document."""
    connector = connector_to(repository)
    wrong = one(connector, "a.md")._replace(size=6)
    with pytest.raises(ItemError) as caught:
        fetched(connector, wrong)
    assert caught.value.reason == "unreadable"
    assert "fsck" in caught.value.hint


def test_pointer_of_git_lfs_is_no_document(repository: Path) -> None:
    """Its content is elsewhere: that is said, instead of three lines about it being searched."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    commit_files(repository, {"scan.pdf": pointer, "about.md": pointer + b"x" * 2000})
    connector = connector_to(repository)
    with pytest.raises(ItemError) as caught:
        fetched(connector, one(connector, "scan.pdf"))
    assert (caught.value.reason, "git lfs pull" in caught.value.hint) == ("archived", True)
    assert fetched(connector, one(connector, "about.md")).endswith(b"x")


def test_settings_that_lead_nowhere_say_what_there_is(repository: Path, tmp_path: Path) -> None:
    """A folder that is none, one without a repository, and a branch that is not there: each with a way out."""
    for settings, code, words in (
        ({"repository": str(tmp_path / "nowhere")}, "not_found", "mounted"),
        ({"repository": str(tmp_path)}, "not_a_repository", "git clone"),
        ({"repository": str(repository), "ref": "mian"}, "ref_missing", "there are: main"),
    ):
        with pytest.raises(SourceAccessError) as caught:
            GitConnector(settings).validate_config()
        assert caught.value.reason == code
        assert words in caught.value.hint


def test_folder_within_a_repository_is_not_taken_for_it(tmp_path: Path) -> None:
    """The source is what was named, not what happens to be around it, whatever its name or a link to it."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit_files(tmp_path, {"inner/a.md": b"alpha"})
    for name in ("inner", "a:b"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("inner")
    for name in ("inner", "a:b", "link"):
        with pytest.raises(SourceAccessError, match="not a git repository"):
            connector_to(tmp_path / name).validate_config()


def test_repository_without_a_commit(tmp_path: Path) -> None:
    """There is nothing that could be listed, which is no empty listing."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    with pytest.raises(SourceAccessError) as caught:
        listed(connector_to(tmp_path))
    assert "no branch or tag that can be read" in caught.value.hint


@pytest.mark.parametrize("knows_lazy_fetch", [True, False])
def test_nothing_in_a_repository_is_executed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows_lazy_fetch: bool
) -> None:
    """Programs that its settings name do not run, and what is missing is asked from nobody; also with a git that is
    too old to be told not to fetch."""
    if not knows_lazy_fetch:
        monkeypatch.delitem(git_process._ENVIRONMENT, "GIT_NO_LAZY_FETCH")
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    program.chmod(0o755)
    for name, value in {
        "core.fsmonitor": str(program),
        "core.pager": str(program),
        "core.sshCommand": str(program),
        "core.hooksPath": str(tmp_path),
        "gpg.program": str(program),
        "log.showSignature": "true",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(program),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "protocol.file.allow": "always",
        "core.repositoryFormatVersion": "1",
    }.items():
        git(repository, "config", name, value)
    connector = connector_to(repository)
    descriptor = one(connector, "a.md")
    assert fetched(connector, descriptor) == b"alpha"
    (repository / "objects" / descriptor.fingerprint[:2] / descriptor.fingerprint[2:]).unlink()
    for address in (f"ext::{program}", f"file://{repository}", str(repository), "ssh://nowhere/x"):
        git(repository, "config", "remote.origin.url", address)
        with contextlib.suppress(SourceAccessError):
            assert one(connector, "a.md").size is None
        with pytest.raises(ItemError):
            fetched(connector, descriptor)
    assert not mark.exists()


def test_files_at_home_that_a_repository_names(repository: Path) -> None:
    """Settings of a sound repository may name them; they are not read, and not needed."""
    git(repository, "config", "core.attributesFile", "~/.gitattributes")
    git(repository, "config", "include.path", "~/.gitconfig.more")
    assert keys(connector_to(repository)) == {"a.md", "docs/b.md"}


def test_commit_with_two_trees(repository: Path) -> None:
    """The first one counts, as for git: else people review other files than those that are taken."""
    shown, hidden = (git(repository, "rev-parse", f"main:{name}").strip() for name in ("docs", ".hidden"))
    for second in (hidden, "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "--name-only"):
        person = "A Person <person@example.org> 1796022990 +0100"
        text = f"tree {shown}\nauthor {person}\ncommitter {person}\ntree {second}\n\nmessage\n"
        found = git(repository, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=text.encode())
        assert keys(connector_to(repository, ref=found.strip())) == {"b.md"}


@pytest.mark.parametrize("name", ["..", ".", "/etc/passwd", "docs/../../x"])
def test_tree_with_a_path_that_cannot_be(repository: Path, name: str) -> None:
    """A tree that no git writes is an error of the source."""
    blob = bytes.fromhex(git(repository, "rev-parse", "main:a.md").strip())
    commit = commit_of_tree(repository, b"100644 %s\0%s" % (name.encode(), blob))
    with pytest.raises(SourceAccessError, match="path that cannot be"):
        listed(connector_to(repository, ref=commit, hidden=True))


def test_path_that_is_there_twice(repository: Path) -> None:
    """Which of them would be the document is anybody's guess."""
    first, second = (bytes.fromhex(git(repository, "rev-parse", f"main:{name}").strip()) for name in FILES)
    commit = commit_of_tree(repository, b"100644 a.md\0%s100644 a.md\0%s" % (first, second))
    with pytest.raises(SourceAccessError, match="there twice"):
        listed(connector_to(repository, ref=commit))


def commit_of_tree(repository: Path, tree: bytes) -> str:
    """Make a commit of a tree as it is, whether git would write it or not."""
    made = git(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=tree).strip()
    return git(repository, "commit-tree", "-m", "odd", made).strip()


def test_branch_comes_before_a_tag_of_its_name(repository: Path) -> None:
    """A tag that somebody pushes does not take the place of a branch."""
    commit_files(repository, {"other.md": b"o"}, branch="other")
    git(repository, "tag", "main", "other")
    assert keys(connector_to(repository, ref="main")) == {"a.md", "docs/b.md"}
    assert keys(connector_to(repository, ref="refs/tags/main")) == {"other.md"}


def test_no_branch_takes_the_place_of_a_commit_or_of_head(repository: Path) -> None:
    """Who can push a branch of any name moves no source that names a commit."""
    pinned = git(repository, "rev-parse", "main").strip()
    commit_files(repository, {"other.md": b"o"}, branch="other")
    for name in (pinned, "HEAD"):
        git(repository, "update-ref", f"refs/heads/{name}", git(repository, "rev-parse", "refs/heads/other").strip())
    assert keys(connector_to(repository, ref=pinned)) == keys(connector_to(repository)) == {"a.md", "docs/b.md"}


def test_git_that_is_not_there(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the program and how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError) as caught:
        asyncio.run(connector_to(repository).authenticate())
    assert "git" in caught.value.message
    assert caught.value.hint


def test_git_that_cannot_be_run(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system answers is an error of the source, and what cannot be asked is one of the item."""
    assert connector_to(repository).sight("a\0b").kind == "unreadable"
    assert connector_to(repository).sight("x" * 200_000).kind == "unreadable"
    (tmp_path / "git").write_text("no program")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceAccessError, match="cannot be run"):
        connector_to(repository).validate_config()


def test_child_of_git_does_not_keep_a_fetch_waiting(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left early, all that was started ends, though a child still holds the pipes."""
    connector = connector_to(repository)
    descriptor = one(connector, "a.md")
    wrapper, pids = tmp_path / "git", tmp_path / "pids"
    wrapper.write_text(f"#!/bin/sh\nsleep 600 & echo $! > {pids}.new; mv {pids}.new {pids}; wait\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    begun = time.monotonic()
    with connector.fetch(descriptor):
        wait_until(pids.exists)
    assert time.monotonic() - begun < 300
    child = Path("/proc", pids.read_text().strip(), "stat")
    wait_until(lambda: not child.exists() or child.read_text().rpartition(") ")[2][0] in "ZX")


def test_secrets_of_the_environment_are_not_handed_on(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program gets what it needs and nothing else."""
    programs = tmp_path / "programs"
    programs.mkdir()
    shown = tmp_path / "environment"
    wrapper = programs / "git"
    wrapper.write_text(f"#!/bin/sh\nenv >> {shown}\nexit 128\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    with pytest.raises(SourceAccessError):
        connector_to(repository).validate_config()
    assert "canary" not in shown.read_text()


def test_commit_is_noticed(repository: Path) -> None:
    """The first look only remembers; a commit after it is a hint, once."""
    connector = connector_to(repository, ref="main")
    assert connector.wait_for_hint(0) is False
    commit_files(repository, {"a.md": b"changed"})
    assert connector.wait_for_hint(0) is True
    assert connector.wait_for_hint(0) is False


def test_commit_is_noticed_while_it_waits(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes between two looks ends the wait."""
    connector = connector_to(repository, ref="main")
    looks: list[float] = []

    def commit_instead_of_sleeping(seconds: float) -> None:
        looks.append(seconds)
        commit_files(repository, {"a.md": b"changed"})

    clock = SimpleNamespace(sleep=commit_instead_of_sleeping, monotonic=time.monotonic)
    monkeypatch.setattr("ingest_tui.connectors.git.commit_connector.time", clock)
    assert connector.wait_for_hint(600) is True
    assert len(looks) == 1


def test_folders_of_the_machine_are_offered(repository: Path) -> None:
    """While the settings are made, one walks through folders, and the chosen one is the repository."""
    places = list(GitConnector.browse_for_settings({"repository": str(repository.parent)}, "", None))
    assert {"..", "handbook.git"} <= {place.name for place in places}
    assert GitConnector.settings_of_place({}, str(repository)) == {"repository": str(repository)}


def test_unreadable_repository_is_forbidden(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be looked into is told as such, not as one without a repository."""

    def refused(_path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ingest_tui.connectors.git.git_errors.os.scandir", refused)
    with pytest.raises(SourceAccessError) as caught:
        connector_to(repository).validate_config()
    assert caught.value.reason == "forbidden"


def test_ref_that_could_be_an_option_is_refused() -> None:
    """In words, before git sees it."""
    with pytest.raises(ValidationError, match="no name of a branch"):
        GitConnector({"repository": "/x", "ref": "--upload-pack=x"})


def test_modes_of_files_do_not_matter(tmp_path: Path) -> None:
    """An executable file is a file."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    script = tmp_path / "run.txt"
    script.write_text("run")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    git(tmp_path, "add", "run.txt")
    git(tmp_path, "commit", "--quiet", "--message=files")
    assert keys(connector_to(tmp_path)) == {"run.txt"}
