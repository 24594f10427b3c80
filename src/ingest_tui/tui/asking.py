"""Asking the services in a thread: the thread posts the answer, the handler gives it to whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from textual.dom import DOMNode
from textual.worker import get_current_worker

from ingest_tui.model.errors import IngestError
from ingest_tui.model.naming import safe_display
from ingest_tui.tui.messages import Answered, Refused
from ingest_tui.tui.safety import crash_report

Answer = TypeVar("Answer")
Trouble = Callable[[str, str], None]


class Asking(DOMNode):
    """A screen or widget that asks. A newer question of the same ``group`` makes the older answer void."""

    def ask(
        self,
        work: Callable[[], Answer],
        then: Callable[[Answer], None],
        *,
        group: str,
        otherwise: Trouble | None = None,
    ) -> None:
        """Do ``work`` in a thread and call ``then`` with its answer on this loop, or ``otherwise`` with the trouble."""

        def once() -> Iterator[Answer]:
            yield work()

        self.ask_many(once, then, group=group, otherwise=otherwise)

    def ask_many(
        self,
        work: Callable[[], Iterator[Answer]],
        then: Callable[[Answer], None],
        *,
        group: str,
        otherwise: Trouble | None = None,
    ) -> None:
        """Like `ask` for work that has several answers, one after another."""

        def in_thread() -> None:
            worker = get_current_worker()
            try:
                for answer in work():
                    if worker.is_cancelled:
                        return
                    self.post_message(Answered(then, answer))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told, not raised into the loop
                if not worker.is_cancelled:
                    self.post_message(_refusal(error, otherwise))

        self.run_worker(in_thread, thread=True, exclusive=True, group=group, exit_on_error=False)

    def on_answered(self, event: Answered) -> None:
        """Give the answer to whoever asked."""
        event.stop()
        event.then(event.answer)

    def on_refused(self, event: Refused) -> None:
        """Tell what went wrong."""
        event.stop()
        if event.otherwise is not None:
            event.otherwise(event.message, event.hint)
        else:
            self.tell(event.message, event.hint, bad=True)

    def tell(self, message: str, hint: str = "", *, bad: bool = False) -> None:
        """Show a short notice; data in it is shown as it is, never as markup."""
        text = safe_display(message) + (f"\n{safe_display(hint)}" if hint else "")
        self.app.notify(text, severity="error" if bad else "information", timeout=8 if bad else 4, markup=False)


def _refusal(error: Exception, otherwise: Trouble | None) -> Refused:
    if isinstance(error, IngestError):
        return Refused(error.message, error.hint, otherwise)
    if isinstance(error, OSError):
        return Refused(error.strerror or type(error).__name__, "", otherwise)
    report = crash_report(error)
    return Refused(report[0].removeprefix("error: "), " ".join(report[1:-1]), otherwise)
