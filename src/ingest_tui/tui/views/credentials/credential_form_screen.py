"""Forms for credentials: a new one, its plain fields, its secrets. What is typed as a secret is never shown again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on

from ingest_tui.model.errors import IngestError
from ingest_tui.services.client import Client
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.dialogs.entry_form import EntryForm
from ingest_tui.tui.widgets.fields import Field, fields_of
from ingest_tui.tui.widgets.form import Form

if TYPE_CHECKING:
    from ingest_tui.services.credentials.credentials import CredentialRow, CredentialType
    from ingest_tui.services.credentials.forms import CredentialDraft

_FORMS = "secrets: env:NAME file:PATH keyring:SERVICE/USER command:PROGRAM, or itself"
_ABOUT = [
    Field("description", "what it is for", group="About"),
    Field("expires", "the day it ends, e.g. 2027-06-30; it is shown 30 days before"),
]


class CredentialForm(EntryForm):
    """Asks for fields of a credential and saves them; returns its name, or None.

    ``row`` is the entry that is changed, None for a new one; ``rotates``: ask for its secrets and nothing else.
    """

    note: ClassVar[str] = _FORMS

    def __init__(
        self, client: Client, declared: CredentialType, *, row: CredentialRow | None = None, rotates: bool = False
    ) -> None:
        name = row.summary.name if row else ""
        what = f"Rotate {name}: a new secret, or where it is now" if rotates else f"Change {name}"
        super().__init__(what if row else f"Add a credential of type {declared.name}: {declared.description}")
        self._client = client
        self._declared = declared
        self._row = row
        self._rotates = rotates

    # The fields

    def begin(self) -> None:
        """Make the fields from the type."""
        declared, row = self._declared, self._row
        of_model = {field.name: field for field in fields_of(declared.model)}
        plain = [of_model[name] for name in declared.plain_names]
        required = [field for field in plain if field.required]
        others = [field for field in plain if not field.required]
        if self._rotates:
            self.show_form([self._secret(name, question) for name, question in self._secrets()])
        elif row is not None:
            values = {"description": row.summary.description, "expires": str(row.summary.expires or "")}
            self.show_form([*required, *others, *_ABOUT], {**row.summary.fields, **values})
        else:
            name = Field("name", "what sources call it", required=True)
            secrets = [self._secret(name, question) for name, question in self._secrets()]
            self.show_form([name, *required, *secrets, *others, *_ABOUT])

    def _secrets(self) -> list[tuple[str, str]]:
        return [(secret.name, secret.question) for secret in self._declared.secrets]

    def _secret(self, name: str, question: str) -> Field:
        known = self._row.summary.fields.get(name) if self._row else None
        # A question that says no more than the label is no help.
        asked = question if question != name.replace("_", " ") else "where it is, e.g. env:NAME, or the secret itself"
        help_text = f"now: {known}; left empty, it stays" if known else asked
        return Field(name, help_text, kind="secret", required=self._row is None and self._declared.is_required(name))

    # What was entered

    def _draft(self) -> CredentialDraft:
        from ingest_tui.services.credentials.forms import CredentialDraft

        row = self._row
        entered = dict(self.form.changed_values() if row else self.form.values()) if self.form is not None else {}
        name = row.summary.name if row else str(entered.pop("name", ""))
        description, expires = entered.pop("description", None), entered.pop("expires", None)
        unset = [field for field, value in entered.items() if value in ("", None)] if row else []
        if row is not None and expires == "":
            unset.append("expires")
        fields = {field: str(value) for field, value in entered.items() if field not in unset}
        unset += self._replaced(fields)
        seen = row.summary if row else None
        return CredentialDraft(
            name, self._declared.name, fields, tuple(unset), description, str(expires or "") or None, seen
        )

    def _replaced(self, given: dict[str, str]) -> list[str]:
        """Return the secrets that go because another way to sign in takes their place."""
        if self._row is None:
            return []
        there = self._row.summary.fields
        gone = []
        for secret in self._declared.secrets:
            rival = secret.unless
            if rival and rival in given and secret.name in there and secret.name not in given:
                gone.append(secret.name)
            if rival and secret.name in given and rival in there and rival not in given:
                gone += [other.name for other in self._declared.secrets if rival in {other.name, other.with_}]
        return [name for name in gone if name in there]

    @on(Form.Changed)
    def describe_secrets(self) -> None:
        """Say what is understood of what was typed unseen: a reference, or the secret itself."""
        if self.form is None:
            return
        entered = self.form.values()
        for name in self._declared.secret_names:
            if name not in {field.name for field in self.form.fields}:
                continue
            try:
                text = entered.get(name, "")
                self.form.say_note(name, self._client.credentials.describe_given(text) if text else "")
            except IngestError:
                self.form.say_note(name, "")  # the check says what is wrong with it

    def check(self, *, everywhere: bool = False) -> None:
        """Ask what is wrong with what was entered."""
        client, draft, row = self._client, self._draft(), self._row

        def take(problems: dict[str, str]) -> None:
            if row is not None:  # what was wrong before is not what this form asks for; saving looks at the whole
                problems = {name: text for name, text in problems.items() if name in {*draft.fields, "expires"}}
            if self.take_problems(problems, everywhere=everywhere) and everywhere:
                self._save_now(draft)
            elif everywhere and self.form is not None:
                self.form.focus_problem()

        kept = dict(row.summary.fields) if row is not None else {}
        self.ask(
            lambda: client.credentials.problems(draft, kept),
            take,
            group="check",
            otherwise=self.say_error,
            opens_dialog=everywhere,
        )

    def save(self) -> None:
        """Check everything, then save."""
        self.check(everywhere=True)

    def _save_now(self, draft: CredentialDraft) -> None:
        if self._row is not None and not (
            draft.fields or draft.unset or draft.expires or draft.description is not None
        ):
            self.dismiss(None)
            return
        self._saving = True
        client = self._client
        self.ask(
            lambda: saved_or_conflict(lambda: client.credentials.save(draft)),
            self._saved,
            group="save",
            otherwise=self.say_error,
            opens_dialog=True,
        )

    def _saved(self, answer: CredentialRow | Conflict) -> None:
        if not isinstance(answer, Conflict):
            self.dismiss(answer.summary.name)
            return
        if self._row is None:
            return
        theirs = replace(self._row, summary=answer.theirs)

        def keep() -> None:
            self._save_now(replace(self._draft(), based_on=answer.theirs))

        def reload() -> None:
            self._row = theirs
            self.start_over()

        self.ask_who_wins(answer, keep, reload)


class AddCredential(CredentialForm):
    """The form for a new one."""

    buttons: ClassVar[tuple[tuple[str, str], ...]] = (("save", "Add and test"),)


def add_credential(asking: Asking, client: Client, type_name: str | None, then: Callable[[str], None]) -> None:
    """Ask for the type unless it is known, then for the fields; ``then`` gets the name of the new credential."""

    def ask_for_fields(declared: CredentialType) -> None:
        def made(name: str | None) -> None:
            if name is None:
                return
            then(name)
            test_credential(asking, client, name)

        asking.app.push_screen(AddCredential(client, declared), made)

    def offer(types: list[CredentialType]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        by_name = {declared.name: declared for declared in types}
        if type_name in by_name:
            ask_for_fields(by_name[str(type_name)])
            return
        width = max(len(name) for name in by_name)
        options = [(name, f"{name:{width}}  {declared.description}") for name, declared in by_name.items()]

        def chosen(name: str | None) -> None:
            if name is not None:
                ask_for_fields(by_name[name])

        asking.app.push_screen(Choose("What type of credential?", options), chosen)

    asking.ask(client.credentials.types, offer, group="types", opens_dialog=True)


def test_credential(asking: Asking, client: Client, name: str) -> None:
    """Show the steps of a test as they are done."""
    from ingest_tui.tui.dialogs.report import TestReport

    asking.app.push_screen(TestReport(client, f"credential {name}", steps=lambda: client.credentials.test(name)))


test_credential.__test__ = False  # type: ignore[attr-defined] # an action of ours, not a test
