"""The terminal driver: Textual's own, except that broken input does not end the application."""

from __future__ import annotations

import codecs
import os
import selectors

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from ingest_tui.tui.terminal.safety import TerminalWatch

_READ_BYTES = 4096
_POLL_SECONDS = 0.1


class TolerantDriver(LinuxDriver):
    """Decodes input with replacement, and takes the end of input for what it is: the terminal is gone."""

    def start_application_mode(self) -> None:
        """Take over the terminal and watch it."""
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
        parser = XTermParser(self._debug)
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
