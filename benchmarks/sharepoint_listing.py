"""Listing a SharePoint site: everything the first time, then when nothing changed, then after a folder was renamed.

Runs the Graph server of the tests as a process of its own (tests/graph_server), fills a library with generated files
and lists it in a process of its own for each step, with the memory on disk that a sync has. The server answers on the
same machine and is Python too, so its share of the time is shown: with Microsoft's, the network would take its place.
The memory is how far the resident set of the listing process grew beyond what it was after signing in.

    python benchmarks/sharepoint_listing.py [--files 50000] [--folders 2500] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "src")]

from measure import markdown_table  # noqa: E402

from tests.graph_server.running import (  # noqa: E402
    FakeCredential,
    FakeCredentials,
    RemoteServer,
    credential_fields,
    server_process,
)

HEADER = ("Step", "Wall s", "Items/s", "Of it waiting for the server, s", "CPU s", "Requests", "Memory MB")
SETTINGS = {"site": "https://contoso.sharepoint.com/sites/handbook", "credential": "intranet"}
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--folders", type=int, default=2_500)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--list", nargs=3, metavar=("GRAPH", "AUTHORITY", "MEMORY"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.list:
        print(json.dumps(list_once(*arguments.list)))
        return
    report(arguments.files, arguments.folders, arguments.repeat)


def report(files: int, folders: int, repetitions: int) -> None:
    """Measure each step some times over and print the table of medians."""
    results: dict[str, list[dict[str, float]]] = {}
    for _ in range(repetitions):
        with server_process() as server, tempfile.TemporaryDirectory(prefix="ingest-tui-bench-") as folder:
            server.do("add_library", site="sites/handbook", name="Documents", url_name="Shared Documents")
            server.do("generate", library="Documents", files=files, folders=folders)
            memory = Path(folder) / "memory.db"
            for step in ("first listing", "nothing changed", "a folder renamed"):
                if step == "a folder renamed":
                    server.do("rename", library="Documents", path="folder 00000", new_path="renamed")
                server.do("forget_requests")
                measured = run_listing(server, memory)
                measured["requests"] = len(server.do("requests", service="graph"))
                if measured["items"] != files:
                    sys.exit(f"{step}: {measured['items']} items, not {files}")
                results.setdefault(step, []).append(measured)
    print("\n".join(markdown_table(HEADER, [row_of(step, results[step], files) for step in results])))


def run_listing(server: RemoteServer, memory: Path) -> dict[str, float]:
    """List in a process of its own."""
    command = [sys.executable, __file__, "--list", server.graph_url, server.authority, str(memory)]
    ended = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"REQUESTS_CA_BUNDLE": server.ca_bundle}
    )
    measured: dict[str, float] = json.loads(ended.stdout)
    return measured


def list_once(graph_url: str, authority: str, memory_path: str) -> dict[str, float]:
    """List the site to its end; returns what it cost after imports and sign-in."""
    from ingest_tui.connectors.sharepoint import graph
    from ingest_tui.connectors.sharepoint.connector import SharePointConnector
    from ingest_tui.store.records.listing_cache import StoredMemory

    credential = FakeCredential(credential_fields(graph_url, authority))
    connector = SharePointConnector(SETTINGS, credentials=FakeCredentials(credential))
    connector.memory = StoredMemory(Path(memory_path))
    next(iter(connector.browse("Documents")))
    genuine, waited = graph.requests.Session.send, [0.0]

    def send(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return genuine(*arguments, **options)
        finally:
            waited[0] += time.perf_counter() - started

    graph.requests.Session.send = send  # type: ignore[method-assign]
    before = _megabytes(_RESIDENT)
    started, cpu = time.perf_counter(), time.process_time()
    items = sum(len(page.descriptors) for page in connector.list())
    return {
        "items": items,
        "wall": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "waited": waited[0],
        "memory": _megabytes(_HIGH_WATER) - before,
    }


def _megabytes(pattern: re.Pattern[str]) -> float:
    match = pattern.search(Path("/proc/self/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


def row_of(step: str, measured: list[dict[str, float]], files: int) -> list[str]:
    """Return a row of medians."""
    wall = statistics.median(one["wall"] for one in measured)
    return [
        step,
        f"{wall:.2f}",
        f"{files / wall:,.0f}",
        f"{statistics.median(one['waited'] for one in measured):.2f}",
        f"{statistics.median(one['cpu'] for one in measured):.2f}",
        f"{max(one['requests'] for one in measured):.0f}",
        f"{max(one['memory'] for one in measured):.0f}",
    ]


if __name__ == "__main__":
    main()
