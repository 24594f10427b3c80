"""Lines that come one by one over a view: the steps of a test, or the story of a document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.client import Client
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.text import TextLines
from ingest_tui.tui.widgets.text_lines import TonedLine

if TYPE_CHECKING:
    from ingest_tui.tui.client.editable_records import Record


_HERE = Path(__file__).parent  # of the style sheets, also for subclasses in other folders


class Report(Asking, Dialog[str | None]):
    """Lines of text over a view."""

    CSS_PATH = [_HERE / "dialogs.tcss", _HERE / "report.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", id="report.leave"),
        Binding("q,enter", "dismiss(None)", "close", id="report.close"),
        Binding("j", "scroll(1)", "down", id="report.down"),
        Binding("k", "scroll(-1)", "up", id="report.up"),
        Binding("g", "end(True)", "first", id="report.first"),
        Binding("G", "end(False)", "last", id="report.last"),
        Binding("slash", "find", "find", id="report.find"),
        Binding("n", "find_again(1)", "next", id="report.next"),
        Binding("N", "find_again(-1)", "previous", id="report.previous"),
        Binding("v", "wrap", "wrap", id="report.wrap"),
    ]
    closing: ClassVar[str] = "esc closes"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Title, lines, and how to continue."""
        with Vertical(classes="dialog report"):
            yield Line(safe_display(self._title), classes="dialog--title")
            yield Input(id="report-find", placeholder="find: enter goes there, n and N go on", compact=True)
            yield TextLines(id="report-lines")
            yield Line(self.closing, id="report-end", classes="dialog--note")

    def on_mount(self) -> None:
        """Begin."""
        self.query_one("#report-find", Input).cursor_blink = False
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

    def action_end(self, first: bool) -> None:
        """Go to an end."""
        self.lines.move_to_end(first=first)

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.lines.toggle_wrap()

    @on(TextLines.Moved)
    def say_position(self) -> None:
        """Say where one reads, where that is not all, and what was found."""
        lines = self.lines
        title_panel(self.query_one(".report"), "", "" if lines.shows_all else lines.position)

    # Finding

    def action_find(self) -> None:
        """Open the field for what to find."""
        self.add_class("-finding")
        self.query_one("#report-find", Input).focus()

    def action_find_again(self, steps: int) -> None:
        """Go on to the next line that has it, or the one before."""
        self.lines.find_again(steps)

    @on(Input.Changed, "#report-find")
    def find_typed(self, event: Input.Changed) -> None:
        """Find while a person types."""
        self.lines.find([event.value])

    @on(Input.Submitted, "#report-find")
    def find_done(self) -> None:
        """Go on in the text."""
        self.remove_class("-finding")
        self.lines.focus()

    def action_leave(self) -> None:
        """End the finding, else close."""
        entry = self.query_one("#report-find", Input)
        if self.has_class("-finding") or entry.value:
            entry.value = ""
            self.find_done()
        else:
            self.dismiss(None)

    def say_failure(self, message: str, hint: str) -> None:
        """Say what went wrong among the lines."""
        self.lines.append([(f"! {message}", "bad"), (f"  {hint}", "quiet")])


class LinesReport(Report):
    """Lines that are known already."""

    def __init__(self, title: str, lines: Sequence[str | tuple[str, str] | TonedLine]) -> None:
        super().__init__(title)
        self._known = list(lines)

    def begin(self) -> None:
        """Show them."""
        self.lines.show(self._known)


class Story(Report):
    """Why a document is here, or why not."""

    def __init__(self, client: Client, target: str) -> None:
        super().__init__("Why is it (not) here?")
        self._client = client
        self._target = target

    def begin(self) -> None:
        """Ask for the story."""
        client, target = self._client, self._target
        self.ask(
            lambda: client.documents.explain(target).lines(),
            self.lines.show,
            group="report",
            otherwise=self.say_failure,
        )


class RecordReport(Report):
    """A record of the workspace as JSON, to read."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.name[:1].upper() + record.name[1:])
        self._record = record

    def begin(self) -> None:
        """Ask for the JSON."""
        self.ask(self._record.read, self._show, group="report", otherwise=self.say_failure)

    def _show(self, text: str) -> None:
        self.lines.show(text.rstrip("\n").split("\n"))


class TestReport(Report):
    """The steps of a test as they are done. Returns ``sync`` or ``plan`` when a person wants that of a source.

    ``steps`` yields them where it is not a source that is tested; ``guide`` is before the title.
    """

    __test__ = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "go_on('sync')", "sync now", id="report.sync"),
        Binding("p", "go_on('plan')", "what it would do", id="report.plan"),
    ]
    closing = "testing …  esc closes"

    def __init__(
        self,
        client: Client,
        what: str,
        *,
        steps: Callable[[], Iterable[Any]] | None = None,
        guide: str = "",
    ) -> None:
        super().__init__(f"{guide}Test of {what}")
        self._steps = steps or partial(client.sources.test, what)
        self._is_source = steps is None
        self._all_well = True

    def begin(self) -> None:
        """Begin the test; its steps come as they are done."""
        steps = self._steps

        def work() -> Iterator[Any]:
            yield from steps()
            yield None

        self.ask_many(work, self._step, group="report", otherwise=self._failed)

    def _step(self, step: Any) -> None:
        if step is None:
            verdict = "all is well" if self._all_well else "it does not work yet"
            ways = ": p shows what a sync would do, s syncs it now" if self._is_source else ""
            self.query_one("#report-end", Line).say(f"{verdict}{ways}, esc closes")
            return
        self._all_well = self._all_well and step.ok
        glyph, tone = ("+ ok    ", "") if step.ok else ("! failed", "bad")
        self.lines.append([(f"{glyph} {step.name:12} {step.message}  ({step.milliseconds:.0f} ms)", tone)])
        hint = getattr(step, "hint", "")
        if hint:
            self.lines.append([(f"           {hint}", "quiet")])

    def _failed(self, message: str, hint: str) -> None:
        self._all_well = False
        self.say_failure(message, hint)
        self._step(None)

    def action_go_on(self, what: str) -> None:
        """Close, and continue."""
        if self._is_source:
            self.dismiss(what)
