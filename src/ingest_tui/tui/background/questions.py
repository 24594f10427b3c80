"""Asking the services in a thread: the thread posts the answer, the handler gives it to whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar, cast

from textual.dom import DOMNode
from textual.widgets import Input
from textual.worker import get_current_worker

from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.background.messages import Answered, Question, Refused
from ingest_tui.tui.terminal.safety import crash_report

Answer = TypeVar("Answer")
FailureHandler = Callable[[str, str], None]


class Asking(DOMNode):
    """A screen or widget that asks. A newer question of the same ``group`` makes the older answer void.

    What changes something has no group (None): nothing that is asked later may stop it half-way, and keys wait for it.
    """

    _newest: Mapping[str, int] = MappingProxyType({})
    _unanswered: frozenset[str] = frozenset()
    _awaited_dialogs: frozenset[str] = frozenset()
    _awaited_rows: frozenset[str] = frozenset()
    _changes_under_way: frozenset[object] = frozenset()
    _changes_given_up: frozenset[object] = frozenset()

    def ask(
        self,
        work: Callable[[], Answer],
        then: Callable[[Answer], None],
        *,
        group: str | None,
        otherwise: FailureHandler | None = None,
        opens_dialog: bool = False,
        in_background: bool = False,
    ) -> None:
        """Do ``work`` in a thread and call ``then`` with its answer on this loop, or ``otherwise`` with the error.

        ``opens_dialog``: what is typed from now on is meant for what ``then`` shows, and waits for it; Esc gets out.
        ``in_background``: no key depends on this change, or it may take long: none waits for it.
        """

        def once() -> Iterator[Answer]:
            yield work()

        holds_keys = group is None and not in_background
        self.ask_many(once, then, group=group, otherwise=otherwise, holds_keys=holds_keys)
        if opens_dialog and group is not None:
            self._awaited_dialogs |= {group}

    # What keys wait for

    @property
    def is_loading(self) -> bool:
        """Whether what a person has asked for is on its way, so that what they type now is meant for that."""
        if self._awaited_changes:
            return True
        is_typing = isinstance(self.screen.focused, Input)
        awaited = self._awaited_dialogs if is_typing else self._awaited_dialogs | self._awaited_rows
        return bool(awaited & self._unanswered)

    @property
    def is_changing(self) -> bool:
        """Whether a change is under way, also one that keys do not wait for any more."""
        return bool(self._changes_under_way)

    @property
    def _awaited_changes(self) -> frozenset[object]:
        return self._changes_under_way - self._changes_given_up

    def wait_for(self, group: str) -> None:
        """Let keys wait for the rows of a question that is under way: they are meant for those, unless one types."""
        self._awaited_rows |= {group}

    def stop_loading(self) -> None:
        """Give up the dialogs that would still come. Rows and changes come all the same, and nothing waits for them."""
        for group in self._awaited_dialogs:
            self.workers.cancel_group(self, group)
            self._begin(group)
        self._unanswered = frozenset()
        self._changes_given_up = self._changes_under_way

    def _end_change(self, change: object) -> None:
        self._changes_under_way -= {change}

    def _begin(self, group: str | None) -> Question | None:
        """Return the next question of a group; what was asked before is void.

        Keys that waited for that wait for this. They also wait for what is read after a change, before that has ended:
        the next key acts on what the change has made.
        """
        if group is None:
            return None
        is_awaited = bool(self._awaited_changes) or group in self._awaited_rows & self._unanswered
        question = Question(group, self._newest.get(group, 0) + 1)
        self._newest = {**self._newest, group: question.number}
        self._awaited_dialogs -= {group}
        self._awaited_rows = self._awaited_rows | {group} if is_awaited else self._awaited_rows - {group}
        self._unanswered |= {group}
        return question

    def _is_void(self, question: Question | None) -> bool:
        """Tell whether an answer comes too late; one that does not is noted: nothing waits for it any more."""
        if question is None:
            return False
        if self._newest.get(question.group) != question.number:
            return True
        self._unanswered -= {question.group}
        return False

    def ask_many(
        self,
        work: Callable[[], Iterator[Answer]],
        then: Callable[[Answer], None],
        *,
        group: str | None,
        otherwise: FailureHandler | None = None,
        holds_keys: bool = False,
    ) -> None:
        """Like `ask` for work that has several answers, one after another; ``holds_keys``: keys wait for its end."""
        question = self._begin(group)
        app, change = self.app, object()
        if holds_keys:
            self._changes_under_way |= {change}

        def in_thread() -> None:
            worker = get_current_worker()
            try:
                for answer in work():
                    # A change goes on when its page is left, but not when the program ends.
                    if worker.is_cancelled and (question is not None or not app.is_running):
                        return
                    self.post_message(Answered(then, answer, question))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is shown, not raised into the loop
                if not worker.is_cancelled:
                    self.post_message(_refusal(error, otherwise, question))
            finally:
                if holds_keys:
                    self.post_message(Answered(self._end_change, change))

        is_exclusive = group is not None
        self.run_worker(in_thread, thread=True, exclusive=is_exclusive, group=group or "changes", exit_on_error=False)

    def ask_each(
        self,
        targets: Sequence[str],
        work: Callable[[str], Answer],
        *,
        done: str,
        say: Callable[[str], None],
        then: Callable[[list[Answer]], None],
        hint: str = "",
    ) -> None:
        """Do ``work`` with each target, one after another, in a thread; what one of them refuses stops no other.

        ``say`` gets "3 of 12: DONE: target" as it goes on; ``then`` gets the answers of those that were not refused.
        ``hint`` is what can be done about it once it is done.
        """
        answers: list[Answer] = []
        refusals: list[Refused] = []

        def one_by_one() -> Iterator[tuple[int, str, Answer | None, Refused | None]]:
            for number, target in enumerate(targets, 1):
                try:
                    yield number, target, work(target), None
                except Exception as error:  # noqa: BLE001 - it is shown, and the others are done
                    yield number, target, None, _refusal(error, None)

        def report(step: tuple[int, str, Answer | None, Refused | None]) -> None:
            number, target, answer, refused = step
            progress = f"{number} of {len(targets)}: " if len(targets) > 1 else ""
            if refused is None:
                answers.append(cast("Answer", answer))
                say(f"{progress}{done}: {target}")
            else:
                refusals.append(refused)
                say(f"{progress}{target}: {refused.message}")
            if number == len(targets):
                self._report_all(len(targets), done, refusals, hint)
                then(answers)

        self.ask_many(one_by_one, report, group=None, holds_keys=True)

    def _report_all(self, number: int, done: str, refusals: list[Refused], hint: str) -> None:
        if not refusals:
            self.show_notice(f"{done}: {number}" if number > 1 else done, hint)
        elif number == 1:
            self.show_notice(refusals[0].message, refusals[0].hint, bad=True)
        else:
            last = refusals[-1]
            self.show_notice(
                f"{done}: {number - len(refusals)} of {number}; last refusal: {last.message}", last.hint, bad=True
            )

    def on_answered(self, event: Answered) -> None:
        """Give the answer to whoever asked."""
        event.stop()
        if not self._is_void(event.question):
            event.then(event.answer)

    def on_refused(self, event: Refused) -> None:
        """Tell what went wrong."""
        event.stop()
        if self._is_void(event.question):
            return
        if event.otherwise is not None:
            event.otherwise(event.message, event.hint)
        else:
            self.show_notice(event.message, event.hint, bad=True)

    def show_notice(self, message: str, hint: str = "", *, bad: bool = False) -> None:
        """Show a short notice; data in it is shown as it is, never as markup."""
        text = safe_display(message) + (f"\n{safe_display(hint)}" if hint else "")
        self.app.notify(text, severity="error" if bad else "information", timeout=8 if bad else 4, markup=False)

    def withdraw_notice(self, message: str) -> None:
        """Take a notice away that is true no more."""

        def withdraw() -> None:
            for notice in [one for one in self.app._notifications if one.message == safe_display(message)]:  # noqa: SLF001
                self.app._unnotify(notice)  # noqa: SLF001 - no public word for either

        self.app.call_later(withdraw)  # behind the notice itself, should that still be on its way


def _refusal(error: Exception, otherwise: FailureHandler | None, question: Question | None = None) -> Refused:
    known = as_ingest_error(error)
    if known is not None:
        return Refused(known.message, known.hint, otherwise, question)
    report = crash_report(error)
    return Refused(report[0].removeprefix("error: "), " ".join(report[1:-1]), otherwise, question)
