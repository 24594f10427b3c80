"""The test server as a process: prints one JSON line with its addresses, then serves until it is terminated.

    python tests/graph_server/server.py --port 0 [--folder FOLDER]

The line: ``graph_url`` and ``authority`` for a credential, ``ca_bundle`` to be named in REQUESTS_CA_BUNDLE, ``control``
for steering, and the ids and secret of the one app that is registered. See `__init__.py` for what it follows.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.graph_server import certificates
from tests.graph_server.running import GraphServer, credential_fields


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="port of Graph; 0: any")
    parser.add_argument("--folder", type=Path, help="where the CA's certificate is written (default: a new folder)")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="graph-server-"))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with GraphServer(port=arguments.port) as server:
        greeting = {
            **credential_fields(server.state.graph_url, server.authority),
            "ca_bundle": str(certificates.ca_bundle(folder)),
            "control": f"{server.state.graph_url}/control",
        }
        print(json.dumps(greeting), flush=True)  # noqa: T201 - the greeting is what starters wait for
        stop.wait()


if __name__ == "__main__":
    main()
