"""Record the first steps in the TUI, for `asciinema play docs/first-steps.cast`.

    python docs/make_recording.py /srv/weather

Makes example documents in the named folder, which must not exist (it shows in the recording and is removed
afterwards), runs the program on an empty workspace in a pseudo-terminal, presses keys as a person would, and writes
what it sends as an asciicast of version 2 (https://docs.asciinema.org/manual/asciicast/v2/).
"""

from __future__ import annotations

import codecs
import json
import shutil
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest_tui.services.demo import make_demo_documents
from ingest_tui.services.workers import stop_workers
from ingest_tui.services.workspaces import init
from ingest_tui.store.workspace import open_workspace_at
from tests.tui.pty_app import RUN, PtyApp

CAST = Path(__file__).parent / "first-steps.cast"
SIZE = (110, 30)
ON_A_HOST = "import socket; socket.gethostname = lambda: 'search-01'\n"
LONGEST_PAUSE = 1.5
"""Seconds: how long the recording stands still, however long the program or the machine took."""
READING_SECONDS, TYPING_SECONDS = 1.4, 0.09
STEPS = [
    # What is typed, and what the screen shows then.
    ("", "Nothing needs you."),
    ("2", "No sources yet"),
    ("a", "step 1 of 5"),
    ("\r", "step 2 of 5"),
    ("DOCUMENTS", ""),
    ("\tweather", ""),
    ("\r", "step 3 of 5"),
    ("p", "step 4 of 5"),
    ("s", "weather"),
    ("1", "partial"),
    ("\r", "21 listed"),
    ("\x1b", "1 job"),
    ("3", "16 documents"),
    ("srain", "rain"),
    ("\r", ""),
    ("\r", ""),
    ("q", ""),
    ("0", "Timeline"),
]


class Recording:
    """What the program sent, and when."""

    def __init__(self, app: PtyApp) -> None:
        self._app = app
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._seen = 0
        self._at = 0.0
        self._last = time.monotonic()
        self.events: list[tuple[float, str, str]] = []

    def press(self, keys: str, wanted: str = "", seconds: float = 60.0) -> None:
        """Press keys one after another, and wait until the screen shows something."""
        for key in [keys] if keys.startswith("\x1b") else keys:
            self._app.send(key.encode())
            self._note_for(TYPING_SECONDS)
        deadline = time.monotonic() + seconds
        while wanted not in self._app.screen:
            if time.monotonic() > deadline:
                raise SystemExit(f"not seen: {wanted!r}; on the screen:\n{self._app.screen}")
            self._note_for(0.05)
        self._note_for(READING_SECONDS)

    def _note_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self._app.read(min(rest, 0.02))
            self._note()

    def _note(self) -> None:
        new, now = self._app.output[self._seen :], time.monotonic()
        if not new:
            return
        self._at += min(now - self._last, LONGEST_PAUSE)
        self._last, self._seen = now, len(self._app.output)
        self.events.append((round(self._at, 3), "o", self._decoder.decode(new)))


def main(folder: Path) -> None:
    """Record, and write the file."""
    documents = folder / "documents"
    make_demo_documents(documents)
    try:
        init(folder / "corpus")[0].close()
        app = PtyApp(folder / "corpus", size=SIZE, view="", script=ON_A_HOST + RUN, environment={"LOGNAME": "ops"})
        try:
            recording = Recording(app)
            for keys, wanted in STEPS:
                recording.press(keys.replace("DOCUMENTS", str(documents)), wanted)
        finally:
            app.close()
            with closing(open_workspace_at(folder / "corpus")) as workspace:
                stop_workers(workspace)
    finally:
        shutil.rmtree(folder)
    header = {"version": 2, "width": SIZE[0], "height": SIZE[1], "title": "ingest-tui: first steps"}
    lines = [header, *recording.events]
    CAST.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
