"""What a person can do with credentials: list, add, change, remove and try them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

from ingest_tui.connectors.containment import of_one_source
from ingest_tui.credentials.credential import RegisteredCredential
from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.problems import WARNED_DAYS_AHEAD, Problem, find_problems
from ingest_tui.credentials.references import FORMS as FORMS  # noqa: PLC0414 - part of this face
from ingest_tui.credentials.references import LITERAL, check_reference, literal, parse_reference
from ingest_tui.credentials.references import without_line_end as without_line_end  # noqa: PLC0414
from ingest_tui.credentials.steps import Step, timed
from ingest_tui.credentials.summary import CredentialSummary as CredentialSummary  # noqa: PLC0414 - part of this face
from ingest_tui.credentials.summary import countdown
from ingest_tui.credentials.types import CredentialType as CredentialType  # noqa: PLC0414
from ingest_tui.credentials.types import credential_type, type_names
from ingest_tui.model.clock import rfc3339_now, utc_now
from ingest_tui.model.errors import IngestError, RefusedError, UsageError, ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import connection
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

__all__ = [
    "FORMS",
    "CredentialRow",
    "CredentialType",
    "Step",
    "add_credential",
    "change_credential",
    "credential_problems",
    "credentials_file",
    "describe_given",
    "get_credential",
    "list_credentials",
    "literal",
    "open_registry",
    "refuse_literal",
    "remove_credential",
    "test_credential",
    "type_called",
    "without_line_end",
]


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """An entry as it may be shown, with the sources that use it. ``days_left`` is negative once it has expired."""

    summary: CredentialSummary
    days_left: int | None
    countdown: str
    used_by: tuple[str, ...]

    @property
    def level(self) -> str:
        """``problem`` when it cannot be used or has expired, ``warning`` when it soon will have, else ``ok``."""
        if self.summary.problem or (self.days_left is not None and self.days_left < 0):
            return "problem"
        return "warning" if self.days_left is not None and self.days_left <= WARNED_DAYS_AHEAD else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        entry = self.summary
        return {
            "name": entry.name,
            "type": entry.type,
            "description": entry.description,
            "expires": entry.expires.isoformat() if entry.expires else None,
            "days_left": self.days_left,
            "used_by": list(self.used_by),
            "fields": entry.fields,
            "literals": list(entry.literals),
            "problem": entry.problem or None,
        }


def open_registry(workspace: Workspace) -> CredentialRegistry:
    """Return the registry that belongs to a workspace; nothing is read yet."""
    return CredentialRegistry(workspace.credentials_path)


def credentials_file(workspace: Workspace) -> str:
    """Return the path of the file that holds the entries."""
    return str(workspace.credentials_path)


def list_credentials(workspace: Workspace, *, today: date | None = None) -> list[CredentialRow]:
    """Return all entries, in the order of the file; raises what `CredentialRegistry` raises."""
    used_by = _used_by(workspace)
    return [_row(entry, used_by, today) for entry in open_registry(workspace).entries()]


def get_credential(workspace: Workspace, name: str, *, today: date | None = None) -> CredentialRow:
    """Return one entry; raises `NotFoundError` naming the known ones."""
    return _row(open_registry(workspace).entry(name), _used_by(workspace), today)


def type_called(name: str) -> CredentialType:
    """Return a type by its name or alias; raises `UsageError` naming the known ones."""
    try:
        return credential_type(name)
    except RefusedError as error:
        raise UsageError(
            error.message, hint=f"{did_you_mean(name, type_names())}known types: {', '.join(type_names())}"
        ) from None


def add_credential(
    workspace: Workspace,
    name: str,
    *,
    type_name: str,
    fields: Mapping[str, str],
    description: str = "",
    expires: date | None = None,
) -> CredentialRow:
    """Add an entry. ``fields`` are as in the file: plain values, and references or literals for the secret ones.

    Raises `UsageError` for a taken name or an unknown type, `ValidationError` for what the type does not accept.
    """
    declared = type_called(type_name)
    _refuse_unknown_fields(declared, fields)
    entry: dict[str, Any] = {"type": declared.name}
    if description:
        entry["description"] = description
    if expires is not None:
        entry["expires"] = expires.isoformat()
    open_registry(workspace).add(name, entry | dict(fields))
    _note(workspace, "credential.add", name, type=declared.name, fields=sorted(fields))
    return get_credential(workspace, name)


def change_credential(
    workspace: Workspace,
    name: str,
    *,
    fields: Mapping[str, str],
    unset: Sequence[str] = (),
    description: str | None = None,
    expires: date | None = None,
    based_on: CredentialSummary | None = None,
) -> CredentialRow:
    """Change fields of an entry and keep the others; running jobs see it after their next 401.

    ``unset`` takes fields out (``expires`` and ``description`` too). What is known of documents stays as it is.
    ``based_on``: the entry that the changes were made from; without, the one that is there now. Raises `ConflictError`
    when somebody else has changed it since.
    """
    entry = based_on or open_registry(workspace).entry(name)
    declared = type_called(entry.type)
    _refuse_unknown_fields(declared, fields)
    changes: dict[str, Any] = dict(fields)
    if description is not None:
        changes["description"] = description
    if expires is not None:
        changes["expires"] = expires.isoformat()
    if set(unset) & changes.keys():
        raise UsageError("a field is both set and unset", hint="choose one")
    open_registry(workspace).change(name, changes, drop=tuple(unset), based_on=entry)
    _note(workspace, "credential.set", name, fields=sorted({*changes, *unset}))
    return get_credential(workspace, name)


def remove_credential(
    workspace: Workspace, name: str, *, force: bool = False, based_on: CredentialSummary | None = None
) -> None:
    """Take an entry out; refused with the sources that use it, unless ``force``.

    ``based_on``: the entry as somebody saw it who removes it; raises `ConflictError` when it has changed since.
    """
    registry = open_registry(workspace)
    users = _used_by(workspace).get(name, ())
    if users and not force and name in registry.names():
        raise RefusedError(
            f"credential {name!r} is used by {', '.join(users)}",
            hint="give these sources another one first; --force removes it all the same",
            code="credential_in_use",
            source_ids=list(users),
        )
    unreadable = workspace.sources.unreadable()
    if unreadable and not force and name in registry.names():
        raise RefusedError(
            f"source {unreadable[0]!r} cannot be read, and may use credential {name!r}",
            hint="'ingest-tui doctor' reports why; --force removes the credential all the same",
            code="credential_in_use",
            source_ids=unreadable,
        )
    registry.remove(name, based_on=based_on)
    _note(workspace, "credential.remove", name, used_by=list(users))


def test_credential(workspace: Workspace, name: str) -> Iterator[Step]:
    """Yield the steps of trying a credential: its entry, each secret, signing in.

    Raises `NotFoundError`, and what `CredentialRegistry` raises for a file that cannot be read.
    """
    registry = open_registry(workspace)
    registry.entry(name)
    yield from timed(_steps(workspace, registry, name))


test_credential.__test__ = False  # type: ignore[attr-defined] # an action of ours, not a test


def _steps(workspace: Workspace, registry: CredentialRegistry, name: str) -> Iterator[Step]:
    try:
        credential = registry.get(name)
    except IngestError as error:
        yield Step("entry", False, error.message, error.hint)
        return
    expiry = countdown(credential.expires, _today())
    addition = f"; {expiry}" if expiry.startswith("expired") else f"; expires {expiry}" if expiry else ""
    yield Step("entry", True, f"a well-formed credential of type {credential.type}{addition}")
    all_resolved = True
    for field in credential.secrets:
        try:
            credential.require(field)
        except IngestError as error:
            all_resolved = False
            yield Step(field, False, error.message, error.hint)
        else:
            yield Step(field, True, "is there")
    if all_resolved:
        yield from _sign_in(workspace, credential)


def _sign_in(workspace: Workspace, credential: RegisteredCredential) -> Iterator[Step]:
    target = credential.declared_type.authenticate
    if target is None:
        users = _used_by(workspace).get(credential.name, ())
        addition = f"; try 'ingest-tui source test {users[0]}'" if users else ""
        yield Step("sign-in", True, f"nothing to ask on its own: the connector that uses it finds out{addition}")
        return
    module, _, function = target.partition(":")
    uses = [one for one in workspace.sources.all() if one.source_config.get("credential") == credential.name]
    lets_us_in = True
    try:
        for step in getattr(import_module(module), function)(credential, [one.source_config for one in uses]):
            lets_us_in = lets_us_in and step.ok
            yield step
    except IngestError as error:
        lets_us_in = False
        yield Step("sign-in", False, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - libraries of others; their text may quote what they were given
        lets_us_in = False
        yield Step("sign-in", False, f"failed unexpectedly ({type(error).__name__})", "is its package up to date?")
    for source in uses if lets_us_in else []:
        yield from _try_source(workspace, source)


def _try_source(workspace: Workspace, source: Source) -> Iterator[Step]:
    """Yield what `source test` reports of a source: only its connector knows how the credential is used there."""
    name = safe_display(source.source_id)
    try:
        with of_one_source(source.source_id), connection(workspace, source) as connector:
            for step in connector.test_steps():
                yield Step(step.name, step.ok, f"{name}: {step.message}", step.hint)
    except (IngestError, ValueError) as error:
        hint = error.hint if isinstance(error, IngestError) else ""
        yield Step("source", False, f"{name}: {safe_display(str(error))}", hint)
    except Exception as error:  # noqa: BLE001 - as above
        yield Step(
            "source", False, f"{name}: failed unexpectedly ({type(error).__name__})", "is its package up to date?"
        )


def credential_problems(workspace: Workspace) -> Iterator[Problem]:
    """Yield what `doctor` says about credentials."""
    yield from find_problems(open_registry(workspace), today=_today(), used_by=_used_by(workspace))


def refuse_literal(field: str, text: str) -> str:
    """Return ``text`` if it is a reference; raises `UsageError` for a literal, without quoting it."""
    if parse_reference(text).kind == LITERAL:
        raise UsageError(
            f"{field}: a secret may not be on the command line, where every user of this machine can read it",
            hint=f"refer to it ({FORMS}), pipe it in with --secret-stdin {field}, or leave it out to be asked",
            code="literal_on_argv",
        )
    return text


def describe_given(text: str) -> str:
    """Return what was understood of a value that was typed unseen; raises `ValidationError` for a broken reference."""
    reference = parse_reference(text)
    check_reference(reference)
    return "kept in the credentials file itself" if reference.kind == LITERAL else f"taken from {reference.shown}"


def _refuse_unknown_fields(declared: CredentialType, fields: Mapping[str, str]) -> None:
    known = (*declared.plain_names, *declared.secret_names)
    for field in fields:
        if field not in known:
            raise ValidationError(
                f"a credential of type {declared.name} has no field {field!r}",
                hint=f"its fields: {', '.join(known)}",
            )


def _row(entry: CredentialSummary, used_by: Mapping[str, tuple[str, ...]], today: date | None) -> CredentialRow:
    day = today or _today()
    days_left = (entry.expires - day).days if entry.expires else None
    return CredentialRow(entry, days_left, countdown(entry.expires, day), used_by.get(entry.name, ()))


def _used_by(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Return the sources, embedders and rerankers that name a credential, by its name."""
    users: dict[str, tuple[str, ...]] = {}
    sources = ((source.source_config, source.source_id) for source in workspace.sources.all())
    embedders = ((one.settings, f"embedder {one.embedder_id}") for one in workspace.embedders.all())
    rerankers = ((one.settings, f"reranker {one.reranker_id}") for one in workspace.rerankers.all())
    for settings, user in (*sources, *embedders, *rerankers):
        name = settings.get("credential")
        if isinstance(name, str) and name:
            users[name] = (*users.get(name, ()), user)
    return users


def _note(workspace: Workspace, action: str, name: str, **details: Any) -> None:
    workspace.audit.add(at=rfc3339_now(), by=requester(), action=action, target=name, **details)


def _today() -> date:
    return utc_now().date()
