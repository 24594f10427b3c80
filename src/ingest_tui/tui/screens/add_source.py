"""The form for a new source. It stays open until the source is saved, and says what is wrong beside the field."""

from __future__ import annotations

from typing import Any, ClassVar

import pydantic
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from ingest_tui.model.source import Source
from ingest_tui.tui.asking import Asking
from ingest_tui.tui.gateway import Gateway, NewSource
from ingest_tui.tui.widgets.form import Field, Form, Toggle, fields_of
from ingest_tui.tui.widgets.line import Line

_OURS = [
    Field("name", "what you call it; left empty, the name of the folder"),
    Field("collection", "the collection its documents go to", default="default"),
    Field("max_size", "leave out what is larger, e.g. 20MB", default=""),
    Field("watch", "sync by itself when something changes", kind="switch", default=False),
]


class AddSource(Asking, ModalScreen[Source | None]):
    """Asks for the settings of a source; returns the source that was added, or None."""

    CSS_PATH = ["dialogs.tcss", "add_source.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", id="add.cancel"),
        Binding("down", "app.focus_next", "next field", id="add.next"),
        Binding("up", "app.focus_previous", "previous field", id="add.previous"),
    ]

    def __init__(self, gateway: Gateway, source_type: str = "local") -> None:
        super().__init__()
        self._gateway = gateway
        self._type = source_type
        self._form: Form | None = None
        self._adding = False

    def compose(self) -> ComposeResult:
        """A title, room for the form, and the buttons."""
        with Vertical(classes="dialog add"):
            yield Line("Add a folder" if self._type == "local" else f"Add: {self._type}", classes="dialog--title")
            yield Vertical(id="form-place")
            yield Line(id="add-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Add and test", id="add", variant="primary", compact=True, disabled=True)
                yield Button("Cancel", id="cancel", compact=True)
                yield Line("enter adds, tab moves, esc cancels", classes="dialog--note")

    def on_mount(self) -> None:
        """Ask which settings this type of source has."""
        source_type, gateway = self._type, self._gateway
        self.ask(lambda: gateway.config_model(source_type), self._build, group="form", otherwise=self._say_error)

    async def _mount_form(self, form: Form) -> None:
        await self.query_one("#form-place", Vertical).mount(form)
        self.query_one("#add", Button).disabled = False
        form.query(Input).first().focus()

    def _build(self, model: type[pydantic.BaseModel]) -> None:
        fields = fields_of(model)
        first = [field for field in fields if field.required]
        self._form = Form([*first, *_OURS, *(field for field in fields if not field.required)], id="form")
        self.call_next(self._mount_form, self._form)

    @on(Input.Submitted)
    @on(Toggle.Submitted)
    def submitted(self) -> None:
        """Enter in any field adds."""
        self._add()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Add, or go."""
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self._add()

    def _add(self) -> None:
        if self._form is None or self._adding or self._form.missing():
            return
        values = self._form.values()
        new = self._new_source(values)
        if not new.name:
            self._form.say_error("name", "this is needed")
            return
        self._adding = True
        self._say_error("", "")
        gateway = self._gateway
        self.ask(lambda: gateway.add_source(new), self._added, group="add", otherwise=self._say_error)

    def _new_source(self, values: dict[str, Any]) -> NewSource:
        name = values.pop("name", "") or str(values.get("path", "")).rstrip("/").rpartition("/")[2]
        return NewSource(
            source_type=self._type,
            name=name,
            collection_id=values.pop("collection", "default"),
            max_size=values.pop("max_size", None),
            watch=values.pop("watch", False),
            config=values,
        )

    def _added(self, source: Source) -> None:
        self.dismiss(source)

    def _say_error(self, message: str, hint: str) -> None:
        from ingest_tui.model.naming import safe_display

        self._adding = False
        line = self.query_one("#add-error", Line)
        line.set_class(bool(message), "-shown")
        line.say(safe_display(f"{message}; {hint}" if hint else message))
