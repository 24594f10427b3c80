"""A form over a view: it stays open until what was entered is saved, and says what is wrong next to each field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.client.conflicts import Conflict
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.fields import Field
from ingest_tui.tui.widgets.form import Form
from ingest_tui.tui.widgets.line import Line

_HERE = Path(__file__).parent  # of the style sheets, also for subclasses in other folders
CHECK_SECONDS = 0.3


class EntryForm(Asking, Dialog[Any]):
    """Title, form, an error line and buttons. Subclasses make the fields, check what was entered, and save it.

    ``buttons``: id and word of each button next to Cancel; the first saves.
    """

    CSS_PATH = [_HERE / "dialogs.tcss", _HERE / "entry_form.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "cancel", id="form.cancel"),
        # At once, before the keys after them: what comes in one bunch must not end up in the field before, a secret
        # least of all.
        Binding("tab,down", "app.focus_next", "next field", id="form.next", priority=True),
        Binding("shift+tab,up", "app.focus_previous", "previous field", id="form.previous", priority=True),
        Binding("ctrl+t", "press('test')", "test", id="form.test"),
        Binding("ctrl+r", "press('preview')", "preview", id="form.preview"),
    ]
    buttons: ClassVar[tuple[tuple[str, str], ...]] = (("save", "Save"),)
    note: ClassVar[str] = "enter saves, tab moves, esc cancels"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._saving = False
        self._check_timer: Any = None
        self.form: Form | None = None
        self._is_coming = True

    @property
    def is_loading(self) -> bool:
        """Whether its fields are on their way, or what was entered is being checked or saved."""
        return self._is_coming or super().is_loading

    def stop_loading(self) -> None:
        """Close, where there is nothing to be lost."""
        super().stop_loading()
        self._saving = False
        if self._is_coming:
            self.dismiss(None)

    def compose(self) -> ComposeResult:
        """A title, room for the form, and the buttons."""
        with Vertical(classes="dialog entry-form"):
            yield Line(safe_display(self._title), id="form-title", classes="dialog--title")
            yield Vertical(id="form-place")
            yield Line(id="form-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                for number, (name, word) in enumerate(self.buttons):
                    variant = "default" if number else "primary"
                    yield Button(word, id=f"button-{name}", variant=variant, compact=True, disabled=True)  # type: ignore[arg-type]
                yield Button("Cancel", id="button-cancel", compact=True)
            yield Line(self.note, classes="dialog--note")

    def on_mount(self) -> None:
        """Ask which fields there are."""
        self.begin()

    # For subclasses

    def begin(self) -> None:
        """Make the form; ends with `show_form`."""

    def check(self, *, everywhere: bool = False) -> None:
        """Ask what is wrong with what was entered; ends with `take_problems`."""

    def save(self) -> None:
        """Save what was entered."""

    def pick(self, field: Field) -> None:
        """Let a person browse or choose instead of typing."""

    def press(self, name: str) -> None:
        """Do what a button of the subclass says."""

    # What it can do

    def show_form(self, fields: list[Field], values: dict[str, Any] | None = None) -> None:
        """Show the fields."""
        self.form = Form(fields, values=values, id="form")
        self.call_next(self._mount_form, self.form)

    async def _mount_form(self, form: Form) -> None:
        await self.query_one("#form-place", Vertical).mount(form)
        for button in self.query(".dialog--buttons Button").results(Button):
            button.disabled = False
        self.call_after_refresh(self._begin_typing, form)

    def _begin_typing(self, form: Form) -> None:
        form.query(".form--row > *").filter("#field-" + form.fields[0].name).first().focus()
        self._is_coming = False
        self.form_shown()

    def form_shown(self) -> None:
        """The form is there, its first field has the focus."""

    def take_problems(self, problems: dict[str, str], *, everywhere: bool = False) -> bool:
        """Show problems; True when there are none. ``everywhere``: a person wants to save, and cannot with one."""
        if self.form is None:
            return False
        if everywhere and problems:
            self._saving = False
        others = self.form.say_problems(problems, everywhere=everywhere)
        self.say_error("; ".join(others), "")
        return not problems

    def start_over(self) -> None:
        """Throw away what was entered, and ask for the fields again."""
        form, self.form, self._saving, self._is_coming = self.form, None, False, True

        async def again() -> None:
            if form is not None:
                await form.remove()
            self.begin()

        self.call_next(again)

    def ask_who_wins(self, conflict: Conflict, keep: Callable[[], None], reload: Callable[[], None]) -> None:
        """Show what somebody else has saved meanwhile, and let the person keep theirs or load it; the form stays."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(way: str | None) -> None:
            self._saving = False
            if way == "keep":
                keep()
            elif way == "reload":
                reload()

        ways = [
            ("reload", "Load it as it is now; what I entered is lost"),
            ("keep", "Save what I changed over it"),
            ("back", "Back to the form"),
        ]
        title = "Somebody else has changed it meanwhile; nothing is saved yet"
        self.app.push_screen(Choose(title, ways, lines=conflict.lines), chosen)

    def say_error(self, message: str, hint: str) -> None:
        """Say what is wrong with the whole."""
        self._saving = False
        self._is_coming = self._is_coming and self.form is not None  # without its fields it does not come
        line = self.query_one("#form-error", Line)
        before = line.said
        line.set_class(bool(message), "-shown")
        line.say(safe_display(f"! {message}{f'; {hint}' if hint else ''}" if message else ""))
        if line.said != before:
            line.refresh(layout=True)  # it is as high as what it says

    # Events

    @on(Form.Changed)
    def form_changed(self) -> None:
        """Check a moment after the last key."""
        self._stop_timer()
        self._check_timer = self.set_timer(CHECK_SECONDS, self._check_now)

    def _check_now(self) -> None:
        if not self._saving:
            self.check()

    def _stop_timer(self) -> None:
        if self._check_timer is not None:
            self._check_timer.stop()

    @on(Form.Submitted)
    def submitted(self) -> None:
        """Enter in any field saves."""
        self._save_once()

    @on(Form.PickAsked)
    def pick_asked(self, event: Form.PickAsked) -> None:
        """Open the browser or the chooser."""
        self.pick(event.field)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Save, go, or what the subclass offers."""
        name = (event.button.id or "").removeprefix("button-")
        if name == "cancel":
            self.action_leave()
        elif name == self.buttons[0][0]:
            self._save_once()
        else:
            self.press(name)

    def action_press(self, name: str) -> None:
        """The same by key."""
        if self.form is not None and name in {known for known, _word in self.buttons}:
            self.press(name)

    def _save_once(self) -> None:
        if self.form is not None and not self._saving:
            self._saving = True
            self._stop_timer()  # a look that comes later would void the one that saving waits for
            self.save()

    def action_leave(self) -> None:
        """Close; asks first when something was entered."""
        if self.form is None or not self.form.changed_values():
            self.dismiss(None)
            return
        from ingest_tui.tui.dialogs.dialogs import Confirm

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self.dismiss(None)

        names, refusal = ["what was entered is lost"], ("Keep editing", "goes back to the form")
        self.app.push_screen(Confirm("Leave without saving?", names, "Leave", refusal=refusal), answered)
