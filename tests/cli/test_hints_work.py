"""What the hint of an error promises comes true: each scenario ends in an error, and its hint is followed."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.cli.main import run
from tests.cli.running import SAMPLES

pytestmark = pytest.mark.slow

COMMAND = re.compile(r"'ingest-tui ([^']*)'")


@dataclass
class Answer:
    """How a call ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def commands(self) -> list[list[str]]:
        """The commands that its hints name, in order."""
        hints = [
            line for line in f"{self.out}\n{self.err}".splitlines() if "hint: " in line or line.startswith("next: ")
        ]
        return [shlex.split(command) for line in hints for command in COMMAND.findall(line)]


class Desk:
    """Calls of the command line, in this process, on a workspace next to a folder ``docs``."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.docs, self.root, self._capsys = home / "docs", home / "workspace", capsys
        self.docs.mkdir()

    def __call__(self, *words: str, code: int | None = 0) -> Answer:
        """Run a command and check how it ends."""
        self._capsys.readouterr()
        ended = run(["--workspace", str(self.root), *words])
        answer = Answer(ended, *self._capsys.readouterr())
        assert code in {None, ended}, f"{words}: {ended}\n{answer.out}\n{answer.err}"
        return answer

    def follow(self, answer: Answer, number: int = 0, *, code: int | None = 0, **given: str) -> Answer:
        """Run the command of a hint as it is, but for what its CAPITALS ask for."""
        assert answer.commands, f"no hint names a command:\n{answer.out}\n{answer.err}"
        words = [given.get(word.rstrip("/"), word) for word in answer.commands[number]]
        return self(*words, code=code)

    def write(self, name: str, content: str | bytes = "some words of no importance") -> Path:
        """Write a file of the source."""
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def explain(self, name: str) -> Answer:
        """Ask why a file is (not) here."""
        return self("doc", "explain", str(self.docs / name))

    def is_here(self, name: str) -> bool:
        """Whether a file is searchable, in the words of `doc explain`."""
        return self.explain(name).out.startswith("here: ")


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """No workspace yet."""
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys)


@pytest.fixture
def desk(bare: Desk) -> Desk:
    """A workspace whose source was synced once."""
    bare.write("a.txt", "the first words")
    bare("init")
    bare("source", "add", "local", "docs", "--path", "docs")
    bare("sync")
    return bare


def test_first_steps(bare: Desk) -> None:
    """Without a workspace, a source, a job: each hint is the next step."""
    bare.write("a.txt")
    bare.follow(bare("source", "list", code=4))
    added = bare.follow(bare("sync", code=2), NAME="docs", FOLDER=str(bare.docs))
    bare(*shlex.split(added.out.partition("next: ingest-tui ")[2].splitlines()[0]))
    assert bare.is_here("a.txt")


def test_a_disabled_source(desk: Desk) -> None:
    """Enabling lets it be synced."""
    desk("source", "disable", "docs")
    desk.follow(desk("sync", "docs", code=2))
    desk("sync", "docs")


def test_names_that_are_not_there(desk: Desk) -> None:
    """Each hint shows what there is."""
    assert "docs" in desk.follow(desk("sync", "dosc", code=4)).out
    assert "docs" in desk.follow(desk("job", "show", "zzzz", code=4)).out
    assert "default" in desk.follow(desk("upload", "docs/a.txt", "--collection", "nix", code=4)).out
    missing = desk("doc", "show", "nothing.txt", code=4)
    assert "not here" in desk.follow(missing, PATH="nothing.txt").out
    assert "a.txt" in desk.follow(missing, 1).out


@pytest.mark.parametrize(
    ("name", "content", "options", "given"),
    [
        ("big.txt", "big " * 1000, ("--max-size", "1KB"), {"SIZE": "1MB"}),
        ("page.html", "<p>words</p>", ("--deny-type", "html"), {}),
        ("old.txt", "old words", ("--since", "2990-01-01"), {"DATE": "2000-01-01"}),
    ],
)
def test_what_the_settings_refuse(
    desk: Desk, name: str, content: str, options: tuple[str, str], given: dict[str, Any]
) -> None:
    """The option that the hint names lets it in."""
    desk("source", "edit", "docs", *options)
    desk.write(name, content)
    desk("sync", code=None)
    desk.follow(desk.explain(name), **given)
    desk("sync")
    assert desk.is_here(name)


def test_a_symbolic_link(desk: Desk) -> None:
    """Following links takes it."""
    desk.write("real.txt", "what is real")
    (desk.docs / "link.txt").symlink_to("real.txt")
    desk("sync")
    desk.follow(desk.explain("link.txt"))
    desk("sync")
    assert desk.is_here("link.txt")


def test_an_encrypted_and_a_broken_file(desk: Desk) -> None:
    """One is put in place again, of the other the hint's retry reads what it has become."""
    desk.write("secret.pdf", (SAMPLES / "special-cases" / "encrypted.pdf").read_bytes())
    broken = desk.write("broken.docx", (SAMPLES / "special-cases" / "broken.docx").read_bytes())
    desk("sync", code=None)
    assert "remove the password" in desk.explain("secret.pdf").out
    hint = desk.explain("broken.docx")
    assert desk.follow(hint, code=3).out.startswith("docs: partial")
    whole = next(path for path in sorted(SAMPLES.rglob("*.docx")) if path.parent.name != "special-cases")
    broken.write_bytes(whole.read_bytes())
    desk("sync", code=None)
    assert desk.is_here("broken.docx")


def test_held_deletions(desk: Desk) -> None:
    """The hints of the sync list what is held, and retire it; refusing keeps it."""
    (desk.docs / "a.txt").unlink()
    held = desk("sync", code=6)
    assert "a.txt" in desk.follow(held).out
    hint = desk.explain("a.txt")
    assert "approve" in hint.out
    desk.follow(hint, 1)  # refuse
    assert desk.is_here("a.txt")
    desk.follow(desk("sync", code=6), 1)
    assert not desk.is_here("a.txt")


def test_what_a_person_removed(desk: Desk) -> None:
    """Restoring brings it back; once the trash is empty, a forced sync does."""
    for _ in range(2):
        desk("doc", "remove", str(desk.docs / "a.txt"), "--yes")
        desk("sync")
        desk.follow(desk.explain("a.txt"))
        assert desk.is_here("a.txt")
    desk("doc", "remove", str(desk.docs / "a.txt"), "--yes")
    desk("trash", "empty", "--yes", "--all", code=None)
    desk.follow(desk.explain("a.txt"))
    assert desk.is_here("a.txt")


@pytest.mark.parametrize("uploaded", [False, True])
def test_a_lost_text(desk: Desk, *, uploaded: bool) -> None:
    """A rebuild finds it, and what comes next reads it again."""
    if uploaded:
        desk.write("../note.txt", "words of a note")
        desk("upload", "note.txt")
    name = "note.txt" if uploaded else "docs/a.txt"
    for text in desk.root.glob("documents/**/normalized.md"):
        text.unlink()
    lost = desk("doc", "text", name, code=4)
    desk.follow(lost, code=3)
    if uploaded:
        desk("upload", "note.txt")
    else:
        desk.follow(lost, 1)
    assert "words" in desk("doc", "text", name).out


def test_jobs(desk: Desk) -> None:
    """What has ended is done again, what is paused is resumed."""
    ended = desk("job", "cancel", "last", code=2)
    assert "succeeded" in desk.follow(ended).out
    nothing = desk("job", "retry", "last", "--failed-only", code=2)
    assert "succeeded" in desk.follow(nothing).out
    desk("sync", "--detach")
    desk("job", "pause", "last")
    paused = desk.explain("new.txt" if desk.write("new.txt", "something new") else "")
    desk.follow(paused)
    assert "paused" not in desk("job", "show", "last").out.splitlines()[0]
    assert "marks" in desk("job", "approve", "last", code=2).err


def test_a_folder_that_moved(desk: Desk) -> None:
    """Naming the new one is enough."""
    desk.docs.rename(desk.docs.with_name("moved"))
    failed = desk("sync", code=1)
    desk.follow(failed, SOURCE="docs", FOLDER=str(desk.docs.with_name("moved")))
    desk("sync", code=None)


def test_a_lost_record_of_a_source(desk: Desk) -> None:
    """Adding the source again under its name takes its documents over."""
    (desk.root / "sources" / "docs.json").unlink()
    lost = desk("sync", "docs", code=1)
    assert "add the source again under its name" in lost.err
    desk("source", "add", "local", "docs", "--path", "docs")
    desk("sync", "docs", code=None)
    assert desk.is_here("a.txt")
    assert "documents: 1" in desk("doc", "explain", str(desk.docs)).out
