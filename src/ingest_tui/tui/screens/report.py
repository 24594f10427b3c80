"""Lines that come one by one over a view: the steps of a test, or the story of a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from ingest_tui.model.naming import safe_display
from ingest_tui.tui.asking import Asking
from ingest_tui.tui.gateway import Gateway
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.services.sources import TestStep


class Report(Asking, ModalScreen[bool | None]):
    """Lines of text over a view."""

    CSS_PATH = ["dialogs.tcss", "report.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss(None)", "close", id="report.close"),
        Binding("j", "scroll(1)", "down", id="report.down"),
        Binding("k", "scroll(-1)", "up", id="report.up"),
    ]
    closing: ClassVar[str] = "esc closes"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Title, lines, and how to go on."""
        with Vertical(classes="dialog report"):
            yield Line(safe_display(self._title), classes="dialog--title")
            yield TextLines(id="report-lines")
            yield Line(self.closing, id="report-end", classes="dialog--note")

    def on_mount(self) -> None:
        """Begin."""
        self.lines.focus()
        self.begin()

    def begin(self) -> None:
        """Ask for the lines."""

    @property
    def lines(self) -> TextLines:
        """The lines."""
        return self.query_one("#report-lines", TextLines)

    def action_scroll(self, lines: int) -> None:
        """Scroll."""
        self.lines.move(lines)

    def say_trouble(self, message: str, hint: str) -> None:
        """Say what went wrong among the lines."""
        self.lines.append([(f"! {message}", "bad"), (f"  {hint}", "quiet")])


class Text(Report):
    """Lines that are there already."""

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__(title)
        self._text = list(lines)

    def begin(self) -> None:
        """Show them."""
        self.lines.show(self._text)


class Story(Report):
    """Why a document is here, or why not."""

    def __init__(self, gateway: Gateway, target: str) -> None:
        super().__init__("Why is it (not) here?")
        self._gateway = gateway
        self._target = target

    def begin(self) -> None:
        """Ask for the story."""
        gateway, target = self._gateway, self._target
        self.ask(lambda: gateway.explain(target), self.lines.show, group="report", otherwise=self.say_trouble)


class TestReport(Report):
    """The steps of testing a source as they are done. Returns True when a person wants to sync it."""

    __test__ = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "sync", "sync now", id="report.sync")]
    closing = "testing …  esc closes"

    def __init__(self, gateway: Gateway, source_id: str) -> None:
        super().__init__(f"Test of {source_id}")
        self._gateway = gateway
        self._source_id = source_id
        self._all_well = True

    def begin(self) -> None:
        """Begin the test; its steps come as they are done."""
        gateway, source_id = self._gateway, self._source_id

        def work() -> object:
            yield from gateway.test_source(source_id)
            yield None

        self.ask_many(work, self._step, group="report", otherwise=self._failed)  # type: ignore[arg-type]

    def _step(self, step: TestStep | None) -> None:
        if step is None:
            verdict = "all is well: s syncs it now" if self._all_well else "s syncs it all the same"
            self.query_one("#report-end", Line).say(f"{verdict}, esc closes")
            return
        self._all_well = self._all_well and step.ok
        glyph, tone = ("+ ok    ", "") if step.ok else ("! failed", "bad")
        self.lines.append([(f"{glyph} {step.name:12} {step.message}  ({step.milliseconds:.0f} ms)", tone)])

    def _failed(self, message: str, hint: str) -> None:
        self._all_well = False
        self.say_trouble(message, hint)
        self._step(None)

    def action_sync(self) -> None:
        """Close, and sync."""
        self.dismiss(True)
