"""The one retry wrapper: waits that grow, what a source asked to wait, and limits that all with one account share.

What may succeed later (`TransientSourceError`, `TransientItemError`) is tried again after a wait that grows and has
jitter, or after what the source asked for when that is longer. A refused credential is read again once, which is how a
rotated one takes effect in a running job. Everything else is passed on at once.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import AuthenticationError, IngestError, TransientItemError, TransientSourceError

if TYPE_CHECKING:
    import tenacity

CALLS_AT_ONCE = 32
_ATTEMPTS_AT_LOCKED = 2
LONGEST_RETRY_AFTER = 3600.0
_Result = TypeVar("_Result")
Sleep = Callable[[float], None]
"""Waits for so many seconds; raises to give up (the job is cancelled)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long. Seconds. An attempt that got further (a page, some bytes) starts the count again."""

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60.0
    longest_asked: float = LONGEST_RETRY_AFTER
    """What asks to wait longer than this is not tried again."""


POLICY = RetryPolicy()


class Account:
    """Whom a source sees calling: how many calls at once, and until when to hold off."""

    def __init__(self, calls_at_once: int = CALLS_AT_ONCE) -> None:
        self._calls = threading.BoundedSemaphore(calls_at_once)
        self._not_before = 0.0

    def hold_off(self, seconds: float) -> None:
        """Let nobody call for so long."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    @contextmanager
    def turn(self, sleep: Sleep, longest: float = LONGEST_RETRY_AFTER) -> Iterator[None]:
        """Wait for the hold-off to pass and for a free call, then hold that.

        Raises `TransientSourceError` where the hold-off is longer than ``longest`` seconds.
        """
        while (remaining := self._not_before - time.monotonic()) > 0:
            if remaining > longest:
                raise TransientSourceError(
                    f"asked to make no calls for another {counted(math.ceil(remaining), 'second')}",
                    retry_after=remaining,
                    code="throttled",
                )
            sleep(remaining)
        while not self._calls.acquire(timeout=0.25):
            sleep(0.0)
        try:
            yield
        finally:
            self._calls.release()


_accounts: dict[str, Account] = {}
_accounts_lock = threading.Lock()


def account_named(name: str, calls_at_once: int = CALLS_AT_ONCE) -> Account:
    """Return what all callers of this process with the same account share; the first call sets the limit."""
    with _accounts_lock:
        return _accounts.setdefault(name, Account(calls_at_once))


class Retrier:
    """Calls, again and again as the policy has it. Safe for threads.

    ``account`` limits the calls; None: they need no network, and no limit. ``renew`` has the credential read again and
    returns whether that can help. ``sleep`` waits; what it raises ends the waiting.
    """

    def __init__(
        self, account: Account | None, *, sleep: Sleep, policy: RetryPolicy, renew: Callable[[], bool]
    ) -> None:
        self._account = account
        self._sleep = sleep
        self._policy = policy
        self._renew_credential = renew
        self._renewing = threading.Lock()

    def call(self, call: Callable[[], _Result]) -> _Result:
        """Return what ``call`` returns in the end; raises what is no use to try again, or its last error."""
        try:
            return self._call(call)
        except (AuthenticationError, TransientSourceError, TransientItemError) as error:
            return self._try_again(call, error)

    def _call(self, call: Callable[[], _Result]) -> _Result:
        if self._account is None:
            return call()
        with self._account.turn(self._sleep, self._policy.longest_asked):
            return call()

    def _try_again(self, call: Callable[[], _Result], first_error: IngestError) -> _Result:
        """Go on after a first attempt that failed."""
        import tenacity  # with it asyncio, and most calls succeed

        pending: IngestError | None = first_error
        renewed = False

        def attempt() -> _Result:
            nonlocal pending, renewed
            error, pending = pending, None
            try:
                if error is not None:
                    raise error
                return self._call(call)
            except AuthenticationError:
                if renewed or not self._renew():
                    raise
                renewed = True
                return self._call(call)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_succeed_later),
            stop=self._was_the_last,
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(attempt)

    def _renew(self) -> bool:
        with self._renewing:
            return self._renew_credential()

    def _may_succeed_later(self, error: BaseException) -> bool:
        if not isinstance(error, (TransientSourceError, TransientItemError)):
            return False
        return (error.retry_after or 0.0) <= self._policy.longest_asked

    def _was_the_last(self, state: tenacity.RetryCallState) -> bool:
        # Somebody has it open: that takes minutes, and each wait would hold a place that other items could use.
        most = _ATTEMPTS_AT_LOCKED if _is_locked(state) else self._policy.attempts
        return state.attempt_number >= min(most, self._policy.attempts)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        policy = self._policy
        error = state.outcome.exception() if state.outcome else None
        asked = float(getattr(error, "retry_after", None) or 0.0)
        if asked and not _is_locked(state):
            if self._account is not None:
                self._account.hold_off(asked)
            return asked + random.uniform(0.0, policy.first_wait)  # noqa: S311 - so that not all come at once
        import tenacity

        backoff = tenacity.wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)
        return policy.first_wait / 2 + backoff(state)


def _is_locked(state: tenacity.RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, TransientItemError) and error.reason == "locked"
