"""What `doctor` says about the credentials file."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.file import identity_of
from ingest_tui.credentials.private_files import GROUP_MAY_READ, read_private_file
from ingest_tui.credentials.references import FORMS, secret_file_strictness
from ingest_tui.credentials.summary import CredentialSummary, countdown
from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display

WARNED_DAYS_AHEAD = 30


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. ``level``: ``ok``, ``warning`` or ``problem``; ``name`` says what it is about."""

    level: str
    name: str
    message: str
    hint: str = ""


def find_problems(
    registry: CredentialRegistry, *, today: date, used_by: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Yield the findings. ``used_by`` maps the name of a credential to the sources that name it. Resolves nothing."""
    place = safe_display(str(registry.path))
    try:
        entries = registry.entries()
    except (IngestError, OSError) as error:
        message = error.message if isinstance(error, IngestError) else f"{place}: {error.strerror}"
        yield Problem("problem", "credentials", message, error.hint if isinstance(error, IngestError) else "")
        return
    if identity_of(registry.path) is None:
        yield Problem("ok", "credentials", f"none yet; they would be in {place}")
    else:
        number = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
        yield Problem("ok", "credentials", f"{place}, {number}, readable by its owner only")
    for entry in entries:
        yield from _of_entry(entry, today, used_by)
        # What nobody uses does no harm yet.
        yield from _of_secret_files(registry, entry, "problem" if entry.name in used_by else "warning")
    for name in sorted(used_by.keys() - {entry.name for entry in entries}):
        users = ", ".join(used_by[name])
        yield Problem(
            "problem",
            _about(name),
            f"is not there, but used by {users}",
            f"'ingest-tui credential add {safe_display(name)} --type TYPE' adds it",
        )


def _of_entry(entry: CredentialSummary, today: date, used_by: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    about = _about(entry.name)
    if entry.problem:
        yield Problem("problem" if entry.name in used_by else "warning", about, entry.problem, entry.hint)
    if entry.literals:
        yield Problem(
            "warning",
            about,
            f"the secret itself is in the file: {', '.join(entry.literals)}",
            f"keep it elsewhere and refer to it: {FORMS}",
        )
    if entry.expires is not None and (entry.expires - today).days <= WARNED_DAYS_AHEAD:
        when = countdown(entry.expires, today)
        has_expired = entry.expires < today
        yield Problem(
            "warning",
            about,
            f"{when} ({entry.expires})" if has_expired else f"expires {when} ({entry.expires})",
            f"renew it, then 'ingest-tui credential set {safe_display(entry.name)} --expires DAY'",
        )
    if entry.name not in used_by:
        yield Problem("warning", about, "is used by no source", "remove it if nobody else needs it")


def _of_secret_files(registry: CredentialRegistry, entry: CredentialSummary, level: str) -> Iterator[Problem]:
    for path in registry.secret_paths(entry.name) if not entry.problem else []:
        place = safe_display(str(path))
        try:
            file = read_private_file(path, secret_file_strictness(path), what="a secret's file")
        except IngestError as error:
            yield Problem(level, _about(entry.name), error.message, error.hint)
        except OSError as error:
            yield Problem(level, _about(entry.name), f"{place}: {error.strerror}", "make the file")
        else:
            if stat.S_IMODE(file.status.st_mode) & GROUP_MAY_READ:
                yield Problem("warning", _about(entry.name), f"{place} can be read by its group", f"chmod 600 {place}")


def _about(name: str) -> str:
    return f"credential {safe_display(name)}"
