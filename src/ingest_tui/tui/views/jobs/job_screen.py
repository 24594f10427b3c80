"""One job in detail: phases with their progress, counters, every document's outcome, and the log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from ingest_tui.model.log import LEVELS
from ingest_tui.model.reasons import OF_THE_JOB, PROBLEM_OUTCOMES
from ingest_tui.tui.actions.actions import bindings_of, shell_word
from ingest_tui.tui.client.editable_records import Record, job_record
from ingest_tui.tui.client.feed import FeedUpdate
from ingest_tui.tui.header import WIDE
from ingest_tui.tui.views.base.finding import FindingScreen
from ingest_tui.tui.views.jobs.job_actions import JobActions
from ingest_tui.tui.views.jobs.job_items import SORTS, Only
from ingest_tui.tui.views.jobs.job_pane import JobPane
from ingest_tui.tui.views.logs.log_lines import LogLines
from ingest_tui.tui.widgets.table import VirtualTable

_ROOM_FOR_BOTH = 34


class JobScreen(FindingScreen, JobActions):
    """A job, opened from a list; Esc goes back."""

    view = "job"
    heading = "Jobs"
    sorts: ClassVar[dict[str, str]] = SORTS
    sorts_of_heads: ClassVar[dict[str, str]] = {"outcome": "problems first", "ms": "slowest"}
    CSS_PATH = "job_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("job")]

    def __init__(self, job_id: str, *, log: bool = False) -> None:
        super().__init__()
        self.job_id = job_id
        self._log_first = log

    def compose_body(self) -> ComposeResult:
        """The job."""
        yield JobPane(id="job-pane")

    @property
    def main_id(self) -> str:
        """The outcomes have the focus."""
        return "job-items"

    @property
    def pane(self) -> JobPane:
        """The job."""
        return self.query_one("#job-pane", JobPane)

    def place(self) -> str:
        """Where we are."""
        return f"Jobs > {self.job_id[-4:]}"

    def reopener(self) -> tuple[str, Callable[[], JobScreen]]:
        """The job."""
        return f"job {self.job_id}", partial(JobScreen, self.job_id)

    def shows_job(self, job_id: str) -> bool:
        """Only this one."""
        return job_id == self.job_id

    def on_mount(self) -> None:
        """Follow the job."""
        super().on_mount()
        self.pane.follow(self.job_id)
        if self._log_first:
            self.show_log()

    def on_resize(self) -> None:
        """Show outcomes and log together when there is room."""
        super().on_resize()
        self.pane.set_class(self.size.width >= WIDE, "-wide")
        self.pane.set_class(self.size.width < WIDE and self.size.height >= _ROOM_FOR_BOTH, "-both")
        self.pane.show_state()

    def feed_changed(self, update: FeedUpdate) -> None:
        """Read on when the feed has news of this job."""
        if any(row.job_id == self.job_id for row in update.changed):
            self.pane.refresh_job()

    def redraw_ages(self) -> None:
        """Let times grow while the job runs."""
        super().redraw_ages()
        if self.pane.manifest is not None and not self.pane.manifest.ended:
            self.pane.show_state()

    def catch_up(self) -> None:
        """Show the outcomes that pass the filter."""
        self.pane.words, self.pane.sort, self.pane.reversed = self.words, self.sort, self.reversed
        self._arrange()
        self.pane.refresh_job()
        self._say()

    def _arrange(self) -> None:
        self.pane.show_items()
        self.pane.wait_for("arrange")

    @property
    def is_loading(self) -> bool:
        """Whether other outcomes are on their way."""
        return super().is_loading or self.pane.is_loading

    def stop_loading(self) -> None:
        """Wait no longer."""
        super().stop_loading()
        self.pane.stop_loading()

    @on(JobPane.ItemsShown)
    def items_shown(self) -> None:
        """Say how many are shown."""
        self._say()

    def _say(self) -> None:
        self.say_info(len(self.pane.items.rows), self.pane.number_of_items, "outcome", self.pane.only.words)

    @on(VirtualTable.Moved, "#job-reasons")
    def reason_moved(self) -> None:
        """Say what to do about the reason under the cursor."""
        group = self.pane.reasons.current
        if group is not None and self.pane.reasons.has_focus:
            self.say_hint(f"{group.shown_detail}  hint: {group.hint or 'enter shows its documents'}", "bad")

    @on(VirtualTable.Moved, "#job-items")
    def moved(self) -> None:
        """Say what happened to the document under the cursor, and what to do."""
        self._say()
        row = self.pane.items.current
        if row is None:
            self.say_hint("")
            return
        outcome = row.outcome
        hint = f"  hint: {outcome.hint}" if outcome.hint else ""
        tone = "bad" if outcome.outcome == "failed" else ""
        self.say_hint(f"{outcome.detail or outcome.reason}{hint}", tone)

    # The log

    @property
    def keys_of(self) -> str:
        """Those of the log while that has the focus."""
        return "job_log" if self.is_whole and self.pane.log_lines.has_focus else self.view

    def on_descendant_focus(self) -> None:
        """Name the keys of what has the focus now."""
        self.say_keys()

    @property
    def lines_searched(self) -> LogLines:
        """The log."""
        return self.pane.log_lines

    def say_lines(self) -> None:
        """Say in its border what was found."""
        self.pane.say_log()

    def start_filter(self) -> None:
        """Find in the log where that has the focus, else filter the outcomes."""
        if self.pane.log_lines.has_focus:
            self.start_find()
        else:
            super().start_filter()

    def find_in_log(self) -> None:
        """Show the log, and open the field for what to find in it."""
        if not self.pane.log_lines.has_focus:
            self.show_log()
        self.call_after_refresh(self.start_find)

    # Actions

    def target_jobs(self) -> list[str]:
        """Return the job that is shown."""
        return [self.job_id]

    def command_values(self) -> dict[str, str]:
        """Name the job, and the document under the cursor."""
        row = self.pane.items.current
        values = {"job": self.job_id}
        if self.pane.manifest is not None:
            values["source"] = self.pane.manifest.source_id
        if self.keys_of == "job_log":
            values["document"] = self.pane.document_of_line
        elif row is not None:
            values["document"] = row.outcome.document_id or row.outcome.uri
        return values | {"level": self.pane.level}

    def shown_commands(self) -> dict[str, str]:
        """The outcomes of the kind that is shown; words and reasons have no option."""
        only = self.pane.only
        if not only.outcome or only.reason or self.words:
            return {}
        return {"job.outcome": f"ingest-tui job items {shell_word(self.job_id)} --outcome {only.outcome}"}

    def copies(self) -> dict[str, str]:
        """The job; of the document under the cursor its address and what is wrong with it, or the line of the log."""
        if self.keys_of == "job_log":
            return super().copies() | {"line": self.pane.line_of_log}
        row = self.pane.items.current
        if row is None:
            return super().copies()
        outcome = row.outcome
        return super().copies() | {"path": outcome.uri} | ({"error": outcome.detail} if outcome.detail else {})

    def record(self) -> Record:
        """The manifest."""
        return job_record(self.ingest.client, self.job_id)

    @on(VirtualTable.Opened, "#job-items")
    @on(VirtualTable.Opened, "#job-reasons")
    @on(LogLines.Opened)
    def open_selected(self) -> None:
        """Open a reason to its outcomes; a document, or say why there is none; or what a line of the log is about."""
        if self.pane.reasons.has_focus:
            self._open_reason()
            return
        if self.keys_of == "job_log":
            self.explain()
            return
        row = self.pane.items.current
        if row is not None and row.outcome.document_id and row.outcome.outcome not in {"retired", *PROBLEM_OUTCOMES}:
            self.ingest.open_document(row.outcome.document_id, row.outcome.key)
        elif row is not None:
            self.explain()

    def _open_reason(self) -> None:
        group = self.pane.reasons.current
        if group is None:
            return
        if group.outcome == OF_THE_JOB:
            self.show_notice(group.shown_detail, group.hint)
            return
        self.show_only(Only(group.outcome, group.reason))
        self.show_items()

    def show_only(self, only: Only) -> None:
        """Show only outcomes of a kind, and of a reason."""
        self.pane.only = only
        self._arrange()
        self._say()

    def choose_outcome(self) -> None:
        """Let a person choose which outcomes are shown."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(outcome: str | None) -> None:
            if outcome is not None:
                self.show_only(Only(outcome))

        self.app.push_screen(Choose("Show which outcomes?", self.pane.outcomes.choices()), chosen)

    def show_reasons(self) -> None:
        """Show the errors by reason instead of the outcomes, or back; where both are shown, go to them."""
        pane = self.pane
        if pane.has_class("-wide"):
            (pane.items if pane.reasons.has_focus else pane.reasons).focus()
            return
        pane.remove_class("-log")
        pane.toggle_class("-reasons")
        self.call_after_refresh((pane.reasons if pane.has_class("-reasons") else pane.items).focus)

    def go_back(self) -> None:
        """From the reasons back to all outcomes, then as in every view."""
        if self.looked_for or self.words or self.has_class("-filtering") or self.has_marks:
            super().go_back()
        elif self.pane.has_class("-reasons"):
            self.show_items()
        elif self.pane.only.outcome:
            self.show_only(Only())
        else:
            super().go_back()

    def explain(self) -> None:
        """Say why the document is here, or why not."""
        if self.keys_of == "job_log":
            if self.pane.document_of_line:
                self.ingest.explain(self.pane.document_of_line)
            else:
                self.show_notice("this line is about no document")
            return
        row = self.pane.items.current
        if row is not None:
            self.ingest.explain(row.outcome.document_id or row.outcome.uri)

    def show_log(self) -> None:
        """Show the log instead of the outcomes, or back; where both are shown, go to it."""
        pane = self.pane
        if pane.has_class("-both") or pane.has_class("-wide"):
            (pane.items if pane.log_lines.has_focus else pane.log_lines).focus()
            return
        pane.remove_class("-reasons")
        pane.toggle_class("-log")
        # What was hidden can take the focus only once it is laid out.
        self.call_after_refresh((pane.log_lines if pane.has_class("-log") else pane.items).focus)

    def show_items(self) -> None:
        """Show the outcomes."""
        self.pane.remove_class("-log")
        self.pane.remove_class("-reasons")
        self.call_after_refresh(self.pane.items.focus)

    def toggle_follow(self) -> None:
        """Follow the log or hold it still."""
        log = self.pane.log_lines
        log.set_follow(not (log.follow and log.is_at_end))
        self.show_notice("the log is followed" if log.follow else "the log is not followed: f follows it again")
        self.pane.say_log()

    def toggle_timestamps(self) -> None:
        """Show the times in the log, or leave them out."""
        self.pane.timestamps = not self.pane.timestamps
        self.pane.show_log()

    def choose_level(self, level: str = "") -> None:
        """Show the lines of the log from a level on."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(name: str | None) -> None:
            if name in LEVELS:
                self.pane.level = name
                self.pane.show_log()

        if level:
            chosen(level)
        else:
            self.app.push_screen(Choose("Show", [(name, f"{name} and above") for name in LEVELS]), chosen)

    def toggle_wrap(self) -> None:
        """Wrap long lines of the log, or cut them."""
        self.pane.log_lines.toggle_wrap()
