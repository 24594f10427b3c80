"""What the screens ask of the services about errors over all jobs; part of the `Gateway`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest_tui.tui.client.source_calls import Opening

if TYPE_CHECKING:
    from ingest_tui.model.trouble import Trouble
    from ingest_tui.services.jobs.error_inbox import RetryReport
    from ingest_tui.tui.views.errors.errors_model import ErrorList


class ErrorCalls(Opening):
    """The calls about errors."""

    def errors(self, *, ignored: bool = False) -> ErrorList:
        """Return the errors as they stand, grouped, with hints; or those that are ignored."""
        from ingest_tui.services.jobs import error_inbox
        from ingest_tui.tui.views.errors.errors_model import ErrorList

        with self._workspace() as workspace:
            troubles = error_inbox.list_troubles(workspace, ignored=ignored)
            return ErrorList(tuple(error_inbox.groups_with_hints(workspace, troubles)), tuple(troubles))

    def retry_errors(self, troubles: Sequence[Trouble]) -> RetryReport:
        """Queue jobs that try items again."""
        from ingest_tui.services.jobs import error_inbox

        with self._changing() as workspace:
            return error_inbox.retry_troubles(workspace, troubles)

    def ignore_errors(self, troubles: Sequence[Trouble], *, ignore: bool) -> int:
        """Ignore errors, or show them again; returns how many."""
        from ingest_tui.services.jobs import error_inbox

        with self._changing() as workspace:
            return error_inbox.ignore_troubles(workspace, troubles, ignore=ignore)
