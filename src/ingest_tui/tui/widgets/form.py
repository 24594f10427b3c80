"""A form made from the settings that a model describes: one field for each, with its description and its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_origin

import pydantic
from pydantic.fields import FieldInfo
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from ingest_tui.model.naming import safe_display
from ingest_tui.tui.widgets.line import Line


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. ``kind``: ``text``, ``list`` (values between commas) or ``switch``."""

    name: str
    description: str
    kind: str = "text"
    default: Any = ""
    required: bool = False


def fields_of(model: type[pydantic.BaseModel]) -> list[Field]:
    """Return the fields of a settings model, the required ones first."""
    fields = [_field(name, info) for name, info in model.model_fields.items()]
    return sorted(fields, key=lambda field: not field.required)


def _field(name: str, info: FieldInfo) -> Field:
    annotation = info.annotation
    kind = "switch" if annotation is bool else "list" if get_origin(annotation) in {tuple, list, set} else "text"
    default = "" if info.is_required() or info.default is None else info.default
    return Field(name, info.description or "", kind, default, info.is_required())


class Toggle(Static, can_focus=True):
    """Yes or no, told by its words and not by its colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "yes or no", id="toggle.turn"),
        Binding("enter", "submit", "done", id="toggle.submit"),
    ]
    DEFAULT_CSS = """
    Toggle { width: 1fr; height: 1; }
    Toggle:focus { background: $primary-muted; text-style: bold; }
    Toggle:ansi:focus { text-style: reverse; }
    """
    value: reactive[bool] = reactive(False, layout=False)

    class Submitted(Message):
        """Enter was pressed here."""

    def __init__(self, *, value: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self.set_reactive(Toggle.value, value)

    def render(self) -> Content:
        """Return the words."""
        return Content("[x] yes" if self.value else "[ ] no   (space changes it)" if self.has_focus else "[ ] no")

    def action_turn(self) -> None:
        """Change it."""
        self.value = not self.value

    def action_submit(self) -> None:
        """Say that the form is done."""
        self.post_message(self.Submitted())

    def on_click(self) -> None:
        """Change it."""
        self.action_turn()


class Form(VerticalScroll):
    """Fields one under another; `values` returns what was entered."""

    DEFAULT_CSS = """
    Form {
        height: 1fr;
        .form--row { height: 1; }
        .form--label { width: 16; }
        Input { height: 1; border: none; padding: 0; background: $surface; }
        Input:focus { border: none; background: $primary-muted; }
        &:ansi Input { text-style: underline; }
        .form--help { color: $text-muted; padding-left: 16; }
        .form--error { color: $text-error; padding-left: 16; display: none; }
        .form--error.-shown { display: block; }
    }
    """

    def __init__(self, fields: list[Field], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, can_focus=False)
        self.fields = fields

    def compose(self) -> ComposeResult:
        """A label and a field in a row, what it is for below, and room for an error."""
        for field in self.fields:
            with Horizontal(classes="form--row"):
                yield Line(f"{field.name.replace('_', ' ')}{' *' if field.required else ''}", classes="form--label")
                if field.kind == "switch":
                    yield Toggle(value=bool(field.default), id=f"field-{field.name}")
                else:
                    yield Input(_as_text(field.default), id=f"field-{field.name}", compact=True)
            if field.description:
                yield Line(field.description, classes="form--help")
            yield Line(id=f"error-{field.name}", classes="form--error")

    def on_mount(self) -> None:
        """Keep the cursor from blinking: it costs output on slow links."""
        for entry in self.query(Input):
            entry.cursor_blink = False

    def values(self) -> dict[str, Any]:
        """Return what was entered; a field left at its default is left out."""
        entered: dict[str, Any] = {}
        for field in self.fields:
            value: Any
            if field.kind == "switch":
                value = self.query_one(f"#field-{field.name}", Toggle).value
            else:
                value = self.query_one(f"#field-{field.name}", Input).value.strip()
                if field.kind == "list":
                    value = [part.strip() for part in value.split(",") if part.strip()]
            if value != field.default and value not in ("", []):
                entered[field.name] = value
        return entered

    def missing(self) -> list[str]:
        """Return the required fields that are empty, and say so beside each."""
        entered = self.values()
        missing = [field.name for field in self.fields if field.required and field.name not in entered]
        for field in self.fields:
            self.say_error(field.name, "this is needed" if field.name in missing else "")
        if missing:
            self.query_one(f"#field-{missing[0]}").focus()
        return missing

    def say_error(self, name: str, text: str) -> None:
        """Show an error under a field, or take it away."""
        line = self.query_one(f"#error-{name}", Line)
        line.set_class(bool(text), "-shown")
        line.say(safe_display(text))

    def fill(self, name: str, value: str) -> None:
        """Put a value into a text field."""
        self.query_one(f"#field-{name}", Input).value = value


def _as_text(value: Any) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, tuple | list | set) else str(value)
