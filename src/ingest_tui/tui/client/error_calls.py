"""What the screens ask of the services about errors over all jobs; part of the `Gateway`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest_tui.tui.source_calls import Opening

if TYPE_CHECKING:
    from ingest_tui.model.trouble import Trouble
    from ingest_tui.services.errors import RetryReport
    from ingest_tui.tui.errors_model import ErrorList


class ErrorCalls(Opening):
    """The calls about errors."""

    def errors(self, *, ignored: bool = False) -> ErrorList:
        """Return the errors as they stand, grouped, with hints; or those that are ignored."""
        from ingest_tui.services import errors
        from ingest_tui.tui.errors_model import ErrorList

        with self._workspace() as workspace:
            troubles = errors.list_troubles(workspace, ignored=ignored)
            return ErrorList(tuple(errors.groups_with_hints(workspace, troubles)), tuple(troubles))

    def retry_errors(self, troubles: Sequence[Trouble]) -> RetryReport:
        """Queue jobs that try items again."""
        from ingest_tui.services import errors

        with self._changing() as workspace:
            return errors.retry_troubles(workspace, troubles)

    def ignore_errors(self, troubles: Sequence[Trouble], *, ignore: bool) -> int:
        """Ignore errors, or show them again; returns how many."""
        from ingest_tui.services import errors

        with self._changing() as workspace:
            return errors.ignore_troubles(workspace, troubles, ignore=ignore)
