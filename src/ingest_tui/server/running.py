"""A running server: where it listens, how it says so, and how it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import socket
import ssl
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from ingest_tui.model.errors import BusyError, UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.serving import ServeOptions
from ingest_tui.server.app import build_app
from ingest_tui.server.connections import GuardedConnection
from ingest_tui.server.events import Feeds
from ingest_tui.services.client import Client
from ingest_tui.services.noted_warnings import note_warnings

_BACKLOG = 512
_MOST_CONNECTIONS = 2000
_OTHER_FILES = 200
_IDLE_SECONDS = 15
_ENDING_SECONDS = 10
_OWNER_ONLY = 0o177


class _Server(uvicorn.Server):
    """Ends at SIGTERM and SIGINT once what it is answering is answered; a second SIGINT ends it at once."""

    def __init__(self, config: uvicorn.Config, feeds: Feeds, until: threading.Event) -> None:
        super().__init__(config)
        self._feeds = feeds
        self._until = until

    async def on_tick(self, counter: int) -> bool:
        """Look whether to end, several times a second."""
        if self._until.is_set():
            self._feeds.is_stopping = self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal. Who follows something is let go: that would go on for ever."""
        del frame
        self._feeds.is_stopping = True
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def run_server(root: Path, options: ServeOptions, until: threading.Event | None = None) -> int:
    """Serve a workspace until SIGTERM or SIGINT, or until ``until`` is set; returns the exit code.

    Raises `UsageError` for an address that other machines reach while there is no token, and for one that is none,
    `BusyError` where somebody else listens.
    """
    client = Client(root, read_only=options.read_only)
    client.check()
    if not options.is_local and not client.tokens.list():
        raise UsageError(
            f"{safe_display(options.host)} is reached by other machines, and nobody has a token",
            hint="'ingest-tui serve token add NAME' makes one; --host 127.0.0.1 serves this machine alone",
            code="no_token",
        )
    _check_tls(options)
    note_warnings()
    with listening(options) as listener:
        app = build_app(client, options)
        config = uvicorn.Config(
            app,
            http=GuardedConnection,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_most_connections(),
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_ENDING_SECONDS,
            ssl_certfile=options.certificate,
            ssl_keyfile=options.private_key,
        )
        _say(options, listener)
        _Server(config, app.state.feeds, until or threading.Event()).run(sockets=[listener])
    return 0


def _most_connections() -> int:
    """Return how many connections may be open: with room for the files of a workspace below what the system allows."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_OTHER_FILES, min(_MOST_CONNECTIONS, allowed - _OTHER_FILES))


def _check_tls(options: ServeOptions) -> None:
    if (options.certificate is None) != (options.private_key is None):
        raise UsageError("--tls-cert and --tls-key go together", hint="give both, or neither")
    if options.certificate is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.private_key, password="")  # else it would be asked for
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if error.filename is None and error.strerror else str(error)
        raise UsageError(
            f"TLS cannot be used with {safe_display(str(options.certificate))}: {safe_display(reason)}",
            hint="name a certificate and its private key, both in PEM form and without a passphrase",
        ) from None


def _say(options: ServeOptions, listener: socket.socket) -> None:
    """Write to stderr where the server listens, and what is not safe about that."""
    if options.socket is not None:
        place = f"http+unix://{options.socket.absolute()}"
    else:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        place = f"{'https' if options.certificate else 'http'}://{shown}:{port}"
    lines = [f"serving at {place}"]
    if not options.is_local and options.certificate is None:
        lines.append("warning: without TLS tokens and documents can be read on their way; see --tls-cert")
    for line in lines:
        print(safe_display(line), file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def listening(options: ServeOptions) -> Iterator[socket.socket]:
    """Listen where the options say, within the context; a Unix socket is the owner's alone, and removed at the end."""
    if options.socket is not None:
        path = options.socket
        _remove_dead_socket(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(_OWNER_ONLY)
        try:
            listener.bind(str(path))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise _cannot_listen(str(path), error) from None
        finally:
            os.umask(mask)
        try:
            yield listener
        finally:
            listener.close()
            with contextlib.suppress(OSError):
                path.unlink()
        return
    try:
        family, _, _, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        raise _cannot_listen(f"{options.host}:{options.port}", error) from None
    with listener:
        yield listener


def _remove_dead_socket(path: Path) -> None:
    """Remove the file of a socket that nobody listens at any more, and nothing else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise UsageError(f"{safe_display(str(path))} is there and is no socket", hint="choose another path")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise _cannot_listen(str(path), error) from None
    raise BusyError(f"another server listens at {safe_display(str(path))}", hint="end it, or choose another path")


def _cannot_listen(place: str, error: Exception) -> BusyError | UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    message = f"cannot listen at {safe_display(place)}: {reason}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return BusyError(message, hint="another program listens there; choose another port with --port")
    return UsageError(message, hint="choose another address with --host or --port, or another path with --socket")
