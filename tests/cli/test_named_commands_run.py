"""Every command that a text of the program names runs, where that text makes sense.

`test_hints_work.py` follows whole stories; `test_commands_in_texts.py` checks the commands' words alone.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ingest_tui.cli.main import cli, run
from tests.cli.running import SAMPLES
from tests.cli.test_commands_in_texts import HOLE, named_in_source, words_of
from tests.made_models import make_cross_encoder, make_static_model

pytestmark = pytest.mark.slow

DONE = {0, 3, 6}
"""Done; done with failed items; deletions are held."""
NOTHING_YET = {"service status": 4}
"""How what shows one thing ends where that is not there; its own tests have it there."""
STATES = {
    "job approve": "held",
    "job refuse": "held",
    "job resume": "paused",
    "job pause": "queued",
    "job cancel": "queued",
    "job priority": "queued",
    "job retry": "failed",
    "errors retry": "failed",
    "doc restore": "removed",
    "embed": "chosen",
    "embed default": "chosen",
    "reembed default": "built",
    f"reembed {HOLE} --revert": "switched",
}
"""What a command is for, where that is no document that is here and no job that is done."""
WRITTEN = {
    "FOLDER": "more", "PATH": "a.txt", "FILE": "note.txt", "SOURCE": "docs", "DOCUMENTS": "a.txt", "DOCUMENT": "a.txt",
    "SIZE": "1MB", "DATE": "2000-01-01", "DAY": "2990-01-01", "PRIORITY": "5", "JOB": "last", "TYPE": "local",
    "FIELD=VALUE": "username=someone", "COLLECTION": "default",
    "reranker=NAME": "reranker=cross", f"reranker={HOLE}": "reranker=cross", "QUERIES.txt": "queries.txt",
}  # fmt: skip
"""What a person gives for the CAPITALS of a text."""
AFTER_OPTION = {
    "--version": "1", "--level": "error", "--contains": "sync", "--source": "docs", "--document": "a.txt",
    "--to": "out", "--scope": "read", "--collection": "default", "--embedder": "tiny", "--outcome": "failed",
    "--state": "succeeded",
}  # fmt: skip
BY_GROUP = {
    "source": "docs", "sync": "docs", "plan": "docs", "job": "last", "doc": "a.txt", "errors": "broken.docx",
    "credential": "keys", "collection": "new", "search": "words",
    "embed": "default", "reembed": "default", "embedder": "tiny", "reranker": "cross",
}  # fmt: skip
SECRET = "password=env:KEYS_PASSWORD"
BY_COMMAND = {"credential add": "more", "source add": "more", "collection add": "new"}
"""What a text fills in, by what the command is about."""
IN_COMMAND = {
    **dict.fromkeys([("doc restore", word) for word in (HOLE, "DOCUMENT", "DOCUMENTS")], "removed.txt"),
    **dict.fromkeys([("embedder add", word) for word in (HOLE, "TYPE")], "static"),
    ("embedder add", "NAME"): "more",
    **dict.fromkeys([("reranker add", word) for word in (HOLE, "TYPE")], "onnx"),
    ("reranker add", "NAME"): "more",
    (f"source {HOLE}", HOLE): "edit",
    **dict.fromkeys([("collection prefs", word) for word in (HOLE, "NAME")], "default"),
    **dict.fromkeys([("collection restore", word) for word in (HOLE, "NAME")], "removed"),
    **dict.fromkeys([(f"collection {verb}", HOLE) for verb in ("edit", "remove", "show", "use")], "leaving"),
    ("collection remove", "NAME"): "leaving",
    **dict.fromkeys([("doc folders", word) for word in (HOLE, "SOURCE/PATH")], "docs"),
    ("serve token", "NAME"): "more",
    ("serve token", HOLE): "reader",
    ("upload -", "NAME"): "report.txt",
    ("backup FILE", "FILE"): "two.tar.zst",
    ("audit check", "FILE"): "audit.jsonl",
    ("audit export", "FILE"): "more.jsonl",
    ("restore FILE", "FILE"): "one.tar.zst",
    ("restore FILE", "FOLDER"): "restored",
}
"""What a person gives for a word in one command alone."""
OF_OTHER_TESTS = re.compile("--bucket|--folder|--ask|--watch|service install|^mcp|^serve$")
"""What asks a service, or a person without another way, writes outside of the workspace, or serves until it is told."""
OF_WEB = {"--allow-private", "--credential"}
"""Settings that the folder of these tests does not have, and a web site has."""
ANSWERS = {
    "credential add": ("--set", "username=me", "--secret", SECRET),
    "embedder add": ("--path", "model"),
    "reranker add": ("--path", "cross"),
    "source add": ("--path", "more"),
}
"""What a person adds whom the command asks, or who is shown its help."""


def commands() -> list[str]:
    """Return each command once, with a hole for whatever a text fills in."""
    named = {" ".join(words_of(one.command)) for one in named_in_source()}
    return sorted(one for one in named if one and one[0] != "-" and not OF_OTHER_TESTS.search(one))


def filled(command: str) -> list[str]:
    """Return the words of a command with what a person gives."""
    words = command.split(" ")
    if words == [HOLE]:  # the list that showed nothing of what it was asked for
        return ["doc", "list"]
    if words[:2] == ["source", "edit"] and not OF_WEB.isdisjoint(words):
        words = ["site" if word == "SOURCE" else word for word in words]
    if words[0] == HOLE:  # what embedders and rerankers have in common
        words[0] = "embedder"
    return [_given(word, before, " ".join(words[:2])) for before, word in zip(("", *words), words, strict=False)]


def _given(word: str, before: str, command: str) -> str:
    """Return what a person gives for a word of a command, or the word."""
    group = command.partition(" ")[0]
    if before == "--type" and group == "credential":
        return "basic"
    if before == "--to" and command == "doc rollback":
        return "1"
    if before in AFTER_OPTION:
        return AFTER_OPTION[before]
    if (command, word) in IN_COMMAND:
        return IN_COMMAND[command, word]
    if word in {HOLE, "NAME"}:
        return BY_COMMAND.get(command, BY_GROUP.get(group, ""))
    return WRITTEN.get(word, word)


class Place:
    """A workspace with a document, one that failed, one that a person removed, a credential and two jobs."""

    def __init__(self, home: Path) -> None:
        self.home, self.root = home / "here", home / "here" / "workspace"
        self.docs, self._kept = self.home / "docs", home / "kept"

    def __call__(self, *words: str) -> int:
        """Run a command and return how it ended."""
        return run(["--workspace", str(self.root), *words])

    def prepare(self) -> None:
        """Make it, once for all commands."""
        for folder in (self.docs / "gone", self.home / "more"):
            folder.mkdir(parents=True)
        os.chdir(self.home)
        Path("note.txt").write_text("words of a note")
        Path("queries.txt").write_text("the first words\n")
        (self.docs / "a.txt").write_text("the first words")
        (self.docs / "removed.txt").write_text("what a person removes")
        for number in range(12):
            (self.docs / "gone" / f"{number}.txt").write_text(f"document {number}")
        shutil.copy(SAMPLES / "special-cases" / "broken.docx", self.docs)
        assert self("init") == 0
        assert self("source", "add", "local", "docs", "--path", "docs") == 0
        assert self("source", "add", "web", "site", "--url", "https://example.org/") == 0
        assert self("source", "disable", "site") == 0
        assert self("collection", "add", "removed") == self("collection", "remove", "removed", "--yes") == 0
        assert self("collection", "add", "leaving") == 0
        make_static_model(Path("model"))
        assert self("embedder", "add", "static", "tiny", "--path", "model") == 0
        make_cross_encoder(Path("cross"))
        assert self("reranker", "add", "onnx", "cross", "--path", "cross") == 0
        assert self("credential", "add", "keys", "--type", "basic", "--set", "username=me", "--secret", SECRET) == 0
        assert self("serve", "token", "add", "reader") == 0
        assert self("sync", "docs") in DONE
        (self.docs / "a.txt").write_text("the second words")
        assert self("sync", "docs") in DONE
        assert self("doc", "remove", str(self.docs / "removed.txt"), "--yes") == 0
        assert self("backup", "one.tar.zst") == 0
        assert self("audit", "export", "audit.jsonl") == 0
        shutil.copytree(self.home, self._kept)

    def put_back(self) -> None:
        """Make it what it was before a command."""
        os.chdir(self._kept)
        shutil.rmtree(self.home)
        shutil.copytree(self._kept, self.home)
        os.chdir(self.home)

    def bring_about(self, state: str) -> None:
        """Make the last job one of the state."""
        if state == "chosen":
            assert self("embedder", "use", "tiny", "--collection", "default") == 0
        elif state in {"built", "switched"}:
            assert self("embedder", "use", "tiny", "--collection", "default") == 0
            assert self("embed", "default") == 0
            assert self("reembed", "default", *(("--no-switch",) if state == "built" else ())) == 0
        elif state == "held":
            shutil.rmtree(self.docs / "gone")
            assert self("sync", "docs") == 6
        elif state in {"queued", "paused"}:
            assert self("sync", "docs", "--detach") == 0
            if state == "paused":
                assert self("job", "pause", "last") == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The one place, put back before each command."""
    here = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYS_PASSWORD", "of no importance")
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))  # no unit file of whoever runs this
        made = Place(tmp_path_factory.mktemp("named"))
        try:
            made.prepare()
            yield made
        finally:
            made("worker", "stop")
            os.chdir(here)


@pytest.mark.parametrize("command", commands())
def test_a_command_that_the_program_names_runs(place: Place, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands, but for what a person gives, it does what the text says it does."""
    place.put_back()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"words that are typed")))
    words = filled(command)
    place.bring_about(STATES.get(command, STATES.get(" ".join(words[:2]), "")))
    if words[0] in {"init", "demo"}:
        words = ["--workspace", str(place.home / "another"), *words]
    if "--help" not in words:
        words += ("--yes",) if asks(words) else ANSWERS.get(" ".join(words[:2]), ())
    if words == ["source", "edit", "docs"]:
        words += ("--priority", "5")
    assert run(["--workspace", str(place.root), *words]) in DONE | {NOTHING_YET.get(command, 0)}
    if words == ["worker", "start"]:
        assert place("worker", "stop") == 0


def asks(words: list[str]) -> bool:
    """Whether the command asks before it does something, which a person then confirms."""
    command: click.Command | None = cli
    context = click.Context(cli)
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(context, word)
    return command is not None and any("--yes" in param.opts for param in command.get_params(context))
