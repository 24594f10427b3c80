"""How long the HTTP server takes under many clients, what memory it needs, and what it costs when nobody asks.

    python benchmarks/server.py [--clients 200] [--turns 10] [--documents 1000] [--token]

Each client keeps one connection over loopback and asks again and again: a search, a page of documents, the jobs. The
clients are threads of this process, on the same cores as the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.services.access_tokens import add_token

PATHS = ("/search?q=barometer+storm", "/documents?limit=20", "/jobs?limit=20")
IDLE_SECONDS = 10
TOKENS = 8
"""More than one, because each may make 100 requests a second."""


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--token", action="store_true", help="with tokens of admin scope")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        headers = fill(root, options.documents, with_token=options.token)
        process, port = start(root)
        try:
            print(json.dumps(measured(process.pid, port, headers, options.clients, options.turns)))
        finally:
            process.terminate()
            process.wait(30)


def fill(root: Path, documents: int, *, with_token: bool) -> list[dict[str, str]]:
    """Make the workspace; returns the headers that clients have in turn."""
    with open_workspace(root) as handle:
        for number in range(documents):
            text = f"# Note {number}\n\nThe barometer falls before storm {number}, and rises after it.\n"
            handle.register("default", IngestedDocument(text, f"note-{number}.md", "api"))
        if with_token:
            made = [add_token(handle.workspace, f"bench-{number}", scope="admin") for number in range(TOKENS)]
            return [{"Authorization": f"Bearer {one.secret}"} for one in made]
    return [{}]


def start(root: Path) -> tuple[subprocess.Popen[str], int]:
    """Start the server; returns its process and its port."""
    command = [sys.executable, "-m", "ingest_tui", "-w", str(root), "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    return process, int(process.stderr.readline().rpartition(":")[2])


def measured(pid: int, port: int, headers: list[dict[str, str]], clients: int, turns: int) -> dict[str, float]:
    """Return milliseconds, requests a second, megabytes and the share of a core that is used when nobody asks.

    ``cpu_ms_per_request``: processor time of the server, user and system; other programs hardly change it.
    """
    client(port, headers[0], 3, None)
    alone = client(port, headers[0], 30, None)
    before, used = megabytes(pid), cpu_seconds(pid)
    barrier, began = threading.Barrier(clients), time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        answered = pool.map(lambda n: client(port, headers[n % len(headers)], turns, barrier), range(clients))
        found = [one for each in answered for one in each]
    seconds = time.monotonic() - began
    after, busy = megabytes(pid), cpu_seconds(pid) - used
    used = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return {
        "clients": clients,
        "requests": len(found),
        "alone_p50_ms": round(statistics.median(alone) * 1000, 1),
        "p50_ms": round(statistics.median(found) * 1000, 1),
        "p99_ms": round(statistics.quantiles(found, n=100)[98] * 1000, 1),
        "requests_per_second": round(len(found) / seconds, 1),
        "cpu_ms_per_request": round(busy / len(found) * 1000, 2),
        "mb_before": before,
        "mb_after": after,
        "idle_percent_of_a_core": round((cpu_seconds(pid) - used) / IDLE_SECONDS * 100, 2),
    }


def client(port: int, headers: dict[str, str], turns: int, barrier: threading.Barrier | None) -> list[float]:
    """Ask over one connection; returns the seconds of each request. Anything but 200 raises."""
    taken = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as asking:
        if barrier is not None:
            barrier.wait()
        for _ in range(turns):
            for path in PATHS:
                began = time.perf_counter()
                asking.request("GET", path, headers=headers)
                answer = asking.getresponse()
                answer.read()
                taken.append(time.perf_counter() - began)
                if answer.status != http.client.OK:
                    raise SystemExit(f"{path}: {answer.status}")
    return taken


def megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS:"))
    return round(int(line.split()[1]) / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
