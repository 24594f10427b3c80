"""A form: one row for each field, and below it what the field is for, or what is wrong with what was entered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Input

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.widgets.fields import Choice, Field, SecretInput, Toggle, as_list, as_text
from ingest_tui.tui.widgets.fields import fields_of as fields_of  # noqa: PLC0414 - part of this face
from ingest_tui.tui.widgets.line import Line

_PICK_WORDS = {"browse": "^o browse", "credential": "^o choose"}


class PickButton(Button, can_focus=False):
    """For the mouse; the keyboard has ctrl+o in the field, so that tab goes from field to field."""


class Form(VerticalScroll):
    """Fields one under another; `values` returns what was entered. Names of fields are identifiers."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+o", "pick", "browse or choose", id="form.pick")]
    DEFAULT_CSS = """
    Form {
        height: 1fr; scrollbar-size-vertical: 1;
        .form--row { height: 1; }
        .form--label { width: 22; }
        .form--group { text-style: bold; color: $text-accent; margin-top: 1; }
        Input { height: 1; width: 1fr; border: none; padding: 0; background: $panel; }
        Input:focus { border: none; background: $primary-muted; }
        &:ansi Input { text-style: underline; }
        Button { margin-left: 1; min-width: 8; }
        Button:focus { text-style: bold reverse; }
        .form--help { color: $text-muted; padding-left: 22; height: auto; text-wrap: wrap; text-overflow: fold; }
        .form--help.-bad { color: $text-error; text-style: bold; }
    }
    """

    class Changed(Message):
        """Something was entered."""

    class Submitted(Message):
        """Enter was pressed in a field."""

    class PickAsked(Message):
        """A person wants to browse or choose instead of typing."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    def __init__(
        self,
        fields: list[Field],
        *,
        values: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, can_focus=False)
        self.fields = fields
        self._initial = {field.name: (values or {}).get(field.name, field.default) for field in fields}
        self._touched: set[str] = set()
        self._problems: dict[str, str] = {}
        self._notes: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """A label and a field in a row, what it is for below."""
        for field in self.fields:
            if field.group:
                yield Line(field.group, classes="form--group")
            with Horizontal(classes="form--row"):
                yield Line(safe_display(field.shown_name), classes="form--label")
                yield self._widget(field)
                if field.picks:
                    yield PickButton(_PICK_WORDS[field.picks], id=f"pick-{field.name}", compact=True)
            yield Line(safe_display(field.description), id=f"help-{field.name}", classes="form--help")

    def _widget(self, field: Field) -> Toggle | Choice | Input:
        name, value = f"field-{field.name}", self._initial[field.name]
        if field.kind == "switch":
            return Toggle(value=bool(value), id=name)
        if field.kind == "choice":
            choices = field.choices if field.required or field.default else ("", *field.choices)
            return Choice(choices, value=as_text(value) or choices[0], id=name)
        if field.kind == "secret":
            return SecretInput(id=name)
        return Input(as_text(value), id=name, compact=True)

    def on_mount(self) -> None:
        """Keep the cursor from blinking: it costs output on slow links."""
        for entry in self.query(Input):
            entry.cursor_blink = False

    # What was entered

    def _value(self, field: Field) -> Any:
        widget = self.query_one(f"#field-{field.name}")
        if isinstance(widget, Toggle | Choice):
            return widget.value
        text = widget.value.strip() if isinstance(widget, Input) else ""
        if isinstance(widget, SecretInput):
            text = widget.value
        return as_list(text) if field.kind == "list" else text

    def values(self) -> dict[str, Any]:
        """Return what was entered; a field left at its default, or emptied, is left out."""
        entered = {field.name: self._value(field) for field in self.fields}
        return {
            field.name: entered[field.name]
            for field in self.fields
            if entered[field.name] not in ("", []) and not _same(entered[field.name], field.default)
        }

    def changed_values(self) -> dict[str, Any]:
        """Return the fields that read differently than at first; emptied ones with their default."""
        changed = {}
        for field in self.fields:
            value = self._value(field)
            if not _same(value, self._initial[field.name]):
                changed[field.name] = field.default if value in ("", []) else value
        return changed

    # What is said about it

    def say_problems(self, problems: Mapping[str, str], *, everywhere: bool = False) -> list[str]:
        """Show what is wrong next to the fields that were touched, or next to all; returns what has no field here."""
        self._problems = dict(problems)
        if everywhere:
            self._touched |= problems.keys()
        names = {field.name for field in self.fields}
        self._say(names)
        return [text for name, text in problems.items() if name not in names]

    def say_error(self, name: str, text: str) -> None:
        """Show an error next to a field, or take it away."""
        self._touched.add(name)
        self._problems[name] = text
        self._say([name])

    def say_note(self, name: str, text: str) -> None:
        """Say something else about a field than what it is for."""
        self._notes[name] = text
        self._say([name])

    def _say(self, names: Iterable[str]) -> None:
        by_name = {field.name: field for field in self.fields}
        for name in names:
            problem = self._problems.get(name, "") if name in self._touched else ""
            line = self.query_one(f"#help-{name}", Line)
            line.set_class(bool(problem), "-bad")
            text = f"! {problem}" if problem else self._notes.get(name) or by_name[name].description
            if line.said != safe_display(text):
                line.say(safe_display(text))
                line.refresh(layout=True)  # it may take another number of lines

    def focus_problem(self) -> bool:
        """Go to the first field that something is wrong with; False when there is none."""
        for field in self.fields:
            if self._problems.get(field.name):
                self.query_one(f"#field-{field.name}").focus()
                return True
        return False

    def fill(self, name: str, value: Any) -> None:
        """Put a value into a field, if there is such a field."""
        for widget in self.query(f"#field-{name}").results():
            if isinstance(widget, Toggle):
                widget.value = bool(value)
            elif isinstance(widget, Choice | Input):
                widget.value = as_text(value)
            self._touched.add(name)

    def suggest(self, name: str, text: str) -> None:
        """Show in an empty field what it will be when it is left empty."""
        for entry in self.query(f"#field-{name}").results(Input):
            entry.placeholder = safe_display(text)

    # Events

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field that was left has been looked at: what is wrong with it may be said."""
        name = (event.widget.id or "").removeprefix("field-")
        if event.widget.id and event.widget.id.startswith("field-") and self._value_or_none(name):
            self._touched.add(name)

    def _value_or_none(self, name: str) -> Any:
        field = next((field for field in self.fields if field.name == name), None)
        return None if field is None else self._value(field)

    @on(Input.Changed)
    @on(Toggle.Changed)
    @on(Choice.Changed)
    def something_entered(self, event: Message) -> None:
        """Say that something changed."""
        event.stop()
        widget = event.control if isinstance(event, Input.Changed) else event._sender  # noqa: SLF001 - no other way
        name = (getattr(widget, "id", "") or "").removeprefix("field-")
        field = next((field for field in self.fields if field.name == name), None)
        if field is not None and not _same(self._value(field), self._initial[name]):
            self._touched.add(name)
        self.post_message(self.Changed())

    @on(Input.Submitted)
    @on(Toggle.Submitted)
    @on(Choice.Submitted)
    def field_submitted(self, event: Message) -> None:
        """Enter in any field is Enter for the form."""
        event.stop()
        self.post_message(self.Submitted())

    @on(Button.Pressed)
    def pick_pressed(self, event: Button.Pressed) -> None:
        """Ask for the browser or the chooser of a field."""
        event.stop()
        self._ask_to_pick((event.button.id or "").removeprefix("pick-"))

    def action_pick(self) -> None:
        """The same by key, for the field with the focus."""
        focused = self.screen.focused
        self._ask_to_pick((focused.id or "").removeprefix("field-").removeprefix("pick-") if focused else "")

    def _ask_to_pick(self, name: str) -> None:
        field = next((field for field in self.fields if field.name == name and field.picks), None)
        if field is not None:
            self.post_message(self.PickAsked(field))


def _same(entered: Any, known: Any) -> bool:
    """Tell whether a field reads like a value that is known: numbers are entered as text, and None as nothing."""
    if isinstance(entered, bool) or isinstance(known, bool):
        return bool(entered) == bool(known)
    if isinstance(entered, list):
        return entered == [str(part) for part in known or ()]
    return str(entered) == as_text(known)
