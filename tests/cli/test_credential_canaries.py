"""Secrets are found nowhere: planted ones of every type and form, while everything around them goes wrong."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.running import SAMPLES, Cli, descendants
from tests.cli.talking import talk
from tests.identity_server import Answer, IdentityServer, Request

pytestmark = pytest.mark.slow

# Where each canary is planted.
PLANTED = (
    "aws-id-literal", "aws-secret-env", "aws-session-file", "entra-secret-keyring", "entra-secret-wrong-pem",
    "entra-password-command", "basic-literal", "basic-command-fails", "basic-command-stderr",
    "basic-command-argument", "basic-command-hangs", "token-open-file", "token-literal-prefix", "token-binary",
    "token-broken-env", "key-keyring", "key-typed", "keyring-error", "oauth-refused", "oauth-granted",
    "oauth-access-token", "oauth-body", "piped", "on-argv", "unknown-type", "misspelt-field", "wrong-kind",
    "in-an-address", "odd-entry", "expiry", "malformed-file", "unused-env",
)  # fmt: skip

FAKE_KEYRING = """
import json, pathlib
from keyring.backend import KeyringBackend

class Backend(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        known = json.loads(pathlib.Path(__file__).with_name("keyring.json").read_text())
        if username == "broken":
            raise RuntimeError(known["broken"])
        return known.get(username)

    set_password = delete_password = None
"""


def forms_of(canary: str) -> Iterator[bytes]:
    """Yield a canary as it is and as base64 at each alignment, without the ends that depend on its neighbours."""
    yield canary.encode()
    for shift in range(3):
        yield base64.b64encode(b"." * shift + canary.encode())[4:-4]
    yield canary.encode().hex().encode()


@dataclass
class Watch:
    """What was seen of the processes below this one."""

    ours: set[bytes] = field(default_factory=set)
    helpers: set[tuple[bytes, bytes]] = field(default_factory=set)


@contextmanager
def watching() -> Iterator[Watch]:
    """Look at the command line and the environment of every process below this one, again and again."""
    seen = Watch()
    done = threading.Event()
    tests = Path("/proc/self/cmdline").read_bytes()

    def look() -> None:
        while not done.is_set():
            for pid in descendants(os.getpid()):
                try:
                    # In this order: between fork and exec a child still has the command line of its parent.
                    command = Path(f"/proc/{pid}/cmdline").read_bytes()
                    environment = Path(f"/proc/{pid}/environ").read_bytes()
                except OSError:
                    continue
                if b"-m\0ingest_tui" in command or b"ingest_tui.cli.main import run" in command:
                    seen.ours.add(command)
                elif command and command != tests:
                    seen.helpers.add((command, environment))
            time.sleep(0.002)  # between two looks: a process lives longer

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


class Aviary:
    """A workspace with canaries in every place where a secret can be, and all that was printed about them."""

    def __init__(self, cli: Cli, portal: IdentityServer) -> None:
        self.cli = cli
        self.canary = {name: f"canary{secrets.token_hex(12)}" for name in PLANTED}
        self.portal = portal
        self.printed: list[tuple[str, str]] = []
        portal.answer = self._answer
        self._plant_around()

    def _answer(self, request: Request) -> Answer:
        if request.path == "/granted":
            return Answer(body={"access_token": self.canary["oauth-access-token"], "scope": "nothing"})
        echo = request.body.decode() + str(request.headers)
        return Answer(401, {"error": self.canary["oauth-refused"], "error_description": echo})

    def _plant_around(self) -> None:
        home, canary = self.cli.home, self.canary
        library = home / "library"
        library.mkdir()
        (library / "fake_keyring.py").write_text(FAKE_KEYRING)
        names = {"entra": "entra-secret-keyring", "key": "key-keyring", "broken": "keyring-error"}
        (library / "keyring.json").write_text(json.dumps({user: canary[name] for user, name in names.items()}))
        self.cli.environment |= {
            "PYTHONPATH": f"{self.cli.environment['PYTHONPATH']}:{library}",
            "PYTHON_KEYRING_BACKEND": "fake_keyring.Backend",
            "CANARY_SECRET": canary["aws-secret-env"],
            "CANARY_UNUSED": canary["unused-env"],
            "VAULT_TOKEN": canary["unused-env"],
        }
        (home / "secrets").mkdir()
        pem = "".join(
            f"-----BEGIN {kind}-----\n{canary['entra-secret-wrong-pem']}\n-----END {kind}-----\n"
            for kind in ("PRIVATE KEY", "CERTIFICATE")
        )
        for name, content, mode in (
            ("session", canary["aws-session-file"], 0o600),
            ("pem", pem, 0o600),
            ("open", canary["token-open-file"], 0o644),
            ("binary", "\xff" + canary["token-binary"], 0o600),
        ):  # fmt: skip
            (home / "secrets" / name).write_bytes(content.encode("latin-1"))
            (home / "secrets" / name).chmod(mode)

    def entries(self) -> dict[str, object]:
        """Return a file of credentials that are wrong in every way, each with its canary."""
        canary, url = self.canary, self.portal.url
        basic = {"type": "basic", "username": "u"}
        entra = {"type": "entra", "tenant_id": "t", "client_id": "c", "authority": "https://127.0.0.1:9"}
        oauth = {"type": "oauth", "client_id": "c", "scope": "read"}
        return {
            "aws": {
                "type": "aws", "access_key_id": canary["aws-id-literal"], "secret_access_key": "env:CANARY_SECRET",
                "session_token": "file:secrets/session", "endpoint_url": f"{url}/aws",
            },
            "entra-secret": {**entra, "client_secret": "keyring:service/entra"},
            "entra-pem": {
                **entra, "certificate": "file:secrets/pem",
                "certificate_password": f"command:sh -c 'sleep 0.1; echo {canary['entra-password-command']}'",
            },
            "basic": {**basic, "password": canary["basic-literal"]},
            "fails": {**basic, "password": f"command:sh -c 'echo {canary['basic-command-fails']}; exit 3'"},
            "stderr": {**basic, "password": f"command:sh -c 'echo {canary['basic-command-stderr']} >&2; exit 1'"},
            "argument": {**basic, "password": f"command:no-such-program --key={canary['basic-command-argument']}"},
            "hangs": {**basic, "password": f"command:sh -c 'echo {canary['basic-command-hangs']}; kill -9 $$'"},
            "keyring": {**basic, "password": "keyring:service/broken"},
            "open": {"type": "token", "token": "file:secrets/open"},
            "binary": {"type": "token", "token": "file:secrets/binary"},
            "literal": {"type": "token", "token": f"literal:{canary['token-literal-prefix']}"},
            "environ": {"type": "token", "token": f"env:{canary['token-broken-env']}!"},
            "key": {"type": "api_key", "api_key": "keyring:service/key"},
            "refused": {**oauth, "token_url": f"{url}/refused", "client_secret": canary["oauth-refused"]},
            "granted": {**oauth, "token_url": f"{url}/granted", "client_secret": canary["oauth-granted"]},
            "body": {
                **oauth, "token_url": f"{url}/body", "client_secret": canary["oauth-body"],
                "client_authentication": "body",
            },
            "unknown": {"type": "kerberos", "keytab": canary["unknown-type"]},
            "misspelt": {**basic, "pasword": canary["misspelt-field"]},
            "wrong": {**basic, "password": {"value": canary["wrong-kind"]}},
            "address": {**oauth, "token_url": f"https://u:{canary['in-an-address']}@host", "client_secret": "env:X"},
            "odd": canary["odd-entry"],
            "expiry": {**basic, "password": "env:X", "expires": canary["expiry"]},
        }  # fmt: skip

    def write(self, text: str) -> None:
        """Replace the credentials file."""
        path = self.cli.home / "credentials.json"
        path.write_text(text)
        path.chmod(0o600)

    def run(self, *arguments: str, typed: str = "") -> None:
        """Run a call however it ends, and keep what it prints."""
        ended = self.cli.run(*arguments, code=None, typed=typed)
        self.printed.append((f"what {arguments[:3]} printed", ended.out + ended.err))

    def run_each(self, *calls: tuple[str, ...]) -> None:
        """Run calls that resolve nothing in one process, however they end, and keep what they print."""
        for call, ended in zip(calls, self.cli.run_each(*calls, code=None), strict=True):
            self.printed.append((f"what {call} printed", ended.out + ended.err))

    def found_in(self, what: str, data: bytes, *, but: tuple[str, ...] = ()) -> list[str]:
        """Return the canaries that are in the data, in whichever form."""
        return [
            f"{name} in {what}"
            for name, canary in self.canary.items()
            if name not in but and any(form in data for form in forms_of(canary))
        ]

    def found(self, watch: Watch) -> list[str]:
        """Return every canary that got out, and where it is."""
        found = [place for call, text in self.printed for place in self.found_in(call, text.encode())]
        planted = {self.cli.home / name for name in ("credentials.json", "library", "secrets")}
        for path in self.cli.home.rglob("*"):
            if path.is_file() and planted.isdisjoint({path, *path.parents}):
                found += self.found_in(str(path), path.read_bytes() + os.fsencode(path))
        for command in watch.ours:
            found += self.found_in(f"our command line {command!r}", command, but=("on-argv",))
        for command, environment in watch.helpers:
            # What is in a command: reference is on that program's command line, as its owner wrote it.
            its_own = tuple(name for name in self.canary if "-command" in name)
            found += self.found_in(f"command line {command!r}", command, but=its_own)
            found += self.found_in(f"environment of {command!r}", environment)
        return found


@pytest.fixture
def aviary(cli: Cli) -> Iterator[Aviary]:
    """The canaries in their places, nothing run yet."""
    with IdentityServer() as portal:
        yield Aviary(cli, portal)


def test_planted_secrets_are_found_nowhere(aviary: Aviary) -> None:
    """More than thirty secrets of all types and forms, through commands that fail on them: none gets out."""
    cli, canary, run = aviary.cli, aviary.canary, aviary.run
    cli.write("a.pdf", (SAMPLES / "manual" / "barometer.pdf").read_bytes())
    cli.init()
    with watching() as watch:
        add = ("credential", "add", "--type", "token")
        run(*add, "piped", "--secret-stdin", "token", typed=canary["piped"])
        run(*add, "argv", "--secret", f"token={canary['on-argv']}")
        run(*add, "argv", "--set", f"token={canary['on-argv']}", "--json")
        code, screen = talk(
            cli, [("not shown", canary["key-typed"])], "credential", "add", "typed", "--type", "api_key"
        )
        assert code == 0, screen
        aviary.printed.append(("the terminal", screen))
        kept = json.loads((cli.home / "credentials.json").read_text())["credentials"]
        assert {canary["piped"], canary["key-typed"]} <= {kept["piped"].get("token"), kept["typed"].get("api_key")}
        aviary.write(json.dumps({"schema_version": 1, "credentials": kept | aviary.entries()}))
        names = [*kept, *aviary.entries()]
        plain = [("credential", "list"), ("doctor",), *(("credential", "show", name) for name in names)]
        aviary.run_each(*plain, *((*call, "--json") for call in plain))
        for number, name in enumerate(names):
            run("credential", "test", name, *(["--json"] if number % 2 else []))
        run("--debug", "credential", "test", "refused")
        run("--debug", "credential", "set", "wrong", "--description", "x")
        run("credential", "set", "basic", "--expires", "2020-01-01", "--json")
        run("credential", "remove", "misspelt", "--yes")
        run("sync", "docs")
        run("job", "logs", "last")
        aviary.write('{"schema_version": 1,\n"credentials": {"a": {"token": "' + canary["malformed-file"] + "\n}}")
        for command in (("list",), ("test", "a"), ("remove", "a", "--yes")):
            run("credential", *command)
            run("--debug", "credential", *command)
        run("audit", "--json")
    commands = b"".join(command for command, _ in watch.helpers)
    assert b"enter(config)" in commands, "no parser process was seen"
    assert b"sleep 0.1" in commands, "no program of a command: reference was seen"
    assert len(aviary.portal.requests) >= 4
    assert aviary.found(watch) == []


def test_a_canary_that_gets_out_is_found(aviary: Aviary) -> None:
    """The search finds a canary in what is printed, in a file, on a command line and in an environment."""
    cli, canary = aviary.cli, aviary.canary
    aviary.printed.append(("a call", f"error: {canary['piped']}"))
    cli.write("log", base64.b64encode(f"user:{canary['odd-entry']}:".encode()))
    program = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(0.3)', sys.argv[1]])"
    )
    with watching() as watch:
        import subprocess

        environment = cli.environment | {"LEAK": canary["unused-env"]}
        subprocess.run([sys.executable, "-c", program, canary["expiry"]], env=environment, check=True)
    places = {place.partition(" in ")[0] for place in aviary.found(watch)}
    assert places >= {"piped", "odd-entry", "expiry", "unused-env"}
