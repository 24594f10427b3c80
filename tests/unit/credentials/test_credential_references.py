"""References: each form is looked up when it is used, each failure says what to do, none shows a secret."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest
from keyring.backends import fail

from ingest_tui.credentials.references import (
    Reference,
    ResolveContext,
    check_reference,
    literal,
    parse_reference,
    resolve_reference,
)
from ingest_tui.model.errors import AuthenticationError, IngestError, MissingDependencyError, RefusedError
from ingest_tui.model.redaction import redact
from tests.waiting import wait_until

PYTHON = sys.executable


class FakeKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1.0

    def __init__(self, passwords: dict[tuple[str, str], str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.passwords = passwords

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.passwords[service, username]


def resolved(text: str, folder: Path, *, seconds: float = 10, also: tuple[str, ...] = (), **environment: str) -> str:
    around = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    context = ResolveContext(folder, around, also, seconds)
    return resolve_reference(parse_reference(text), context, what="password of credential 'wiki'")


def secret_file(path: Path, content: str | bytes = "hunter22\n", mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("env:NAME", "env", "NAME"),
        ("file:~/a b", "file", "~/a b"),
        ("keyring:service/user", "keyring", "service/user"),
        ("command:pass show x", "command", "pass show x"),
        ("hunter2", "literal", "hunter2"),
        ("https://host/path", "literal", "https://host/path"),
        ("literal:env:NAME", "literal", "env:NAME"),
        ("ENV:NAME", "literal", "ENV:NAME"),
    ],
)
def test_the_prefix_tells_the_form(text: str, kind: str, target: str) -> None:
    """What begins with a known prefix is a reference, anything else is the secret itself."""
    assert parse_reference(text) == Reference(kind, target)


@pytest.mark.parametrize("value", ["plain", "env:NAME", "command:rm -rf /", "literal:x", "a:b", ""])
def test_a_literal_survives_being_written_down(value: str) -> None:
    """However a literal looks, what is written for it is read as that literal: it is never run or looked up."""
    assert parse_reference(literal(value)) == Reference("literal", value)


def test_what_is_shown_of_a_reference_holds_no_secret() -> None:
    """Literals and the arguments of commands are not shown; places are; the representation shows nothing."""
    shown = {text: parse_reference(text).shown for text in ("env:A", "file:/b", "keyring:c/d", "e", "command:/x/y")}
    assert list(shown.values()) == ["env:A", "file:/b", "keyring:c/d", "literal", "command:y"]
    assert parse_reference("command:curl -u me:hunter2 host").shown == "command:curl …"
    assert "hunter2" not in repr(parse_reference("hunter2"))


@pytest.mark.parametrize("text", ["env:", "env:A-B", "env:hunter2 ", "file:", "keyring:x", "keyring:/x", "command:",
                                  "command:a 'b", "literal:"])  # fmt: skip
def test_a_reference_that_can_never_work_is_refused_without_quoting_it(text: str) -> None:
    """Broken references are told by their form; what follows the prefix is not quoted, since it may be a secret."""
    with pytest.raises(IngestError) as caught:
        check_reference(parse_reference(text))
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"
    assert "references: env:NAME" in caught.value.hint


def test_an_environment_variable_is_read_each_time(tmp_path: Path) -> None:
    """env: gives the variable as it is now; one that is missing or empty is an error that names it."""
    assert resolved("env:WIKI", tmp_path, WIKI="first") == "first"
    assert resolved("env:WIKI", tmp_path, WIKI="second\n") == "second\n"
    environments: tuple[dict[str, Any], ...] = ({}, {"WIKI": ""})
    for environment in environments:
        with pytest.raises(AuthenticationError, match="password of credential 'wiki': env:WIKI is") as caught:
            resolved("env:WIKI", tmp_path, **environment)
        assert caught.value.reason == "credential_unresolved"


@pytest.mark.parametrize(
    ("content", "value"), [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a\r", " a\r")]
)
def test_one_line_end_is_taken_off_a_file(tmp_path: Path, content: str, value: str) -> None:
    """Editors and `echo` add one line end; nothing else of a file is changed."""
    secret_file(tmp_path / "token", content)
    assert resolved("file:token", tmp_path) == value


def test_paths_of_files_are_relative_to_the_credentials_or_home(tmp_path: Path) -> None:
    """A relative path starts at the credentials file wherever the program runs; ~ is the home folder."""
    (tmp_path / "home").mkdir()
    secret_file(tmp_path / "here", "from the folder")
    secret_file(tmp_path / "home" / "there", "from home")
    assert resolved("file:here", tmp_path) == "from the folder"
    assert resolved(f"file:{tmp_path}/here", Path("/")) == "from the folder"
    assert resolved("file:~/there", tmp_path, HOME=str(tmp_path / "home")) == "from home"


@pytest.mark.parametrize(("mode", "accepted"), [(0o600, True), (0o400, True), (0o640, True), (0o620, False),
                                                (0o602, False), (0o604, False), (0o644, False)])  # fmt: skip
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int, accepted: bool) -> None:
    """A secret's file may be read by its group at most, and written by its owner only; the hint fixes it."""
    secret_file(tmp_path / "token", mode=mode)
    if accepted:
        assert resolved("file:token", tmp_path) == "hunter22"
        return
    with pytest.raises(RefusedError, match="can be read or changed by other users") as caught:
        resolved("file:token", tmp_path)
    assert caught.value.hint.startswith(f"chmod 600 {tmp_path}/token")


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A FIFO without a writer, a folder and a missing file end at once, with an error that names the reference."""
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder"):
        with pytest.raises(RefusedError, match="not a regular file"):
            resolved(f"file:{name}", tmp_path)
    with pytest.raises(AuthenticationError, match="file:missing cannot be read: No such file"):
        resolved("file:missing", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00", b"x" * 1_048_577])
def test_files_without_a_usable_secret_are_reported(tmp_path: Path, content: bytes) -> None:
    """Empty, binary and huge files are refused instead of being sent somewhere as a password."""
    secret_file(tmp_path / "token", content)
    with pytest.raises(IngestError):
        resolved("file:token", tmp_path)


def test_a_mounted_secret_may_be_world_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Container runtimes mount secrets world-readable below /run/secrets; writable ones are refused there too."""
    monkeypatch.setattr("ingest_tui.credentials.references._MOUNTED_SECRETS", (f"{tmp_path}/run/secrets/",))
    (tmp_path / "run" / "secrets").mkdir(parents=True)
    mounted = secret_file(tmp_path / "run" / "secrets" / "token", mode=0o444)
    assert resolved("file:run/secrets/token", tmp_path) == "hunter22"
    secret_file(tmp_path / "token", mode=0o444)
    with pytest.raises(RefusedError):
        resolved("file:run/secrets/../../token", tmp_path)
    mounted.chmod(0o666)
    with pytest.raises(RefusedError):
        resolved("file:run/secrets/token", tmp_path)


def test_the_keyring_is_asked(tmp_path: Path) -> None:
    """keyring:SERVICE/USER asks the keyring of the desktop; the error for a missing entry has the command to add it."""
    before = keyring.get_keyring()
    keyring.set_keyring(FakeKeyring({("https://wiki/x", "me"): "from the keyring"}))
    try:
        assert resolved("keyring:https://wiki/x/me", tmp_path) == "from the keyring"
        with pytest.raises(AuthenticationError, match="is not in the keyring") as caught:
            resolved("keyring:wiki/you", tmp_path)
        assert caught.value.hint == "'keyring set wiki you' puts it there"
        keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
        with pytest.raises(AuthenticationError, match=r"cannot be asked for \(NoKeyringError\)"):
            resolved("keyring:wiki/me", tmp_path)
    finally:
        keyring.set_keyring(before)


def test_without_the_keyring_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where keyring is not installed the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingDependencyError) as caught:
        resolved("keyring:wiki/me", tmp_path)
    assert caught.value.hint == 'pip install "ingest-tui[keyring]"'


def test_a_command_is_run_without_a_shell(tmp_path: Path) -> None:
    """command: gives what the program prints, without one line end; shell syntax is handed over as it is."""
    assert resolved(f"command:{PYTHON} -c 'print(\"a b\")'", tmp_path) == "a b"
    assert resolved("command:echo $HOME ; `id` > x", tmp_path) == "$HOME ; `id` > x"
    assert not (tmp_path / "x").exists()
    program = tmp_path / "hand-out"
    program.write_text("#!/bin/sh\npwd\n")
    program.chmod(0o700)
    assert resolved("command:./hand-out", tmp_path) == str(tmp_path)


def test_a_command_gets_a_clean_environment(tmp_path: Path) -> None:
    """A program gets PATH, HOME and what it is known to need; other variables only when the entry names them."""
    program = f"command:{PYTHON} -c 'import os; print(\" \".join(sorted(os.environ)))'"
    ours: dict[str, Any] = {"LANG": "C.UTF-8", "XDG_RUNTIME_DIR": "/run"}
    ours |= {"WIKI_PASSWORD": "x", "VAULT_TOKEN": "x", "AWS_PROFILE": "x"}
    plain = set(resolved(program, tmp_path, **ours).split())
    assert {"PATH", "HOME", "LANG", "XDG_RUNTIME_DIR"} <= plain
    assert plain.isdisjoint({"WIKI_PASSWORD", "VAULT_TOKEN", "AWS_PROFILE"})
    assert "WIKI_PASSWORD" in resolved(program, tmp_path, also=("WIKI_PASSWORD",), **ours).split()
    vault = tmp_path / "vault"
    vault.symlink_to("/usr/bin/env")
    told = resolved("command:./vault", tmp_path, **ours)
    assert "VAULT_TOKEN=x" in told
    assert "AWS_PROFILE" not in told


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """After the timeout the program and what it started are gone, and the error says how long it was waited for."""
    mark = f"mark-{os.getpid()}-{time.time_ns()}"
    began = time.monotonic()
    with pytest.raises(AuthenticationError, match=r"command:sh … gave no answer within 0\.3 seconds"):
        resolved(
            f"command:sh -c 'sh -c \"sleep 20; : {mark}\" & echo secret; sleep 20; : {mark}'", tmp_path, seconds=0.3
        )
    assert time.monotonic() - began < 5
    wait_until(lambda: not _is_somewhere(mark), what="neither the program nor its child lives")


def _is_somewhere(mark: str) -> bool:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                if mark.encode() in (folder / "cmdline").read_bytes():
                    return True
            except OSError:
                continue
    return False


def test_an_agent_that_stays_behind_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    """The answer is there when the program ends, though something it left behind keeps the pipe open."""
    began = time.monotonic()
    assert resolved("command:sh -c 'sleep 3 & echo quick'", tmp_path) == "quick"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("sh -c 'echo SECRET; echo SECRET >&2; exit 3'", "command:sh … ended with exit code 3"),
        ("sh -c 'echo SECRET; kill -9 $$'", "command:sh … was ended by signal 9"),
        ("no-such-program SECRET", "command:no-such-program … cannot be started"),
        ("true", "command:true is empty"),
        ("head -c 2000000 /dev/zero", "command:head … printed more than 1 MiB"),
        ("printf '\\377\\376'", "command:printf … is not text in UTF-8"),
    ],
)
def test_a_command_that_fails_is_reported_without_what_it_printed(tmp_path: Path, command: str, told: str) -> None:
    """Exit code, signal, missing program, empty or huge output: told without its arguments, stdout or stderr."""
    with pytest.raises(AuthenticationError) as caught:
        resolved(f"command:{command}", tmp_path)
    assert told in caught.value.message
    assert "SECRET" not in f"{caught.value.message}{caught.value.hint}{caught.value.context}"


def test_every_resolved_secret_is_remembered_for_redaction(tmp_path: Path) -> None:
    """What was resolved once is taken out of any text, of a certificate each line too."""
    secret_file(tmp_path / "pem", "-----BEGIN X-----\nMIIEvAIBADANBgkqhkiG9w0B\n-----END X-----\n")
    resolved("file:pem", tmp_path)
    resolved("env:WIKI", tmp_path, WIKI="remembered-from-the-environment")
    resolved("command:echo remembered-from-a-command", tmp_path)
    resolved("remembered-literal", tmp_path)
    text = "a MIIEvAIBADANBgkqhkiG9w0B b remembered-from-the-environment remembered-from-a-command remembered-literal"
    assert "remembered" not in redact(text)
    assert "MIIEvA" not in redact(text)
    assert redact("-----BEGIN X-----") == "-----BEGIN X-----"


def test_the_helper_inherits_no_open_file(tmp_path: Path) -> None:
    """A program sees only its own three streams: no file of ours, such as the credentials, is open in it."""
    with secret_file(tmp_path / "open").open() as held:
        os.set_inheritable(held.fileno(), True)
        assert stat.S_ISREG(os.fstat(held.fileno()).st_mode)
        listed = resolved(f"command:{PYTHON} -c 'import os; print(os.listdir(\"/proc/self/fd\"))'", tmp_path)
    assert str(held) not in listed
    assert len(listed.split(",")) <= 4
