"""Small questions over a view: choose one of several, confirm."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static
from textual.widgets.option_list import Option

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.options import Options

_HERE = Path(__file__).parent  # of the style sheets, also for subclasses in other folders
TYPED_FROM = 10
_NAMES_SHOWN = 8


class Choose(Dialog[str | None]):
    """One of several; returns its name, or None. ``lines`` explain the question.

    ``keys``: names of options by the key that takes one at once, as it would without the menu; its own keys come first.
    """

    CSS_PATH = _HERE / "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close", id="choose.close"),
        Binding("j", "move('cursor_down')", "down", id="choose.down"),
        Binding("k", "move('cursor_up')", "up", id="choose.up"),
    ]

    def __init__(
        self,
        title: str,
        options: Sequence[tuple[str, str]],
        *,
        lines: Sequence[str] = (),
        keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self._keys = keys
        self._title = title
        self._options = list(options)
        self._lines = [safe_display(line) for line in lines]

    def compose(self) -> ComposeResult:
        """The title and the options."""
        with Vertical(classes="dialog"):
            yield Line(safe_display(self._title), classes="dialog--title")
            if self._lines:
                shown = [*self._lines[:_NAMES_SHOWN], *(["…"] if len(self._lines) > _NAMES_SHOWN else [])]
                yield Static(Content("\n".join(f"  {line}" for line in shown)), markup=False)
            yield Options(*(Option(Content(safe_display(text))) for _name, text in self._options), markup=False)

    def on_key(self, event: events.Key) -> None:
        """Take the option of a letter."""
        name = self._keys.get(event.key)
        if name is not None and event.key not in self._bindings.key_to_bindings:
            event.stop()
            self.dismiss(name)

    def action_move(self, direction: str) -> None:
        """Move in the list."""
        getattr(self.query_one(Options), f"action_{direction}")()

    @on(Options.OptionSelected)
    def chosen(self, event: Options.OptionSelected) -> None:
        """Return what was chosen."""
        self.dismiss(self._options[event.option_index][0])


class ChooseSeveral(Dialog[list[str] | None]):
    """Several of a few; returns the names of those that are marked, or None. ``marked`` are those at the beginning."""

    CSS_PATH = _HERE / "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close", id="several.close"),
        Binding("space", "mark", "mark", id="several.mark", priority=True),
        Binding("j", "move('cursor_down')", "down", id="several.down"),
        Binding("k", "move('cursor_up')", "up", id="several.up"),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], marked: Collection[str]) -> None:
        super().__init__()
        self._title = title
        self._options = list(options)
        self._marked = {name for name, _text in options if name in marked}

    def compose(self) -> ComposeResult:
        """The title and the options, each with its mark."""
        with Vertical(classes="dialog"):
            yield Line(safe_display(self._title), classes="dialog--title")
            yield Options(*(Option(self._words(at)) for at in range(len(self._options))), markup=False)
            yield Line("space marks, enter takes what is marked, esc changes nothing", classes="dialog--note")

    def _words(self, at: int) -> Content:
        name, text = self._options[at]
        return Content(f"{'[x]' if name in self._marked else '[ ]'} {safe_display(text)}")

    def action_move(self, direction: str) -> None:
        """Move in the list."""
        getattr(self.query_one(Options), f"action_{direction}")()

    def action_mark(self) -> None:
        """Mark what is under the cursor, or take its mark away."""
        options = self.query_one(Options)
        if options.highlighted is not None:
            self._marked ^= {self._options[options.highlighted][0]}
            options.replace_option_prompt_at_index(options.highlighted, self._words(options.highlighted))

    @on(Options.OptionSelected)
    def taken(self) -> None:
        """Return what is marked."""
        self.dismiss([name for name, _text in self._options if name in self._marked])


class Confirm(Dialog[bool]):
    """A yes or no before something is done: y and n, Esc, or Enter on a button answer. Many things are to be counted.

    Cancel has the focus where ``is_destructive``: what Enter does loses nothing. What it names was fixed when it
    opened: rows that move meanwhile change nothing. ``refusal``: what that button says where it cancels nothing, and
    what it does.
    """

    CSS_PATH = _HERE / "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss(False)", "cancel", id="confirm.cancel"),
        Binding("y", "agree", "agree", id="confirm.agree"),
        Binding("left,right", "app.focus_next", "other button", id="confirm.other"),
    ]

    def __init__(
        self,
        question: str,
        names: Sequence[str],
        verb: str,
        *,
        consequence: str = "",
        is_destructive: bool = True,
        refusal: tuple[str, str] = ("Cancel", "cancels"),
    ) -> None:
        super().__init__()
        self._is_destructive = is_destructive
        self._refusal = refusal
        self._question = question
        self._names = [safe_display(name, limit=60) for name in names]
        self._verb = verb
        self._consequence = consequence

    @property
    def _is_typed(self) -> bool:
        return len(self._names) >= TYPED_FROM

    def compose(self) -> ComposeResult:
        """The question, what it is about, and two buttons."""
        names = self._names[:_NAMES_SHOWN]
        if len(self._names) > len(names):
            names.append(f"… and {len(self._names) - len(names)} more")
        with Vertical(classes="dialog"):
            yield Line(safe_display(self._question), classes="dialog--title")
            yield Static(Content("\n".join(f"  {name}" for name in names)), markup=False)
            if self._consequence:
                yield Static(Content(safe_display(self._consequence)), markup=False, classes="dialog--note")
            if self._is_typed:
                yield Line(f"type {len(self._names)} to continue:", classes="dialog--note")
                yield Input(id="typed", compact=True)
            with Horizontal(classes="dialog--buttons"):
                yield Button(self._refusal[0], id="cancel", compact=True)
                variant: Literal["error", "primary"] = "error" if self._is_destructive else "primary"
                yield Button(self._verb, id="go", variant=variant, compact=True, disabled=self._is_typed)
            yield Line(f"y agrees, n or esc {self._refusal[1]}, enter presses the button", classes="dialog--note")

    def on_mount(self) -> None:
        """What is lost is not lost by Enter."""
        self.query_one("#cancel" if self._is_destructive else "#go", Button).focus()

    def action_agree(self) -> None:
        """Agree by key; where a number is to be typed, lead there until it is right."""
        if self.query_one("#go", Button).disabled:
            self.query_one("#typed", Input).focus()
        else:
            self.dismiss(True)

    @on(Input.Changed, "#typed")
    def typed(self, event: Input.Changed) -> None:
        """Let the button go once the number is right."""
        self.query_one("#go", Button).disabled = event.value.strip() != str(len(self._names))

    @on(Button.Pressed)
    def answered(self, event: Button.Pressed) -> None:
        """Return the answer."""
        self.dismiss(event.button.id == "go")
