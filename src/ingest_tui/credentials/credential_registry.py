"""The registry: credentials by name, from a file that may change at any time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from ingest_tui.credentials.credential import RegisteredCredential
from ingest_tui.credentials.entries import acceptable_entry, checked_entry
from ingest_tui.credentials.file import CredentialsFile, identity_of, read_credentials_file, write_credentials_file
from ingest_tui.credentials.references import ResolveContext, parse_reference, secret_path
from ingest_tui.credentials.summary import CredentialSummary, summarise
from ingest_tui.credentials.types import Entry
from ingest_tui.model.clock import posix_ns
from ingest_tui.model.errors import ConflictError, IngestError, NotFoundError, StoreError, UsageError
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.revision import conflict, differences
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.store.fs.locks import FileLock

_LOCK_SECONDS = 10.0

# A change within one tick of the clock that stamps files may leave no trace in its status (git's "racy" entries).
_TICK_NS = 50_000_000


class CredentialRegistry:
    """The credentials in one file; may be used by several threads. Nothing is read before it is asked for.

    Raised by every method: `RefusedError` when others could have read or written the file, `SchemaVersionError` for
    one of a newer program, `StoreError` for one that is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link that people named
        self._guard = threading.Lock()
        self._file: CredentialsFile | None = None

    def __repr__(self) -> str:
        return f"<CredentialRegistry {safe_display(str(self.path))!r}>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a registry stays in its process: hand over its path")

    def get(self, name: str) -> RegisteredCredential:
        """Return a credential as the file has it now; its secrets are resolved when they are asked for.

        Raises `NotFoundError` naming the known ones, `RefusedError` (``credential_type_unknown``) for a type that
        nobody registered, `ValidationError` for an entry that its type does not accept.
        """
        raw = self._raw(name)
        declared, entry = checked_entry(name, raw)
        return RegisteredCredential(name, declared, entry, raw, self._context(entry))

    def names(self) -> list[str]:
        """Return the names of all entries, in the order of the file."""
        return list(self._current().entries)

    def entries(self) -> list[CredentialSummary]:
        """Return what may be shown of all entries, also of those that could not be used."""
        return [summarise(name, raw) for name, raw in self._current().entries.items()]

    def entry(self, name: str) -> CredentialSummary:
        """Return what may be shown of one entry; raises `NotFoundError`."""
        entries = self._current().entries
        if name not in entries:
            self._not_found(name, list(entries))
        return summarise(name, entries[name])

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add an entry, durably. ``entry`` is as in the file, its ``type`` included.

        Raises `UsageError` when the name is taken, `ValidationError` when its type does not accept the entry.
        """

        def added(entries: dict[str, Any]) -> None:
            _refuse_taken(name, entries)
            entries[name] = acceptable_entry(name, entry)

        self._change(added)

    def refuse_taken(self, name: str) -> None:
        """Raise `UsageError` for a name that is taken, `ValidationError` for one that cannot be."""
        _refuse_taken(name, self._current().entries)

    def replace(self, name: str, entry: Mapping[str, Any]) -> None:
        """Put another entry in the place of one; raises `NotFoundError` and `ValidationError`."""
        self.change(name, entry, only=True)

    def change(
        self,
        name: str,
        changes: Mapping[str, Any],
        *,
        drop: tuple[str, ...] = (),
        only: bool = False,
        based_on: CredentialSummary | None = None,
    ) -> None:
        """Change fields of an entry and keep the others, unless ``only`` these are to be there; ``drop`` takes out.

        ``based_on``: the entry as somebody saw it who changes it; raises `ConflictError` when it has changed since.
        """

        def changed(entries: dict[str, Any]) -> None:
            _refuse_when_changed(name, entries, based_on, dict(changes))
            if name not in entries:
                self._not_found(name, list(entries))
            before = {} if only or not isinstance(entries[name], dict) else entries[name]
            merged = {field: value for field, value in (before | dict(changes)).items() if field not in drop}
            entries[name] = acceptable_entry(name, merged)

        self._change(changed)

    def remove(self, name: str, *, based_on: CredentialSummary | None = None) -> None:
        """Take an entry out, durably; raises `NotFoundError`. Whether somebody uses it is the caller's business.

        ``based_on``: the entry as somebody saw it who removes it; raises `ConflictError` when it has changed since.
        """

        def removed(entries: dict[str, Any]) -> None:
            _refuse_when_changed(name, entries, based_on, {})
            if name not in entries:
                self._not_found(name, list(entries))
            del entries[name]

        self._change(removed)

    def secret_paths(self, name: str) -> list[Path]:
        """Return the files that an entry refers to."""
        raw = self._raw(name)
        try:
            declared, entry = checked_entry(name, raw)
        except IngestError:
            return []
        context = self._context(entry)
        references = (parse_reference(str(raw[field])) for field in declared.secret_names if field in raw)
        return [secret_path(item.target, context) for item in references if item.kind == "file"]

    def _raw(self, name: str) -> dict[str, Any]:
        entries = self._current().entries
        if name not in entries:
            self._not_found(name, list(entries))
        raw = entries[name]
        if not isinstance(raw, dict):
            raise StoreError(f"credential '{safe_display(name)}' is not an object", hint="correct the credentials file")
        return raw

    def _not_found(self, name: str, known: list[str]) -> NoReturn:
        there = did_you_mean(name, known) + (f"known: {', '.join(map(safe_display, known))}; " if known else "")
        raise NotFoundError(
            f"there is no credential '{safe_display(name)}' in {safe_display(str(self.path))}",
            hint=f"{there}'ingest-tui credential add {safe_display(name)} --type TYPE' adds it",
            credential=name,
        )

    def _current(self) -> CredentialsFile:
        with self._guard:
            known = self._file
            if known is None or known.identity is None or known.identity != identity_of(self.path):
                known = read_credentials_file(self.path)
                is_settled = posix_ns() - known.changed_at_ns > _TICK_NS
                self._file = known if is_settled else None
            return known

    def _change(self, apply: Callable[[dict[str, Any]], None]) -> None:
        target = Path(os.path.realpath(self.path))
        lock = FileLock(target.with_name(f".{target.name}.lock"))
        lock.acquire(_LOCK_SECONDS, what="the credentials file")
        with lock:
            content = read_credentials_file(self.path).content
            apply(content["credentials"])
            revision = content.get("revision", 0)
            content["revision"] = revision + 1 if isinstance(revision, int) else 1
            write_credentials_file(self.path, content)

    def _context(self, entry: Entry) -> ResolveContext:
        return ResolveContext(self.path.parent, os.environ, entry.command_environment)


def _refuse_when_changed(
    name: str, entries: Mapping[str, Any], seen: CredentialSummary | None, changes: Mapping[str, Any]
) -> None:
    """Raise `ConflictError` for an entry that is no longer as it was seen. Of secrets only the sources are named."""
    if seen is None:
        return
    if name not in entries:
        raise ConflictError(
            f"credential '{safe_display(name)}' was removed by somebody else meanwhile; nothing was saved",
            hint="add it again if it is still wanted",
            differences=[],
        )
    now = summarise(name, entries[name])
    if now.digest != seen.digest:
        yours = summarise(name, entries[name] | dict(changes)) if changes and isinstance(entries[name], dict) else seen
        found = differences(_shown(yours), _shown(now))
        raise conflict(f"credential '{safe_display(name)}'", found, now)


def _shown(entry: CredentialSummary) -> dict[str, Any]:
    about = {"type": entry.type, "description": entry.description, "expires": str(entry.expires or "")}
    return about | entry.fields


def _refuse_taken(name: str, entries: Mapping[str, Any]) -> None:
    check_identifier(name)
    if name in entries:
        raise UsageError(
            f"a credential named {name!r} is already there",
            hint=f"'ingest-tui credential set {name} --help' shows how to change it; or choose another name",
        )
