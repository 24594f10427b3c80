"""The fields of a form: what each asks for, made from a settings model, and the widgets that are no plain input."""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Union, get_args, get_origin

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    import pydantic
    from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. ``kind``: ``text``, ``list`` (values between commas), ``switch``, ``choice`` or ``secret``.

    ``picks``: what else fills it, ``browse`` or ``credential`` (of type ``credential_type``). ``group``: a heading that
    comes before it. ``label`` is its name on the screen, where that is another.
    """

    name: str
    description: str = ""
    kind: str = "text"
    default: Any = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    picks: str = ""
    credential_type: str | None = None
    group: str = ""
    label: str = ""

    @property
    def shown_name(self) -> str:
        """How it is called on the screen."""
        return f"{self.label or self.name.replace('_', ' ')}{' *' if self.required else ''}"


def fields_of(model: type[pydantic.BaseModel]) -> list[Field]:
    """Return the fields of a settings model, the required ones first."""
    fields = [_field(name, info) for name, info in model.model_fields.items()]
    return sorted(fields, key=lambda field: not field.required)


def _field(name: str, info: FieldInfo) -> Field:
    kind = _without_none(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    choices = tuple(str(choice) for choice in get_args(kind)) if get_origin(kind) is Literal else ()
    is_credential = name == "credential" or "credential_type" in extra
    asked = "switch" if kind is bool else "choice" if choices else "text"
    if get_origin(kind) in {tuple, list, set, frozenset}:
        asked = "list"
    return Field(
        name,
        info.description or "",
        asked,
        "" if info.is_required() else info.get_default(call_default_factory=True),
        info.is_required(),
        choices,
        "credential" if is_credential else "browse" if extra.get("browse") else "",
        str(extra["credential_type"]) if extra.get("credential_type") else None,
    )


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        return next((kind for kind in get_args(annotation) if kind is not type(None)), annotation)
    return annotation


def as_text(value: Any) -> str:
    """Return a value as a field shows it: a list between commas, quoted where a part has one itself."""
    if value is None:
        return ""
    if isinstance(value, tuple | list | set | frozenset):
        parts = []
        for part in value:
            written = io.StringIO()
            csv.writer(written, lineterminator="").writerow([str(part)])
            parts.append(written.getvalue())
        return ", ".join(parts)
    return str(value)


def as_list(text: str) -> list[str]:
    """Return the parts of a text between commas; one in quotation marks may hold commas itself."""
    rows = csv.reader([text.replace("\n", " ")], skipinitialspace=True)
    return [part.strip() for row in rows for part in row if part.strip()]


class Toggle(Static, can_focus=True):
    """Yes or no, shown by its words and not by its colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,left,right", "turn", "yes or no", id="toggle.turn"),
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

    class Changed(Message):
        """It was turned."""

    def __init__(self, *, value: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self.set_reactive(Toggle.value, value)

    def render(self) -> Content:
        """Return the words."""
        return Content("[x] yes" if self.value else "[ ] no   (space changes it)" if self.has_focus else "[ ] no")

    def action_turn(self) -> None:
        """Change it."""
        self.value = not self.value
        self.post_message(self.Changed())

    def action_submit(self) -> None:
        """Say that the form is done."""
        self.post_message(self.Submitted())

    def on_click(self) -> None:
        """Change it."""
        self.action_turn()


class Choice(Static, can_focus=True):
    """One of a few words; all of them are shown, the chosen one between brackets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "next", id="choice.next"),
        Binding("left", "step(-1)", "previous", id="choice.previous"),
        Binding("enter", "submit", "done", id="choice.submit"),
    ]
    DEFAULT_CSS = """
    Choice { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Choice:focus { background: $primary-muted; text-style: bold; }
    Choice:ansi:focus { text-style: reverse; }
    """
    value: reactive[str] = reactive("", layout=False)

    class Submitted(Message):
        """Enter was pressed here."""

    class Changed(Message):
        """Another one was chosen."""

    def __init__(self, choices: Sequence[str], *, value: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self.choices = list(choices) if value in choices else [value, *choices]
        self.set_reactive(Choice.value, value)

    def render(self) -> Content:
        """Return the words, the chosen one first in view."""
        start = max(0, self.choices.index(self.value) - 2) if self.value in self.choices else 0
        words = [f"[{word or '-'}]" if word == self.value else f" {word or '-'} " for word in self.choices[start:]]
        return Content(("… " if start else "") + " ".join(safe_display(word) for word in words))

    def action_step(self, steps: int) -> None:
        """Choose the next one, round and round."""
        position = self.choices.index(self.value) if self.value in self.choices else 0
        self.value = self.choices[(position + steps) % len(self.choices)]
        self.post_message(self.Changed())

    def action_submit(self) -> None:
        """Say that the form is done."""
        self.post_message(self.Submitted())

    def on_click(self) -> None:
        """Choose the next one."""
        self.action_step(1)


class SecretInput(Input):
    """A field that is typed without echo. What is in it never leaves it by a copy: a terminal would get it."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(password=True, id=id, compact=True, placeholder="typed without echo")

    def action_copy(self) -> None:
        """Copy nothing."""

    def action_cut(self) -> None:
        """Take out what is selected, and copy nothing."""
        self.delete_selection()
