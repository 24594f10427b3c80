"""The registry file: private or refused, read again when it changes, written durably, what is unknown is kept."""

from __future__ import annotations

import copy
import json
import os
import pickle
import stat
import threading
import time
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.file import read_credentials_file
from ingest_tui.model.errors import (
    AuthenticationError,
    ConflictError,
    IngestError,
    NotFoundError,
    RefusedError,
    SchemaVersionError,
    StoreError,
    UsageError,
    ValidationError,
)

Write = Callable[..., CredentialRegistry]
WIKI = {"type": "basic", "username": "reader", "password": "hunter2"}
EXAMPLE = Path(__file__).parents[3] / "credentials.example.json"


def test_the_example_is_valid(path: Path) -> None:
    """Every entry of credentials.example.json is of a known type, well-formed, and holds no literal secret."""
    path.write_bytes(EXAMPLE.read_bytes())
    path.chmod(0o600)
    registry = CredentialRegistry(path)
    entries = registry.entries()
    assert {entry.type for entry in entries} == {"aws", "entra", "basic", "token", "api_key", "oauth", "rclone"}
    assert [(entry.problem, entry.literals) for entry in entries] == [("", ())] * len(entries)
    forms = {text.partition(":")[0] for entry in entries for text in entry.fields.values()}
    assert {"env", "file", "keyring", "command"} <= forms
    assert registry.get("archive-s3").expires == date(2027, 6, 30)


def test_a_credential_gives_plain_fields_and_resolved_secrets(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """`get` gives plain fields and defaults as they are and looks secrets up at each call."""
    registry = write(key={"type": "api_key", "api_key": "env:KEY", "unheard_of": "x"})
    credential = registry.get("key")
    monkeypatch.setenv("KEY", "first")
    assert (credential.get("header"), credential.get("api_key")) == ("X-API-Key", "first")
    monkeypatch.setenv("KEY", "second")
    assert credential.require("api_key") == "second"
    assert credential.get("unheard_of", "default") == "default"
    assert (credential.type, credential.secrets) == ("api_key", ("api_key",))


def test_a_missing_field_is_named(write: Write) -> None:
    """`require` names the field and the command that sets it."""
    registry = write(keys={"type": "aws", "access_key_id": "a", "secret_access_key": "b"})
    with pytest.raises(AuthenticationError, match="credential 'keys' has no session_token") as caught:
        registry.get("keys").require("session_token")
    assert caught.value.reason == "credential_incomplete"
    assert "credential set keys" in caught.value.hint


def test_an_unknown_name_shows_the_known_ones(write: Write, tmp_path: Path) -> None:
    """An unknown name gives the known ones and the command that adds it, also where there is no file yet."""
    with pytest.raises(NotFoundError) as caught:
        write(wiki=WIKI, other=WIKI).get("wiky")
    assert "known: wiki, other" in caught.value.hint
    assert "credential add wiky --type TYPE" in caught.value.hint
    with pytest.raises(NotFoundError):
        CredentialRegistry(tmp_path / "nowhere.json").get("wiki")
    assert CredentialRegistry(tmp_path / "nowhere.json").names() == []


def test_a_credential_shows_no_secret_and_cannot_leave_the_process(write: Write) -> None:
    """Neither text nor pickle nor copy of a credential or registry has a secret in it."""
    registry = write(wiki=WIKI)
    credential = registry.get("wiki")
    for thing in (credential, registry):
        assert "hunter2" not in f"{thing!r}{thing!s}"
        assert not hasattr(thing, "__dict__") or "hunter2" not in repr(vars(thing))
        for leave in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                leave(thing)
    assert repr(credential) == "<Credential 'wiki' of type 'basic'>"


def test_the_file_is_read_again_only_when_it_changed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays as it is is parsed once, however often a connector asks."""
    registry = write(wiki=WIKI)
    os.utime(registry.path, (1_700_000_000, 1_700_000_000))
    monkeypatch.setattr("ingest_tui.credentials.credential_registry._TICK_NS", 0)
    reads: list[Path] = []
    monkeypatch.setattr("ingest_tui.credentials.credential_registry.read_credentials_file", _counted(reads))
    for _ in range(5):
        registry.get("wiki")
    assert len(reads) == 1


def _counted(reads: list[Path]) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        reads.append(path)
        return read_credentials_file(path)

    return read


@pytest.mark.parametrize("seconds_between", [0, 0.06])
def test_a_rotated_secret_is_seen_at_the_next_get(write: Write, seconds_between: float) -> None:
    """Replaced by rename, or written in place with the same length, at once or later: `get` has the new secret."""
    registry = write(wiki=WIKI, other=WIKI)
    before, other = registry.get("wiki"), registry.get("other")
    assert before.get("password") == "hunter2"
    for password in ("hunter3", "hunter4", "hunter5"):
        time.sleep(seconds_between)  # past the tick of the clock that stamps files, it is no longer read each time
        registry.get("wiki")
        text = registry.path.read_text().replace(str(registry.get("wiki").get("password")), password, 1)
        registry.path.write_text(text)
        assert registry.get("wiki").get("password") == password
    replacement = registry.path.with_name("new")
    replacement.write_text(registry.path.read_text().replace("hunter5", "hunter6", 1))
    replacement.chmod(0o600)
    replacement.rename(registry.path)
    after = registry.get("wiki")
    assert after.get("password") == "hunter6"
    assert before.get("password") == "hunter2", "a credential in use does not change under its user"
    assert after.digest != before.digest
    assert registry.get("other").digest == other.digest
    assert registry.get("wiki").digest == after.digest


def test_a_change_that_leaves_no_trace_in_the_status_is_seen(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written again within one tick of the clock, a file looks unchanged: a fresh one is read each time."""
    registry = write(wiki=WIKI)
    monkeypatch.setattr("ingest_tui.credentials.credential_registry._TICK_NS", 60_000_000_000)
    assert registry.get("wiki").get("password") == "hunter2"
    seen = read_credentials_file(registry.path).identity
    monkeypatch.setattr("ingest_tui.credentials.credential_registry.identity_of", lambda _path: seen)
    registry.path.write_text(registry.path.read_text().replace("hunter2", "hunter3"))
    assert registry.get("wiki").get("password") == "hunter3"


def test_a_digest_cannot_be_guessed_from_the_entry(write: Write) -> None:
    """The digest is keyed, so that nobody can try weak passwords against one that was written down."""
    import hashlib

    digest = write(wiki=WIKI).get("wiki").digest
    written = json.dumps(WIKI, sort_keys=True).encode()
    assert digest not in {hashlib.blake2b(written, digest_size=16).hexdigest(), hashlib.sha256(written).hexdigest()}


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o610, 0o777])
def test_a_file_that_is_not_private_is_refused(write: Write, mode: int) -> None:
    """Any right of group or others on the file refuses it, with the command that fixes it; also when it changes."""
    registry = write(wiki=WIKI)
    registry.get("wiki")
    registry.path.chmod(mode)
    for ask in (lambda: registry.get("wiki"), registry.names, registry.entries, lambda: registry.remove("wiki")):
        with pytest.raises(RefusedError) as caught:
            ask()
        assert caught.value.hint.startswith(f"chmod 600 {registry.path}")
        assert caught.value.exit_code == 6
    registry.path.chmod(0o400)
    assert registry.get("wiki").get("password") == "hunter2"


def test_a_file_of_another_user_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another user owns could be changed by them at any time."""
    registry = write(wiki=WIKI)
    owner = registry.path.stat().st_uid
    monkeypatch.setattr("ingest_tui.credentials.private_files.os.geteuid", lambda: owner + 1)
    with pytest.raises(RefusedError, match="belongs to another user"):
        registry.get("wiki")


def test_only_a_regular_file_is_read(path: Path) -> None:
    """A FIFO and a folder in the place of the file are refused at once instead of waited for."""
    os.mkfifo(path, 0o600)
    with pytest.raises(RefusedError, match="not a regular file"):
        CredentialRegistry(path).names()
    path.unlink()
    path.mkdir(0o700)
    with pytest.raises(RefusedError, match="not a regular file"):
        CredentialRegistry(path).names()


def test_a_link_counts_as_what_it_leads_to_and_is_kept(write: Write, tmp_path: Path) -> None:
    """A link to a private file is followed and a change replaces its target; one that is not private is refused."""
    target = write(wiki=WIKI).path
    link = tmp_path / "link.json"
    link.symlink_to(target)
    registry = CredentialRegistry(link)
    registry.add("more", WIKI)
    assert link.is_symlink()
    assert CredentialRegistry(target).names() == ["wiki", "more"]
    target.chmod(0o644)
    with pytest.raises(RefusedError):
        registry.get("wiki")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n"schema_version": 1,\n"credentials": {"a": {"password": "hunter2}}\n}', "line 3, column"),
        ('{"schema_version": 1, "credentials": {"a": {"password": hunter2}}}', "line 1, column 5"),
        ("", "line 1, column 1"),
        ("[]", "names no schema_version"),
        ('{"credentials": {}}', "names no schema_version"),
        ('{"schema_version": 1}', "has no 'credentials'"),
        ('{"schema_version": 1, "credentials": ["hunter2"]}', "has no 'credentials'"),
        ('{"schema_version": 1, "credentials": {"a": {}, "a": {"password": "hunter2"}}}', "has 'a' twice"),
        ('{"schema_version": 1, "credentials": ' + "[" * 100_000, "nested too deeply"),
        ('{"schema_version": 1, "credentials": {"a": "\udcff"}}', "not text in UTF-8"),
    ],
    ids=["quote", "bare", "empty", "list", "no-schema", "no-credentials", "listed", "doubled", "deep", "bytes"],
)
def test_a_damaged_file_is_reported_by_its_place_and_left_alone(path: Path, text: str, told: str) -> None:
    """What is wrong is reported with its line, never quoted; reading, adding and removing leave the file as it is."""
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(0o600)
    before = path.read_bytes()
    registry = CredentialRegistry(path)
    for ask in (registry.names, lambda: registry.add("b", WIKI), lambda: registry.remove("a")):
        with pytest.raises(StoreError) as caught:
            ask()
        assert told in caught.value.message
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert path.read_bytes() == before


def test_a_file_of_a_newer_program_is_refused_untouched(path: Path) -> None:
    """A newer schema version is neither read nor written."""
    path.write_text('{"schema_version": 2, "credentials": {}}')
    path.chmod(0o600)
    registry = CredentialRegistry(path)
    for ask in (registry.names, lambda: registry.add("b", WIKI)):
        with pytest.raises(SchemaVersionError):
            ask()
    assert path.read_text() == '{"schema_version": 2, "credentials": {}}'


def test_entries_are_added_changed_and_removed_durably(path: Path) -> None:
    """Each change is in the file when the call returns, 0600, and other entries stay as they are."""
    registry = CredentialRegistry(path)
    registry.add("wiki", WIKI)
    registry.add("key", {"type": "api_key", "api_key": "env:KEY"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    registry.replace("wiki", {"type": "token", "token": "env:TOKEN"})
    registry.change("key", {"header": "X-Key", "description": "é"}, drop=())
    written = json.loads(path.read_text())
    assert written == {
        "schema_version": 1,
        "credentials": {
            "wiki": {"type": "token", "token": "env:TOKEN"},
            "key": {"type": "api_key", "api_key": "env:KEY", "header": "X-Key", "description": "é"},
        },
        "revision": 4,
    }
    registry.change("key", {}, drop=("header",))
    registry.remove("wiki")
    assert json.loads(path.read_text())["credentials"].keys() == {"key"}
    assert "header" not in json.loads(path.read_text())["credentials"]["key"]
    assert [item.name for item in path.parent.iterdir() if item.name.startswith(".tmp.")] == []


def test_a_change_keeps_what_this_program_does_not_understand(path: Path) -> None:
    """Unknown fields of the file and of entries, entries of unknown types, and the order survive a change."""
    content: dict[str, Any] = {
        "schema_version": 1,
        "comment": "ours",
        "credentials": {
            "z": {"type": "kerberos", "keytab": "x"},
            "broken": {"type": "basic"},
            "odd": 7,
            "wiki": {**WIKI, "owner": "team"},
        },
    }
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    registry = CredentialRegistry(path)
    registry.change("wiki", {"username": "writer"})
    registry.add("new", WIKI)
    expected = copy.deepcopy(content)
    expected["credentials"]["wiki"]["username"] = "writer"
    expected["credentials"]["new"] = WIKI
    expected["revision"] = 2
    assert path.read_text() == json.dumps(expected, indent=2) + "\n"


def test_what_cannot_be_added_is_refused_and_nothing_is_written(write: Write) -> None:
    """A taken or impossible name, an incomplete entry, a broken reference and an unknown type change nothing."""
    registry = write(wiki=WIKI)
    before = registry.path.read_bytes()
    for name, entry, expected in (
        ("wiki", WIKI, UsageError),
        ("../wiki", WIKI, ValidationError),
        ("b", {"type": "basic", "username": "x"}, ValidationError),
        ("b", {**WIKI, "password": "env:not a name"}, ValidationError),
        ("b", {**WIKI, "expires": "soon"}, ValidationError),
        ("b", {"type": "kerberos"}, RefusedError),
        ("b", {}, RefusedError),
    ):
        with pytest.raises(expected):
            registry.add(name, entry)
    with pytest.raises(ValidationError):
        registry.change("wiki", {"password": ""})
    with pytest.raises(NotFoundError):
        registry.replace("nobody", WIKI)
    with pytest.raises(NotFoundError):
        registry.remove("nobody")
    assert registry.path.read_bytes() == before


def test_entries_that_cannot_be_used_do_not_harm_the_others(write: Write) -> None:
    """Unknown types, broken entries and odd values are listed with their problem, and refused only when used."""
    registry = write(
        kerberos={"type": "kerberos", "keytab": "hunter2", "description": "later"},
        broken={"type": "basic", "username": "x", "pasword": "hunter2"},
        listed={"type": "basic", "username": "x", "password": ["hunter2"]},
        late={**WIKI, "expires": "hunter2"},
        odd="hunter2",
        wiki=WIKI,
    )
    entries = {entry.name: entry for entry in registry.entries()}
    assert [name for name, entry in entries.items() if entry.problem] == ["kerberos", "broken", "listed", "late", "odd"]
    assert (entries["kerberos"].is_known, entries["kerberos"].description) == (False, "later")
    assert "hunter2" not in repr(entries)
    assert registry.get("wiki").get("username") == "reader"
    for name, reason in (
        ("kerberos", "credential_type_unknown"),
        ("broken", "credential_invalid"),
        ("listed", "credential_invalid"),
        ("late", "credential_invalid"),
        ("odd", "store"),
    ):
        with pytest.raises(IngestError) as caught:
            registry.get(name)
        assert caught.value.reason == reason
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_what_is_shown_of_an_entry(write: Write) -> None:
    """Plain fields are shown, secrets by reference, unknown fields by name only, addresses without their query."""
    registry = write(
        portal={
            "type": "oauth", "token_url": "https://login.example.org/token?key=hunter2", "client_id": "me",
            "client_secret": "command:print hunter2", "secret": "hunter2", "command_environment": ["A", "B"],
        }
    )  # fmt: skip
    assert registry.entry("portal").fields == {
        "token_url": "https://login.example.org/token",
        "client_id": "me",
        "client_secret": "command:print …",
        "secret": "… (not a field of this type)",
        "command_environment": "A, B",
    }


def test_changes_by_many_at_once_are_all_kept(path: Path) -> None:
    """Threads and registries that add at the same time lose nothing of each other."""

    def add_five(first: int) -> None:
        registry = CredentialRegistry(path)
        for number in range(first, first + 5):
            registry.add(f"wiki-{number}", WIKI)

    threads = [threading.Thread(target=add_five, args=(first,)) for first in (0, 5, 10, 15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(CredentialRegistry(path).names()) == sorted(f"wiki-{number}" for number in range(20))


def test_files_that_entries_refer_to_are_known(write: Write, tmp_path: Path) -> None:
    """`secret_paths` gives the files of an entry, relative ones from the credentials file on; none for others."""
    registry = write(
        cert={"type": "entra", "tenant_id": "t", "client_id": "c", "certificate": "file:a.pem",
              "certificate_password": "file:/b"},
        kerberos={"type": "kerberos", "keytab": "file:x"},
    )  # fmt: skip
    assert registry.secret_paths("cert") == [tmp_path / "a.pem", Path("/b")]
    assert registry.secret_paths("kerberos") == []


def test_whoever_is_late_is_told_and_changes_nothing(write: Write, path: Path) -> None:
    """A change or removal of an entry that somebody else has changed since is refused; no secret is in the message."""
    registry = write(wiki=WIKI, other=WIKI)
    seen = registry.entry("wiki")
    registry.change("wiki", {"username": "writer", "password": "s3cret-of-theirs"})
    with pytest.raises(ConflictError) as caught:
        registry.change("wiki", {"username": "nobody"}, based_on=seen)
    assert caught.value.exit_code == 5
    assert "username: theirs writer, yours nobody" in caught.value.message
    assert "s3cret" not in json.dumps(caught.value.as_dict())
    with pytest.raises(ConflictError):
        registry.remove("wiki", based_on=seen)
    assert registry.entry("wiki").fields["username"] == "writer"
    registry.change("other", {"username": "x"}, based_on=registry.entry("other"))
    registry.remove("wiki", based_on=registry.entry("wiki"))
    with pytest.raises(ConflictError, match="removed"):
        registry.change("wiki", {"username": "nobody"}, based_on=seen)
    assert json.loads(path.read_text())["revision"] == 3


def test_an_entry_edited_by_hand_counts_as_changed(write: Write, path: Path) -> None:
    """Only the secret was changed in the file itself: what was seen is no longer what is there."""
    registry = write(wiki=WIKI)
    seen = registry.entry("wiki")
    content = json.loads(path.read_text())
    content["credentials"]["wiki"]["password"] = "typed by hand"
    path.write_text(json.dumps(content))
    with pytest.raises(ConflictError):
        registry.change("wiki", {"description": "mine"}, based_on=seen)
    assert json.loads(path.read_text()) == content
