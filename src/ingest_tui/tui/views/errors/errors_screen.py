"""Errors: an inbox over all jobs, by reason. Enter opens a reason to its documents, and a document to its story."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from ingest_tui.model.matching import matches
from ingest_tui.tui import wording
from ingest_tui.tui.actions import undo
from ingest_tui.tui.actions.actions import Action, bindings_of
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import WIDE
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.views.errors.errors_model import SORTS, ErrorLine, ErrorList, GroupKey, arrange, group_line_key
from ingest_tui.tui.views.errors.failing_sources import CODES, FailingSources
from ingest_tui.tui.widgets.board import Board
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.drawings import with_drawing
from ingest_tui.tui.widgets.table import VirtualTable
from ingest_tui.tui.widgets.text import TextLines

if TYPE_CHECKING:
    from ingest_tui.model.issue import Issue
    from ingest_tui.services.jobs.error_inbox import RetryReport

_LOOK_AGAIN_SECONDS = 2.0
_SETTLE_SECONDS = 0.2


class ErrorsScreen(ViewScreen):
    """What asks for a person."""

    view = "errors"
    heading = "Errors"
    panels: ClassVar[dict[str, str]] = {"errors-story": "Why"}
    sorts: ClassVar[dict[str, str]] = SORTS
    sorts_of_heads: ClassVar[dict[str, str]] = {"what": "reason", "number": "kind", "since": "newest"}
    CSS_PATH = "errors_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("errors")]

    def __init__(self) -> None:
        super().__init__()
        self.ignored = False
        self.opened: set[GroupKey] = set()
        self._errors: ErrorList | None = None
        self._passing = 0
        self._reading = False
        self._has_changed = False
        self._again: Timer | None = None
        self._settling: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """The table; the story of the error under the cursor comes next to it when there is room."""
        yield FailingSources(self.ingest.now)
        with Horizontal():
            yield VirtualTable(self._columns(), lambda line: line.key, id="errors-table")
            yield TextLines(id="errors-story")

    def _columns(self) -> list[Column[ErrorLine]]:
        def since(line: ErrorLine) -> Cell:
            at = line.issue.at if line.issue is not None else line.group.newest.at
            return Cell(wording.age(at, self.ingest.now()), "quiet")

        return [
            Column("what", "REASON / DOCUMENT", 0, _what, is_path=True),
            Column("number", "ITEMS", 6, _number, right=True),
            Column("source", "SOURCE", 14, _source, from_width=60),
            Column("detail", "DETAIL", 0, _detail, from_width=100),
            Column("since", "LAST", 5, since, right=True),
        ]

    @property
    def table(self) -> VirtualTable[ErrorLine]:
        """The table of errors."""
        return cast("VirtualTable[ErrorLine]", self.query_one("#errors-table", VirtualTable))

    @property
    def failing(self) -> FailingSources:
        """The sources that fail."""
        return self.query_one(FailingSources)

    @property
    def story(self) -> TextLines:
        """What is next to the table."""
        return self.query_one("#errors-story", TextLines)

    def place(self) -> str:
        """Where we are."""
        return f"Errors > {'ignored' if self.ignored else self.words or 'all'}"

    # What is shown

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read again some time after documents or jobs have changed: not for each of a thousand commits."""
        if (update.documents_changed or update.changed) and self._again is None:
            self._again = self.set_timer(_LOOK_AGAIN_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._again = None
        self._read()

    def catch_up(self) -> None:
        """Show what is known at once, and read again."""
        if self._errors is not None:
            self._arrange()
        self._read()
        if self._errors is None:
            self.wait_for("errors")

    def _read(self) -> None:
        if self._reading:
            return
        self._reading, self._has_changed = True, False
        client, ignored = self.ingest.client, self.ignored

        def ask() -> tuple[bool, ErrorList]:
            groups, issues = client.errors.grouped(ignored=ignored)
            failing = [one for one in client.maintenance.attention() if one.code in CODES and not ignored]
            return ignored, ErrorList(tuple(groups), tuple(issues), tuple(failing))

        def take(answer: tuple[bool, ErrorList]) -> None:
            self._reading = False
            if answer[0] != self.ignored or self._has_changed:
                self._read_after_change()
                return
            self._errors, self.why_unread = answer[1], []
            self._arrange()

        self.ask(ask, take, group="errors", otherwise=self._issue)

    def reload(self) -> None:
        """Look again, after an answer from before that is on its way, too."""
        self._has_changed = self._reading
        super().reload()
        self.wait_for("errors")

    def _read_after_change(self) -> None:
        """Read again, also where an answer from before is on its way; the next key is meant for what is read then."""
        self._has_changed = True
        self._read()
        self.wait_for("errors")

    def _issue(self, message: str, hint: str) -> None:
        self._reading = False
        self.could_not_read(message, hint)

    def rows_changed(self) -> None:
        """Filter, order or marks have changed."""
        self._arrange()

    def _arrange(self) -> None:
        """Filter and order in a thread: there may be a hundred thousand."""
        errors, words = self._errors, self.words
        if errors is None:
            self.table.show([], empty=self.why_unread or ["reading …"])
            return
        opened, sort, backwards = frozenset(self.opened), self.sort, self.reversed
        passes = (lambda text: matches(text, words)) if words else None
        self.ask(
            lambda: arrange(errors, passes=passes, opened=opened, sort=sort, backwards=backwards),
            self._show,
            group="arrange",
        )
        self.wait_for("arrange")

    def _show(self, answer: tuple[list[ErrorLine], int]) -> None:
        lines, self._passing = answer
        self.table.show(lines, empty=self._empty_words())
        failing = self._errors.failing if self._errors is not None else ()
        self.failing.show_failing(failing)
        if not lines and failing and self.table.has_focus:
            self.failing.focus()
        elif not failing and self.failing.has_focus:
            self.focus_main()
        self.say_header()
        self._say()

    def _empty_words(self) -> list[str]:
        if self.words:
            return wording.nothing_matches("error")
        if self.ignored:
            return ["Nothing is ignored.", "", "esc goes back to the errors"]
        return with_drawing(
            "errors",
            "No errors of documents." if self._errors is not None and self._errors.failing else "No errors.",
            "",
            "Documents that failed, were refused, or have no or suspiciously little text",
            "are shown here by reason, whichever job found them.",
            "Press I to ask why a document is here, or is not.",
        )

    def _say(self) -> None:
        self.say_keys()
        self.say_info(self._passing, None if self._errors is None else len(self._errors.issues), "error")
        line, failing = self.table.current, self.failing.current
        if self.failing.has_focus and failing is not None:
            self.say_hint(f"{failing.message}  hint: {failing.hint}", "bad")
        elif line is None:
            self.say_hint("")
        elif line.issue is None:
            self.say_hint(f"hint: {line.group.hint}")
        else:
            self.say_hint(f"{line.issue.detail or line.group.reason}  hint: {line.group.hint}")

    @on(VirtualTable.Moved, "#errors-sources")
    def on_descendant_focus(self) -> None:
        """Say what is under the cursor of the list that has the focus now."""
        if self.query("#errors-sources"):
            self._say()

    @on(VirtualTable.Moved, "#errors-table")
    def moved(self) -> None:
        """Say what to do, and show the story at the side once the cursor rests."""
        self._say()
        if self.size.width >= WIDE:
            if self._settling is not None:
                self._settling.stop()
            self._settling = self.set_timer(_SETTLE_SECONDS, self._explain_chosen)

    def _explain_chosen(self) -> None:
        line = self.table.current
        if line is None:
            self.story.show([])
            return
        about = _story_of(line)
        if line.issue is None:
            self.story.show(about)
            return
        client, target = self.ingest.client, line.issue.uri
        self.ask(
            lambda: [*about, "", *client.documents.explain(target).lines()],
            self.story.show,
            group="story",
            otherwise=lambda message, hint: self.story.show([*about, "", (message, "bad"), hint]),
        )

    def on_resize(self) -> None:
        """Show the story at the side when there is room now."""
        super().on_resize()
        self.story.display = self.size.width >= WIDE
        if self.size.width >= WIDE:
            self._explain_chosen()

    # Actions

    def chosen(self) -> list[Issue]:
        """Return the errors an action is for: the marked ones, or those under the cursor; a reason stands for all."""
        lines = {line.key: line for line in self.table.rows}
        marked = [lines[key] for key in self.table.chosen_keys if key in lines]
        if self._errors is None or self.failing.has_focus:
            return []
        groups = {line.group_key for line in marked if line.issue is None}
        keys = {line.key for line in marked if line.issue is not None}
        chosen = self._errors.of(groups, keys)
        if not self.words:
            return chosen
        from ingest_tui.tui.views.errors.errors_model import searchable

        return [one for one in chosen if matches(searchable(one), self.words)]

    def command_values(self) -> dict[str, str]:
        """Name the document under the cursor."""
        line = self.table.current
        if self.failing.has_focus and self.failing.current is not None:
            return {"source": self.failing.current.source_id, "job": self.failing.current.job_id}
        if line is None or line.issue is None:
            return {}
        return {"document": line.issue.uri, "source": line.issue.source_id, "job": line.issue.job_id}

    def shown_commands(self) -> dict[str, str]:
        """What is ignored, or is not; words have no option."""
        line = "ingest-tui errors list --ignored" if self.ignored else "ingest-tui errors list"
        return {} if self.words else {"view.errors": line}

    @on(VirtualTable.Opened)
    def open_selected(self) -> None:
        """Open a reason to its documents or close it; explain a document; open a source that fails."""
        if self.failing.has_focus:
            self._open_failing()
            return
        line = self.table.current
        if line is None:
            return
        if line.issue is not None:
            self.explain()
            return
        self.opened ^= {line.group_key}
        self._arrange()

    @on(Board.Left)
    def leave_board(self, event: Board.Left) -> None:
        """Go on in the errors of documents below."""
        if event.steps > 0:
            self.focus_main()

    def _open_failing(self) -> None:
        item = self.failing.current
        if item is not None and item.source_id:
            self.ingest.open_source_here(item.source_id)
        elif item is not None:
            self.show_notice(item.message, item.hint)

    def explain(self) -> None:
        """Say why the document is (not) here."""
        line = self.table.current
        if line is not None and line.issue is not None:
            self.ingest.explain(line.issue.uri)

    def why_not(self, action: Action) -> tuple[str, str] | None:
        """A reason stands for its documents, but why it is here is asked of one of them."""
        line = self.table.current
        if action.id == "document.explain" and line is not None and line.issue is None and not self.failing.has_focus:
            return "this is a reason: enter shows its documents", line.group.hint
        return super().why_not(action)

    def retry_errors(self) -> None:
        """Queue jobs that try the chosen items again."""
        chosen, client = self.chosen(), self.ingest.client
        if not chosen:
            return

        def retried(report: RetryReport) -> None:
            left = f"; {report.left_out_total:,} left out: {report.left_out[0]['reason']}" if report.left_out else ""
            jobs = wording.plural(len(report.jobs), "job")
            self.show_notice(
                f"{wording.plural(report.items, 'item')} queued again in {jobs}{left}", self.ingest.worker_hint
            )
            self.table.clear_marks()
            self.ensure_worker()
            self.ingest.feed.look_now()
            self._say()

        self.ask(lambda: client.errors.retry(chosen), retried, group=None)

    def ignore_errors(self) -> None:
        """Ignore the chosen errors until they change; or, among the ignored ones, show them again."""
        chosen, client, ignore = self.chosen(), self.ingest.client, not self.ignored
        if not chosen:
            return

        def show_number(number: int) -> None:
            what = wording.plural(number, "error")
            self.ingest.undo_stack.add(
                f"{what} shown again" if ignore else f"{what} ignored",
                lambda: client.errors.ignore(chosen, ignore=not ignore),
            )
            self.show_notice(f"{what} ignored: H shows them" if ignore else f"{what} shown again", undo.HINT)
            self.table.clear_marks()
            self._read_after_change()

        self.ask(lambda: client.errors.ignore(chosen, ignore=ignore), show_number, group=None)

    def toggle_ignored(self) -> None:
        """Show what is ignored instead, or go back."""
        self.ignored = not self.ignored
        self._errors = None
        self.table.clear_marks()
        self._arrange()
        self._read()
        self.say_header()

    def go_back(self) -> None:
        """Clear the filter, the marks, then close what is open, then leave the ignored ones."""
        if self.has_class("-filtering") or self.words or self.table.marks:
            super().go_back()
        elif self.opened:
            if (line := self.table.current) is not None:
                self.table.select(group_line_key(line.group_key))
            self.opened.clear()
            self._arrange()
        elif self.ignored:
            self.toggle_ignored()


def _what(line: ErrorLine) -> Cell:
    if line.issue is not None:
        return Cell(f"    {line.issue.key}")
    glyph = "▾" if line.is_open else "▸"
    return Cell(
        f"{glyph} {line.group.kind}: {line.group.reason.replace('_', ' ')}", wording.issue_tone(line.group.kind)
    )


def _number(line: ErrorLine) -> Cell:
    return Cell("" if line.issue is not None else wording.count(line.group.number))


def _source(line: ErrorLine) -> Cell:
    return Cell(line.issue.source_id if line.issue is not None else "", "quiet")


def _detail(line: ErrorLine) -> Cell:
    return Cell(line.issue.detail if line.issue is not None else line.group.shown_detail, "quiet")


def _story_of(line: ErrorLine) -> list[str | tuple[str, str]]:
    group, issue = line.group, line.issue
    lines: list[str | tuple[str, str]] = [
        (f"{group.kind}: {group.reason}", "warn"),
        f"{wording.plural(group.number, 'item')}, the last one {group.newest.at}",
        f"hint: {group.hint}",
    ]
    if issue is None:
        return [*lines, "", f"e.g. {group.newest.source_id}: {group.newest.key}", group.newest.detail]
    ignored = [f"ignored by {issue.ignored_by}"] if issue.ignored_by else []
    return [*lines, "", f"{issue.source_id}: {issue.key}", issue.detail, f"job {issue.job_id}", *ignored]
