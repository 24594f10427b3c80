"""Who hears of the ended jobs of a soak: a command and a webhook, which hangs and refuses now and then."""

from __future__ import annotations

import contextlib
import json
import random
import threading
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.servers.webhook_receiver import Receiver

_NOTE_JOB = 'echo "$INGEST_TUI_JOB" >> "$1"'
_LONGEST_HANG_SECONDS = 5.0


class Listeners:
    """A command that notes each job in a file, and a receiver of webhooks: ``on_job_end`` names both."""

    def __init__(self, home: Path) -> None:
        self._noted = home / "noted-jobs"
        self._receiver = Receiver()
        self._open = contextlib.ExitStack()
        self._open.enter_context(self._receiver.serving())

    @property
    def on_job_end(self) -> list[dict[str, Any]]:
        """What workspace.json says of them: both hear of every job."""
        return [
            {"name": "command", "command": ["/bin/sh", "-c", _NOTE_JOB, "sh", str(self._noted)], "states": []},
            {"name": "webhook", "url": self._receiver.url, "states": []},
        ]

    def fail_for_a_while(self, chance: random.Random, is_calm: threading.Event) -> str:
        """Have the receiver refuse a few calls, or leave them without an answer for seconds; returns which."""
        if chance.random() < 0.5:
            self._receiver.answers += [HTTPStatus.SERVICE_UNAVAILABLE] * chance.randrange(1, 4)
            return "webhook refused"
        self._receiver.is_open.clear()
        is_calm.wait(chance.uniform(1, _LONGEST_HANG_SECONDS))
        self._receiver.is_open.set()
        return "webhook hung"

    def not_told(self, job_ids: Iterable[str]) -> Iterator[str]:
        """Yield which listener has not heard of which job."""
        heard = {
            "command": set(self._noted.read_text().split()) if self._noted.exists() else set(),
            "webhook": {json.loads(body)["job_id"] for body in list(self._receiver.taken)},
        }
        for job_id in job_ids:
            yield from (f"the {name} never heard of {job_id}" for name, jobs in heard.items() if job_id not in jobs)

    def close(self) -> None:
        """End the receiver."""
        self._open.close()
