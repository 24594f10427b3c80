"""What a screen needs of the application, and the application of a view: so that neither imports the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from textual.content import Content
    from textual.screen import Screen

    from ingest_tui.services.client import Client
    from ingest_tui.tui.actions.action_registry import Registry
    from ingest_tui.tui.actions.undo import UndoStack
    from ingest_tui.tui.client.feed import Feed
    from ingest_tui.tui.passage import Passage
    from ingest_tui.tui.terminal.preferences import Preferences
    from ingest_tui.tui.views.jobs.jobs_model import JobsModel
    from ingest_tui.tui.widgets.glyphs import Glyphs


class ShownView(Protocol):
    """What the way back notes of a view."""

    @property
    def view(self) -> str:
        """The name of the view."""
        ...

    @property
    def row_key(self) -> str:
        """The key of the row under the cursor."""
        ...

    def reopener(self) -> tuple[str, Callable[[], Screen[None]]] | None:
        """What an inner view shows, and how to open it again; None for a top view."""
        ...


class Application(Protocol):
    """`IngestApp`, as screens and widgets see it."""

    client: Client
    feed: Feed
    glyphs: Glyphs
    model: JobsModel
    preferences: Preferences
    registry: Registry
    now: Callable[[], float]
    view_state: dict[str, dict[str, Any]]
    living_workers: tuple[Any, ...]
    command_history: list[str]
    recent_actions: list[str]
    undo_stack: UndoStack

    @property
    def is_changing(self) -> bool:
        """Whether a change that a screen has asked for is still under way."""
        ...

    @property
    def workspace_to_name(self) -> str:
        """The workspace as command lines have to name it; empty where it is the default one."""
        ...

    @property
    def worker_hint(self) -> str:
        """What to say when something is queued and nobody works."""
        ...

    def header(self, place: str, width: int) -> Content:
        """Return the first line of a view."""
        ...

    def use_theme(self, name: str) -> None:
        """Colour the screen."""

    def paint_all(self) -> None:
        """Send the whole screen again, whatever the terminal shows."""

    def send_to_clipboard(self, text: str) -> bool:
        """Send a text to the terminal's clipboard; False: it is too long."""
        ...

    def arrived(self, screen: ShownView) -> None:
        """Note that a view is shown now."""

    def travel(self, steps: int) -> bool:
        """Go back or forward in the history; False where there is nothing more."""
        ...

    def show_view(self, view: str, words: str | None = None) -> None:
        """Show a top view without what was opened over it."""

    def lead_to(self, view: str, *, row: str = "") -> None:
        """Show a top view for a row of another one; Esc goes back there."""

    def go_back_where_led_from(self) -> None:
        """Show the view whose row has led here, if one has."""

    def open_job(self, job_id: str) -> None:
        """Show one job over the jobs."""

    def open_job_here(self, job_id: str) -> None:
        """Show one job over the view that is shown."""

    def open_source_here(self, source_id: str) -> None:
        """Show the page of a source over the view that is shown; Esc goes back to that."""

    def open_source(self, source_id: str) -> None:
        """Show the page of a source over the sources."""

    def open_collection(self, collection_id: str) -> None:
        """Show the page of a collection over the collections."""

    def open_collection_here(self, collection_id: str) -> None:
        """Show the page of a collection over the view that is shown; Esc goes back to that."""

    def add_source(self) -> None:
        """Go to the sources and open the form."""

    def show_documents_of(self, source_id: str) -> None:
        """Show the documents of one source; Esc goes back."""

    def show_documents_in(self, collection_id: str) -> None:
        """Show the documents of one collection; Esc goes back."""

    def open_document(self, document_id: str, name: str, passage: Passage | None = None) -> None:
        """Show the text of a document over the view, at the passage that a search has found."""

    def explain(self, target: str) -> None:
        """Show why a document is here, or why not."""
