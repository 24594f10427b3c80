"""Credentials: what they are called, who uses them, when they end. Never a secret, and where it is kept always."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.drawings import with_drawing
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.services.credentials.credentials import CredentialRow, CredentialType

_TONES = {"problem": "bad", "warning": "warn", "ok": "good"}
_GLYPHS = {"problem": "!", "warning": "?", "ok": "+"}
_LEVELS = ("problem", "warning", "ok")
_NEVER = 10**9


def expiry_words(row: CredentialRow) -> str:
    """Return when it ends, with a glyph: never colour alone."""
    if row.days_left is None:
        return "-"
    return f"{_GLYPHS['problem' if row.days_left < 0 else row.level]} {row.countdown}"


def state_words(row: CredentialRow) -> str:
    """Return whether it can be used."""
    if row.summary.problem:
        return f"! {row.summary.problem}"
    if row.level == "problem":
        return "! expired"
    return "? secret in the file" if row.summary.literals else "+ ok"


class CredentialsScreen(ViewScreen):
    """The list of credentials; on a wide screen with the fields of the one under the cursor."""

    view = "credentials"
    heading = "Credentials"
    panels: ClassVar[dict[str, str]] = {"credential-detail": "Credential"}
    sorts: ClassVar[dict[str, str]] = {
        "name": "By name",
        "expires": "What ends first",
        "type": "By type",
        "used": "Most used first",
    }
    CSS_PATH = "credentials_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("credentials")]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[CredentialRow] | None = None
        self._failure: tuple[str, str] | None = None
        self._file = ""

    def compose_body(self) -> ComposeResult:
        """The table, and what is next to it on a wide screen."""
        with Horizontal():
            yield VirtualTable(self._columns(), lambda row: row.summary.name, id="credentials-table")
            yield TextLines(id="credential-detail")

    def _columns(self) -> list[Column[CredentialRow]]:
        def expiry(row: CredentialRow) -> Cell:
            if row.days_left is None:
                return Cell("-", "quiet")
            return Cell(expiry_words(row), "bad" if row.days_left < 0 else _TONES[row.level])

        def state(row: CredentialRow) -> Cell:
            tone = "bad" if row.level == "problem" else "warn" if row.summary.literals else "good"
            return Cell(state_words(row), tone)

        return [
            Column("name", "NAME", 0, lambda row: Cell(row.summary.name)),
            Column("type", "TYPE", 8, lambda row: Cell(row.summary.type or "?"), from_width=40),
            Column("expires", "EXPIRES", 21, expiry, from_width=50),
            Column("used", "USED BY", 0, lambda row: Cell(", ".join(row.used_by) or "-", "quiet"), from_width=60),
            Column("state", "STATE", 20, state),
        ]

    @property
    def table(self) -> VirtualTable[CredentialRow]:
        """The table of credentials."""
        return cast("VirtualTable[CredentialRow]", self.query_one("#credentials-table", VirtualTable))

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Who uses them may have changed."""
        if update.sources_changed:
            self.read()

    def redraw_ages(self) -> None:
        """The file is changed by others too, without notice: look again now and then while it is shown."""
        super().redraw_ages()
        if self.is_current:
            self.read()

    def catch_up(self) -> None:
        """Show what is known, and read again."""
        self._show()
        self.read()
        if self._rows is None:
            self.wait_for("credentials")

    def rows_changed(self) -> None:
        """Show the rows again."""
        self._show()

    def read(self) -> None:
        """Read the entries in a thread."""
        client = self.ingest.client

        def ask() -> tuple[str, list[CredentialRow]]:
            return client.credentials.file(), client.credentials.list()

        self.ask(ask, self._take, group="credentials", otherwise=self._fail)

    def _take(self, answer: tuple[str, list[CredentialRow]]) -> None:
        if self._failure is None and answer == (self._file, self._rows):
            return
        self._file, self._rows = answer
        self._failure = None
        self._show()

    def _fail(self, message: str, hint: str) -> None:
        self._rows, self._failure = [], (message, hint)
        self._show()

    def _show(self) -> None:
        known = self._rows or []
        shown = [row for row in known if not self.words or matches(_searchable(row), self.words)]
        if self.sort == "expires":
            shown.sort(key=lambda row: _NEVER if row.days_left is None else row.days_left)
        elif self.sort == "type":
            shown.sort(key=lambda row: (row.summary.type, row.summary.name))
        elif self.sort == "used":
            shown.sort(key=lambda row: -len(row.used_by))
        else:
            shown.sort(key=lambda row: row.summary.name)
        if self.reversed:
            shown.reverse()
        self.table.show(shown, empty=self._empty_words())
        is_known = self._rows is not None and self._failure is None
        self.say_info(len(shown), len(known) if is_known else None, "credential")
        self.say_current()

    def _empty_words(self) -> list[str]:
        if self._failure is not None:
            message, hint = self._failure
            return ["The credentials cannot be read.", "", f"! {message}", f"  {hint}"]
        if self._rows is None:
            return ["reading …"]
        if self._rows:
            return wording.nothing_matches("credential")
        return with_drawing(
            "credentials",
            "No credentials yet.",
            "",
            "A credential says how a source signs in, and where its secret is kept:",
            "in a variable, a file, a keyring, or with a program that prints it.",
            "Press a to add one. Folders need none.",
        )

    @on(VirtualTable.Moved, "#credentials-table")
    def say_current(self) -> None:
        """Say something about the entry under the cursor."""
        row = self.table.current
        self.query_one("#credential-detail", TextLines).show([] if row is None else _detail(row, self._file))
        if row is None:
            self.say_hint(f"kept in {self._file}" if self._file and self._failure is None else "")
        elif row.summary.problem:
            self.say_hint(f"{row.summary.problem}; {row.summary.hint}", "bad")
        elif row.level == "problem":
            self.say_hint(f"it has {row.countdown}: R rotates it, c sets the new day", "bad")
        elif row.level == "warning":
            self.say_hint(f"it ends {row.countdown}: R rotates it, c sets the new day", "warn")
        else:
            fields = ", ".join(f"{name} {value}" for name, value in row.summary.fields.items())
            self.say_hint(f"{row.summary.name}: {fields}")

    # Actions

    def command_values(self) -> dict[str, str]:
        """The credential under the cursor."""
        return {"credential": self.table.current_key}

    def open_selected(self) -> None:
        """Show its fields."""
        row = self.table.current
        if row is not None:
            from ingest_tui.tui.dialogs.report import LinesReport

            self.app.push_screen(LinesReport(f"Credential {row.summary.name}", _detail(row, self._file)))

    def add_credential(self) -> None:
        """Ask for the type and the fields; the new credential is tested at once."""
        from ingest_tui.tui.views.credentials.credential_form_screen import add_credential

        add_credential(self, self.ingest.client, None, lambda name: self._changed(f"added credential {name}"))

    def test_credential(self) -> None:
        """Test the credential under the cursor."""
        from ingest_tui.tui.views.credentials.credential_form_screen import test_credential

        if self.table.current_key:
            test_credential(self, self.ingest.client, self.table.current_key)

    def rotate_credential(self) -> None:
        """Ask for another secret, or for where it is now."""
        self._open_form(rotates=True)

    def edit_credential(self) -> None:
        """Change what is no secret."""
        self._open_form(rotates=False)

    def _open_form(self, *, rotates: bool) -> None:
        from ingest_tui.tui.views.credentials.credential_form_screen import CredentialForm, test_credential

        row, client = self.table.current, self.ingest.client
        if row is None:
            return

        def changed(name: str | None) -> None:
            if name is None:
                return
            self._changed(f"changed {name}; running jobs take it up when they sign in again")
            if rotates:
                test_credential(self, client, name)

        def ask(declared: CredentialType) -> None:
            self.app.push_screen(CredentialForm(client, declared, row=row, rotates=rotates), changed)

        self.ask(partial(client.credentials.type_called, row.summary.type), ask, group="type", opens_dialog=True)

    def remove_credentials(self) -> None:
        """Remove the chosen credentials after a question that names the sources that use them."""
        from ingest_tui.tui.dialogs.dialogs import Confirm

        chosen = set(self.table.chosen_keys)
        rows = [row for row in self.table.rows if row.summary.name in chosen]
        if not rows:
            return
        names = [row.summary.name for row in rows]
        used = {row.summary.name for row in rows if row.used_by}
        lines = [f"{row.summary.name}: used by {', '.join(row.used_by) or 'no source'}" for row in rows]
        consequence = "Their secrets stay where they are kept, unless they are in the file itself."
        if used:
            consequence = (
                f"The sources that use {'it' if len(used) == 1 else 'them'} cannot sign in any more. {consequence}"
            )
        client, seen = self.ingest.client, {row.summary.name: row.summary for row in rows}

        def remove(name: str) -> None:
            client.credentials.remove(name, force=name in used, based_on=seen[name])

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self.ask_each(names, remove, done="removed", say=self.say_hint, then=self._removed)

        question = f"Remove {wording.plural(len(names), 'credential')}?"
        verb = "Remove all the same" if used else "Remove"
        self.app.push_screen(Confirm(question, lines, verb, consequence=consequence), answered)

    def _removed(self, _answers: list[Any]) -> None:
        self.read()

    def _changed(self, text: str) -> None:
        self.show_notice(text)
        self.read()


def _searchable(row: CredentialRow) -> str:
    summary = row.summary
    state = f"{state_words(row)} {row.countdown} {' '.join(row.used_by)}"
    return f"{summary.name} {summary.type} {summary.description} {state}".lower()


def _detail(row: CredentialRow, file: str) -> list[tuple[str, str]]:
    summary = row.summary
    tone = "bad" if row.level == "problem" else "warn" if row.level == "warning" else ""
    expires = f"{expiry_words(row)} ({summary.expires})" if summary.expires else "never, as far as is known"
    lines = [
        (summary.name, "head"),
        (_labelled("type", summary.type if summary.is_known else f"{summary.type or '?'} (unknown)"), ""),
        (_labelled("description", summary.description or "-"), ""),
        (_labelled("expires", expires), tone),
        (_labelled("used by", ", ".join(row.used_by) or "no source"), ""),
        (_labelled("kept in", file), "quiet"),
        ("", ""),
    ]
    lines += [(_labelled(name, value), "") for name, value in summary.fields.items()]
    if summary.literals:
        lines.append(("", ""))
        lines.append((f"? the secret itself is in the file: {', '.join(summary.literals)}", "warn"))
        lines.append(("  R puts a reference in its place", "quiet"))
    if summary.problem:
        lines += [("", ""), (f"! {summary.problem}", "bad"), (f"  {summary.hint}", "quiet")]
    return lines


def _labelled(name: str, value: str) -> str:
    return f"{name:22} {value}"
