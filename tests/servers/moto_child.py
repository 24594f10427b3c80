"""The process behind `moto_process`: serves until its standard input ends."""

from __future__ import annotations

import logging
import sys
from typing import Any

from moto.moto_server.utilities import RegexConverter
from moto.server import ThreadedMotoServer
from werkzeug.routing import BaseConverter


def _converter_of_any_key(converter: RegexConverter, url_map: Any, pattern: str) -> None:
    """Keys may hold line feeds; the patterns of moto stop at them."""
    BaseConverter.__init__(converter, url_map)
    converter.regex = pattern.replace(".", r"[\s\S]")


RegexConverter.__init__ = _converter_of_any_key  # type: ignore[method-assign, assignment]
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
sys.stdout.write(f"{server.get_host_and_port()[1]}\n")
sys.stdout.flush()
sys.stdin.read()
server.stop()
