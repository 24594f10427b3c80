"""Actions that every view has: going places, the ``:`` line, help, copying, editing, themes, workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import UsageError
from ingest_tui.model.job_order import job_order
from ingest_tui.model.log import LEVELS
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.theme_names import TEXTUAL_THEMES, THEME_NAMES
from ingest_tui.tui import wording
from ingest_tui.tui.actions import commands
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.navigation.recent import remember
from ingest_tui.tui.terminal import themes
from ingest_tui.tui.widgets.command_line import CommandLine

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection
    from ingest_tui.services.sources.sources import SourceSummary
    from ingest_tui.services.workers import StopReport
    from ingest_tui.tui.actions.actions import Action
    from ingest_tui.tui.application import Application

_STARTING = "starting a worker …"


class Everywhere(Asking, Screen[None]):
    """What can be done wherever one is. Actions of the registry are methods of this, and of the views."""

    view: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._source_ids: list[str] = []
        self._collection_ids: list[str] = []
        self._zoomed_away: list[tuple[Widget, object]] = []

    @property
    def keys_of(self) -> str:
        """Whose keys footer, help and palette name: those of the view, or of a part of it that has the focus."""
        return self.view

    @property
    def ingest(self) -> Application:
        """The application, with its type."""
        return cast("Application", self.app)

    def action_perform(self, action_id: str) -> None:
        """Do an action of the registry; every key binding ends here."""
        self.perform(action_id)

    def perform(self, action_id: str, argument: str = "") -> None:
        """Do an action, unless ``--read-only`` leaves it out."""
        registry = self.ingest.registry
        action = registry.get(action_id)
        if not registry.allows(action):
            self.show_notice(f"not done: {action.title}", "this screen was opened with --read-only")
        elif (why_not := self.why_not(action)) is not None:
            self.show_notice(*why_not)
        else:
            action.run(self, argument)

    def why_not(self, action: Action) -> tuple[str, str] | None:
        """Return why an action is not for what is under the cursor, and a hint; None where it is."""
        del action
        return None

    # Going places

    def go_to(self, view: str, words: str = "") -> None:
        """Show a top view, filtered by words where there are some."""
        self.ingest.show_view(view, words or None)

    def history_back(self) -> None:
        """Show what was shown before."""
        if not self.ingest.travel(-1):
            self.show_notice("this is where you began")

    def history_forward(self) -> None:
        """Show again what was left with ``[``."""
        if not self.ingest.travel(1):
            self.show_notice("there is nothing more")

    def open_job(self, wanted: str) -> None:
        """Open the job of an id, of a part of one, or the last one."""
        known = sorted(self.ingest.model.rows)
        found = known[-1:] if wanted == "last" else [job_id for job_id in known if wanted in job_id]
        exact = [job_id for job_id in found if job_id == wanted or job_id.endswith(f"-{wanted}")]
        if len(exact or found) == 1:
            self.ingest.open_job((exact or found)[0])
        elif found:
            self.show_notice(
                f"{counted(len(found), 'job has', 'jobs have')} {wanted} in their id", "name more of it", bad=True
            )
        else:
            self.show_notice(f"there is no job {wanted}", ":jobs shows all", bad=True)

    def open_named_source(self, wanted: str) -> None:
        """Open the page of the source of an id or a name."""

        def found(summaries: list[SourceSummary]) -> None:
            ids = [
                summary.source.source_id
                for summary in summaries
                if wanted.lower() in {summary.source.source_id, summary.source.name.lower()}
            ]
            if ids:
                self.ingest.open_source(ids[0])
            else:
                self.show_notice(f"there is no source {wanted}", ":sources shows all", bad=True)

        self.ask(self.ingest.client.sources.list, found, group="find-source", opens_dialog=True)

    def open_named_collection(self, wanted: str) -> None:
        """Open the page of the collection of an id or a name."""

        def found(known: list[tuple[Collection, int]]) -> None:
            ids = [
                one.collection_id
                for one, _documents in known
                if wanted.lower() in {one.collection_id, one.name.lower()}
            ]
            if ids:
                self.ingest.open_collection(ids[0])
            else:
                self.show_notice(f"there is no collection {wanted}", ":collections shows all", bad=True)

        self.ask(self.ingest.client.collections.list, found, group="find-collection", opens_dialog=True)

    def jump(self) -> None:
        """Choose a view, a job, a source or a collection, and go there."""
        from ingest_tui.tui.dialogs.jump import Jump

        def chosen(key: str | None) -> None:
            kind, _, name = (key or "").partition(" ")
            ways: dict[str, Callable[[str], object]] = {
                "view": self.ingest.show_view,
                "job": self.ingest.open_job,
                "source": self.ingest.open_source,
                "collection": self.ingest.open_collection,
                "documents": self.ingest.show_documents_of,
            }
            if kind:
                ways[kind](name)

        self.app.push_screen(Jump(self.ingest.client, self.ingest.model.rows.values()), chosen)

    # The screen

    def toggle_zoom(self) -> None:
        """Give the focused pane all the room, or show the others again."""
        if self.end_zoom():
            return
        pane: Widget | None = self.focused
        while pane is not None and pane.id != "body":
            container = pane.parent
            if not isinstance(container, Widget):
                return
            for other in container.children:
                if other is not pane and other.display:
                    self._zoomed_away.append((other, other.styles.inline.get_rule("display", None)))
                    other.display = False
            pane = container

    def end_zoom(self) -> bool:
        """Show all panes again; returns whether one was zoomed."""
        hidden, self._zoomed_away = self._zoomed_away, []
        for widget, before in hidden:
            if before is None:
                widget.styles.inline.clear_rule("display")
            else:
                widget.display = before != "none"
            widget.refresh(layout=True)
        return bool(hidden)

    def choose_theme(self, name: str = "") -> None:
        """Choose how the screen is coloured, and remember that."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        if name in THEME_NAMES:
            self._use_theme(name)
        elif name:
            self.show_notice(
                f"there is no theme {name}", f"{did_you_mean(name, THEME_NAMES)}:theme lists them", bad=True
            )
        else:
            offered = [(known, f"{known}: {what}") for known, what in themes.THEMES.items()]
            offered += [(known, f"{known}: of Textual") for known in TEXTUAL_THEMES]
            self.app.push_screen(Choose("Theme", offered), lambda chosen: self._use_theme(chosen) if chosen else None)

    def _use_theme(self, name: str) -> None:
        self.ingest.use_theme(name)
        client = self.ingest.client
        if not client.read_only:
            self.ask(lambda: client.settings.set_theme(name), lambda _done: None, group=None, in_background=True)

    # The : line

    def command_line(self) -> CommandLine:
        """Return the ``:`` line, hidden. It is there from the start, for what is typed right after the ``:``."""
        return CommandLine(self._continuations, self.ingest.command_history, id="command")

    def start_command(self) -> None:
        """Open the ``:`` line."""
        line = self.query_one(CommandLine)
        line.value = ""
        self.add_class("-commanding")
        self.set_focus(line)
        client = self.ingest.client

        def know_sources(summaries: list[SourceSummary]) -> None:
            self._source_ids = [summary.source.source_id for summary in summaries]

        def know_collections(names: list[str]) -> None:
            self._collection_ids = names

        # What cannot be read is not offered; the command says why when it is run.
        self.ask(client.sources.list, know_sources, group="command-sources", otherwise=lambda *_failure: None)
        self.ask(client.collections.names, know_collections, group="command-names", otherwise=lambda *_failure: None)

    def _continuations(self, line: str) -> Iterator[str]:
        known: dict[str, Sequence[str]] = {
            "FILTER": list(wording.STATE_GLYPHS),
            "JOB": sorted(self.ingest.model.rows, key=job_order, reverse=True),
            "SOURCE": self._source_ids,
            "COLLECTION": self._collection_ids,
            "THEME": THEME_NAMES,
            "LEVEL": LEVELS,
        }
        return commands.continuations(line, self.ingest.registry, self.view, known)

    @on(CommandLine.Closed)
    def close_command_line(self) -> None:
        """Give the line its place back."""
        self.remove_class("-commanding")
        self.focus_main()

    @on(Input.Submitted, "#command")
    def run_command(self, event: Input.Submitted) -> None:
        """Do what the line says, or say what is wrong with it and leave it to be corrected."""
        event.stop()
        if not event.value.strip():
            self.close_command_line()
            return
        try:
            action, argument = commands.resolve(event.value, self.ingest.registry, self.view)
        except UsageError as error:
            self.show_notice(error.message, error.hint, bad=True)
            return
        remember(self.ingest.command_history, event.value.strip())
        self.close_command_line()
        self.perform(action.id, argument)

    def focus_main(self) -> None:
        """Give the main widget of the view the focus."""

    def explain_typed(self) -> None:
        """Say why something is here or not that a person names: it need not be in any list."""
        from ingest_tui.tui.dialogs.ask import Ask

        def asked(target: str | None) -> None:
            if target:
                self.ingest.explain(target)

        note = "a path, an address, a name in a source, or the id of a document"
        self.app.push_screen(Ask("Why is it (not) here?", note=note), asked)

    # Undo

    def undo(self) -> None:
        """Take back the last action of this screen that can be: what it has changed is as it was."""
        if self.ingest.is_changing:  # a person has pressed Esc, and waits for it no longer
            self.show_notice("not undone: a change is still under way", "U undoes that once it is done", bad=True)
            return
        stack = self.ingest.undo_stack
        last = stack.take()
        if last is None:
            self.show_notice("there is nothing to undo")
            return

        def failed(message: str, hint: str) -> None:
            stack.keep(last)
            self.show_notice(message, hint, bad=True)

        def undone(_answer: object) -> None:
            self.show_notice(last.done)
            self.reload()

        self.ask(last.work, undone, group=None, otherwise=failed)

    def reload(self) -> None:
        """Look at the workspace again, without waiting."""

    # Help

    def show_help(self) -> None:
        """Show all keys and actions."""
        from ingest_tui.tui.dialogs.help import Help

        def picked(action_id: str | None) -> None:
            if action_id:
                self.perform(action_id)

        self.app.push_screen(Help(self.keys_of.replace("_", " "), self.ingest.registry.of(self.keys_of)), picked)

    def show_palette(self) -> None:
        """Offer all actions of the view, those that were chosen last first."""
        from ingest_tui.tui.dialogs.palette import Palette

        def picked(action_id: str | None) -> None:
            if action_id:
                remember(self.ingest.recent_actions, action_id)
                self.perform(action_id)

        self.app.push_screen(Palette(self.ingest.registry.of(self.keys_of), self.ingest.recent_actions), picked)

    def suspend(self) -> None:
        """Give the terminal back to the shell until ``fg``."""
        self.app.action_suspend_process()

    def leave(self) -> None:
        """End the screen; jobs keep running in their workers."""
        self.app.exit(return_code=0)

    # The workspace

    def verify_workspace(self) -> None:
        """Check everything of the workspace against everything, and repair what is found where a person agrees."""
        from ingest_tui.tui.dialogs.verify_dialog import VerifyDialog

        self.app.push_screen(VerifyDialog(self.ingest.client))

    def show_embedders(self) -> None:
        """List the embedders."""
        from ingest_tui.tui.dialogs.embedders_dialog import EmbeddersDialog

        self.app.push_screen(EmbeddersDialog(self.ingest.client))

    # Workers

    def start_worker(self) -> None:
        """Start a worker that outlives this screen."""
        self.show_notice(_STARTING)
        client = self.ingest.client

        def started(pid: int) -> None:
            self.withdraw_notice(_STARTING)
            self._worker_changed(f"worker {pid} runs")

        def failed(message: str, hint: str) -> None:
            self.withdraw_notice(_STARTING)
            self.show_notice(message, hint, bad=True)

        self.ask(client.workers.start, started, group=None, in_background=True, otherwise=failed)

    def ensure_worker(self) -> None:
        """After something was queued: start a worker when there is none, and say so."""

        def report_started(pid: int | None) -> None:
            if pid is not None:
                self._worker_changed(f"started worker {pid}: it keeps running when this screen is closed")

        self.ask(self.ingest.client.workers.ensure, report_started, group=None, in_background=True)

    def stop_workers(self) -> None:
        """Stop the workers; their jobs wait for the next one."""

        def report_stopped(report: StopReport) -> None:
            text = f"stopped {wording.plural(len(report.stopped), 'worker')}"
            why = report.remaining[0][1] if report.remaining else ""
            self._worker_changed(f"{text}; a worker keeps running: {why}" if why else text)

        self.ask(self.ingest.client.workers.stop, report_stopped, group=None, in_background=True)

    def _worker_changed(self, text: str) -> None:
        self.show_notice(text)
        self.ingest.feed.look_now()
