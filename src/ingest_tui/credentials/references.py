"""References to secrets, resolved when the secret is used: env:, file:, keyring:, command:, or the literal itself."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ingest_tui.credentials import commands
from ingest_tui.credentials.private_files import OTHERS_MAY_READ, OTHERS_MAY_WRITE, Strictness, read_private_file
from ingest_tui.model.errors import AuthenticationError, MissingDependencyError, ValidationError
from ingest_tui.model.redaction import remember_secret
from ingest_tui.model.safe_text import safe_display

LITERAL = "literal"
FORMS = "env:NAME, file:PATH, keyring:SERVICE/USER or command:PROGRAM …"

_KINDS = ("env", "file", "keyring", "command", LITERAL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SHORTEST_LINE = 16

# Container runtimes mount secrets here, world-readable and read-only; nobody else is in the container.
_MOUNTED_SECRETS = ("/run/secrets/", "/var/run/secrets/")


@dataclass(frozen=True, slots=True, repr=False)
class Reference:
    """Where a secret is. ``kind``: env, file, keyring, command or literal; ``target`` of a literal is the secret."""

    kind: str
    target: str

    @property
    def shown(self) -> str:
        """What may be shown of it: a literal never, of a command only the program, since arguments may be secret."""
        if self.kind == LITERAL:
            return "literal"
        if _CHECKS[self.kind](self.target):
            # It can never work: perhaps it is a secret that only looks like a reference.
            return f"{self.kind}:…"
        if self.kind != "command":
            return f"{self.kind}:{self.target}"
        program, *arguments = _split(self.target)
        return f"command:{Path(program).name}{' …' if arguments else ''}"


@dataclass(frozen=True, slots=True)
class ResolveContext:
    """What resolving depends on. Relative paths start at ``folder``, the one of the credentials file.

    ``command_environment`` names further variables that a command gets.
    """

    folder: Path
    environment: Mapping[str, str]
    command_environment: tuple[str, ...] = ()
    command_seconds: float = commands.TIMEOUT_SECONDS


def parse_reference(text: str) -> Reference:
    """Return the reference in ``text``; what has none of the known prefixes is a literal."""
    kind, separator, target = text.partition(":")
    if separator and kind in _KINDS:
        return Reference(kind, target)
    return Reference(LITERAL, text)


def literal(value: str) -> str:
    """Return how a literal is written, such that it is never taken for a reference."""
    return value if parse_reference(value).target == value else f"{LITERAL}:{value}"


def check_reference(reference: Reference) -> None:
    """Raise `ValidationError` when the reference can never work. Its target is not quoted: it may be a secret."""
    problem = _CHECKS[reference.kind](reference.target)
    if problem:
        raise ValidationError(problem, hint=f"references: {FORMS}", code="credential_reference")


def _check_keyring(target: str) -> str:
    service, _, user = target.rpartition("/")
    return "" if service and user else "keyring: takes SERVICE/USER"


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "env": lambda target: "" if _VARIABLE.match(target) else "env: takes the name of an environment variable",
    "file": lambda target: "" if target and "\0" not in target else "file: takes a path",
    "keyring": _check_keyring,
    "command": lambda target: "" if _split(target) and "\0" not in target else "command: takes a program, well quoted",
    LITERAL: lambda target: "" if target else "the secret is empty",
}


def resolve_reference(reference: Reference, context: ResolveContext, *, what: str) -> str:
    """Return the secret, now. ``what`` names it in errors; the value is remembered for redaction.

    Raises `AuthenticationError` (``credential_unresolved``) when it cannot be had, `RefusedError` for a file that
    others can change or read, `MissingDependencyError` when the keyring package is not installed.
    """
    check_reference(reference)
    value = _RESOLVERS[reference.kind](reference, context, what)
    if not value:
        _fail(what, reference, "is empty", "put the secret there")
    _remember(value)
    return value


def _remember(value: str) -> None:
    remember_secret(value)
    # A certificate may be quoted in part; its frame is no secret.
    lines = value.splitlines()
    for line in lines if len(lines) > 1 else []:
        if len(line) >= _SHORTEST_LINE and not line.startswith("-----"):
            remember_secret(line)


def _fail(what: str, reference: Reference, reason: str, hint: str) -> NoReturn:
    raise AuthenticationError(
        f"{what}: {safe_display(reference.shown)} {reason}", hint=hint, code="credential_unresolved"
    )


def _from_environment(reference: Reference, context: ResolveContext, what: str) -> str:
    value = context.environment.get(reference.target)
    if value is None:
        _fail(what, reference, "is not set", "set the variable for this program, and for the worker before it starts")
    return value


def _from_file(reference: Reference, context: ResolveContext, what: str) -> str:
    path = secret_path(reference.target, context)
    try:
        data = read_private_file(path, secret_file_strictness(path), what=what).data
    except OSError as error:
        _fail(what, reference, f"cannot be read: {error.strerror}", "make the file, readable by its owner only")
    return _as_text(data, reference, what)


def secret_path(target: str, context: ResolveContext) -> Path:
    """Return the path of a ``file:`` reference: ~ is the home folder, relative ones start at the credentials file."""
    home = context.environment.get("HOME")
    if home and (target == "~" or target.startswith("~/")):
        return Path(home) / target[2:]
    try:
        return context.folder / Path(target).expanduser()
    except RuntimeError:  # ~ and the name of nobody
        return context.folder / target


def secret_file_strictness(path: Path) -> Strictness:
    """Return what a file of a single secret must not allow: changes by others, and reading by everybody."""
    is_mounted = os.path.abspath(path).startswith(_MOUNTED_SECRETS)  # noqa: PTH100 - links are part of such mounts
    return Strictness(OTHERS_MAY_WRITE if is_mounted else OTHERS_MAY_WRITE | OTHERS_MAY_READ, root_may_own=True)


def _from_keyring(reference: Reference, _context: ResolveContext, what: str) -> str:
    try:
        import keyring
    except ImportError:
        raise MissingDependencyError(
            f"{what}: {safe_display(reference.shown)} needs the package 'keyring', which is not installed",
            hint='pip install "ingest-tui[keyring]"',
        ) from None
    service, _, user = reference.target.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - backends raise what their desktop's libraries raise
        hint = "a worker without a desktop session has no keyring: use file: or command: there"
        _fail(what, reference, f"cannot be asked for ({type(error).__name__})", hint)
    if value is None:
        place = safe_display(f"{service} {user}")
        _fail(what, reference, "is not in the keyring", f"'keyring set {place}' puts it there")
    return value


def _from_command(reference: Reference, context: ResolveContext, what: str) -> str:
    arguments = _split(reference.target)
    environment = commands.helper_environment(arguments[0], context.environment, context.command_environment)
    try:
        output = commands.output_of(
            arguments, environment=environment, folder=context.folder, timeout=context.command_seconds
        )
    except commands.HelperFailedError as failure:
        _fail(what, reference, failure.reason, failure.hint)
    return _as_text(output, reference, what)


def _literally(reference: Reference, _context: ResolveContext, _what: str) -> str:
    return reference.target


_RESOLVERS: Mapping[str, Callable[[Reference, ResolveContext, str], str]] = {
    "env": _from_environment,
    "file": _from_file,
    "keyring": _from_keyring,
    "command": _from_command,
    LITERAL: _literally,
}


def _as_text(data: bytes, reference: Reference, what: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        _fail(what, reference, "is not text in UTF-8", "keep certificates in PEM form")
    return without_line_end(text)


def without_line_end(text: str) -> str:
    """Return ``text`` without the one line end that editors and programs add."""
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _split(command: str) -> list[str]:
    """Return the program and its arguments; nothing for a command with an open quote."""
    try:
        return shlex.split(command)
    except ValueError:
        return []
