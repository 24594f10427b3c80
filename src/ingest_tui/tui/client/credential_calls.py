"""What the screens ask of the services about credentials; part of the `Gateway`. Secrets go in, none comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.client.source_calls import Opening

if TYPE_CHECKING:
    from ingest_tui.services.credentials.credentials import CredentialRow, CredentialSummary, CredentialType, Step


@dataclass(frozen=True, slots=True)
class CredentialDraft:
    """An entry as a form has it. ``fields``: what was given, secrets and references too, so it is never shown.

    ``based_on``: the entry that is changed, as it was read; None for a new one.
    """

    name: str
    type_name: str
    fields: dict[str, str] = field(default_factory=dict, repr=False)
    unset: tuple[str, ...] = ()
    description: str | None = None
    expires: str | None = None
    based_on: CredentialSummary | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is to be added."""
        return self.based_on is None


class CredentialCalls(Opening):
    """The calls about credentials."""

    def credentials_file(self) -> str:
        """Return the path of the file that holds the entries."""
        with self._workspace() as workspace:
            return str(workspace.credentials_path)

    def credentials(self) -> list[CredentialRow]:
        """Return all entries with the sources that use them."""
        from ingest_tui.services.credentials import credentials

        with self._workspace() as workspace:
            return credentials.list_credentials(workspace)

    def credential_names(self, type_name: str | None) -> list[str]:
        """Return the names of the entries of a type, or of all."""
        from ingest_tui.services.credentials import forms as credential_forms

        with self._workspace() as workspace:
            return credential_forms.credential_names(workspace, type_name)

    def credential_types(self) -> list[CredentialType]:
        """Return the types that an entry can have."""
        from ingest_tui.services.credentials import forms as credential_forms

        return credential_forms.credential_types()

    def credential_type(self, name: str) -> CredentialType:
        """Return a type."""
        from ingest_tui.services.credentials import credentials

        return credentials.type_called(name)

    def credential_problems(self, draft: CredentialDraft, kept: dict[str, str]) -> dict[str, str]:
        """Return what is wrong with an entry, by field; ``kept`` stands for the fields that stay as they are."""
        from ingest_tui.services.credentials import forms as credential_forms

        fields = {name: value for name, value in (kept | draft.fields).items() if name not in draft.unset}
        if draft.expires:
            fields["expires"] = draft.expires
        name = draft.name if draft.is_new else None
        with self._workspace() as workspace:
            return credential_forms.credential_draft_problems(workspace, name, draft.type_name, fields)

    def describe_given(self, text: str) -> str:
        """Return what is understood of a value that was typed unseen, never the value; raises for what cannot be."""
        from ingest_tui.services.credentials import credentials

        return credentials.describe_given(text)

    def save_credential(self, draft: CredentialDraft) -> CredentialRow | Conflict:
        """Add an entry, or change fields of one that is still as it was when the draft was made."""
        from ingest_tui.services.credentials import credentials

        with self._changing() as workspace:
            expires = date.fromisoformat(draft.expires) if draft.expires else None
            if draft.is_new:
                return credentials.add_credential(
                    workspace,
                    draft.name,
                    type_name=draft.type_name,
                    fields=draft.fields,
                    description=draft.description or "",
                    expires=expires,
                )
            return saved_or_conflict(
                lambda: credentials.change_credential(
                    workspace,
                    draft.name,
                    fields=draft.fields,
                    unset=draft.unset,
                    description=draft.description,
                    expires=expires,
                    based_on=draft.based_on,
                )
            )

    def test_credential(self, name: str) -> Iterator[Step]:
        """Yield the steps of a test as they are done."""
        from ingest_tui.services.credentials import credentials

        with self._workspace() as workspace:
            yield from credentials.test_credential(workspace, name)

    def remove_credential(self, seen: CredentialSummary, *, force: bool) -> None:
        """Take an entry out that is still as it was seen; refused while sources use it, unless ``force``."""
        from ingest_tui.services.credentials import credentials

        with self._changing() as workspace:
            credentials.remove_credential(workspace, seen.name, force=force, based_on=seen)
