"""The terminal driver: Textual's own, except that broken input does not end the application, and Esc is a key."""

from __future__ import annotations

import codecs
import os
import re
import selectors
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from ingest_tui.tui.terminal.safety import TerminalWatch

_READ_BYTES = 4096
_POLL_SECONDS = 0.1
_ESCAPE = "\x1b"
_BEGINS_A_SEQUENCE = ("[", "O", "]", "P", "_", "^", _ESCAPE)
"""What follows an Esc that a terminal sends by itself: anything else is a key that was pressed after Esc."""


class KeysParser(XTermParser):
    """Reads Esc and the key after it as two keys, where Textual reads a key with Alt, or loses the Esc.

    On a slow link they arrive together. Nothing here is bound to a key with Alt.
    """

    def feed(self, data: str) -> Iterable[Message]:
        """Yield the events of what the terminal has sent."""
        for piece in re.findall(f"{_ESCAPE}|[^{_ESCAPE}]+", data):
            if self._is_after_escape and not piece.startswith(_BEGINS_A_SEQUENCE):
                yield from self._end_of_waiting()
            yield from super().feed(piece)
            self._is_after_escape = piece == _ESCAPE

    _is_after_escape = False

    def _end_of_waiting(self) -> Iterator[Message]:
        if self._timeout_time is not None:
            self._timeout_time = 0.0
            yield from self.tick()

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt:
            yield events.Key("escape", _ESCAPE)
        yield from super()._sequence_to_key_events(sequence)


class TolerantDriver(LinuxDriver):
    """Decodes input with replacement, and takes the end of input for what it is: the terminal is gone."""

    def start_application_mode(self) -> None:
        """Take over the terminal, whatever it shows by now, and watch it."""
        self._app.painting.forget()  # type: ignore[attr-defined]
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.input_tty and not hasattr(self, "_terminal_watch"):
            self._terminal_watch = TerminalWatch(self.fileno, self._leave)
            self._terminal_watch.start()

    def close(self) -> None:
        """Give the terminal back."""
        if hasattr(self, "_terminal_watch"):
            self._terminal_watch.stop()
            del self._terminal_watch  # a resumed application watches again
        super().close()

    def run_input_thread(self) -> None:
        """Read and dispatch input until told to stop or until there is no terminal any more."""
        parser = KeysParser(self._debug)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_POLL_SECONDS):
                    data = self._read()
                    if not data:
                        self._gone()
                        return
                    for event in parser.feed(decoder.decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:
            return b""

    def _gone(self) -> None:
        if hasattr(self, "_terminal_watch"):
            self._terminal_watch.lost()
        else:
            self._leave()

    def _leave(self) -> None:
        self._app.call_later(self._app.exit, None, 1)
