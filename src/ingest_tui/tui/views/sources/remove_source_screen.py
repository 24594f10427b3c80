"""The question before sources are removed: what goes with them, frozen when it opened, and whether documents stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static

from ingest_tui.tui import wording
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.widgets.fields import Toggle
from ingest_tui.tui.widgets.line import Line

if TYPE_CHECKING:
    from ingest_tui.services.sources.sources import SourceSummary


class RemoveSources(Confirm):
    """Asks, and says in ``keeps_documents`` whether they stay searchable."""

    DEFAULT_CSS = """
    RemoveSources {
        .keep { height: 1; }
        .keep--label { width: 16; }
    }
    """

    def __init__(self, summaries: Sequence[SourceSummary], to_retire: int) -> None:
        """``to_retire``: how many documents have no place in another source."""
        self.keeps_documents = False
        self.source_ids: list[str] = [summary.source.source_id for summary in summaries]
        self._to_retire = to_retire
        self._documents = sum(summary.documents for summary in summaries)
        lines = [_what_goes(summary) for summary in summaries]
        question = f"Remove {wording.plural(len(lines), 'source')}?"
        super().__init__(question, lines, "Remove", consequence=self._fate(keeps=False))

    def _fate(self, *, keeps: bool) -> str:
        documents = wording.plural(self._documents if keeps else self._to_retire, "document")
        fate = "stay searchable, and no sync looks after them" if keeps else "go to the trash"
        return f"{documents} {fate}. The place itself and the credential are not touched."

    def on_mount(self) -> None:
        """Put the choice below the buttons: Cancel stays what Enter does."""
        super().on_mount()
        label, toggle = Line("keep documents", classes="keep--label"), Toggle(value=False, id="keep")
        self.query_one(".dialog").mount(Horizontal(label, toggle, classes="keep"))

    @on(Toggle.Changed)
    def turned(self) -> None:
        """Say what happens now."""
        self.keeps_documents = self.query_one("#keep", Toggle).value
        note = self.query(".dialog--note").first(Static)
        note.update(Content(self._fate(keeps=self.keeps_documents)))

    @on(Toggle.Submitted)
    def submitted(self) -> None:
        """Enter on the choice leads to the buttons."""
        self.query_one("#cancel", Button).focus()


def _what_goes(summary: SourceSummary) -> str:
    parts = [wording.plural(summary.documents, "document")]
    if summary.source.watch:
        parts.append("its watch")
    if summary.active_job is not None:
        parts.append(f"! its job {summary.active_job.job_id} has not ended")
    return f"{summary.source.source_id}: {', '.join(parts)}"
