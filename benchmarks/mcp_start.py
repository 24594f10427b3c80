"""How long an agent waits for `ingest-tui mcp`: to greet it, to list its tools, for a first and a second search.

Run it with the workspace as its argument. Prints seconds, processor seconds of the whole process, and its memory in MB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}


def main(workspace: str, turns: int = 5) -> None:
    """Start it a few times."""
    for _ in range(turns):
        began = time.perf_counter()
        command = [sys.executable, "-m", "ingest_tui", "--workspace", workspace, "mcp"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        found = {}
        for name, method, params in (
            ("greeted", "initialize", INITIALIZE),
            ("tools", "tools/list", {}),
            ("first search", "tools/call", {"name": "search", "arguments": {"query": "rain"}}),
            ("second search", "tools/call", {"name": "search", "arguments": {"query": "wind"}}),
        ):
            asked = time.perf_counter() if "search" in name else began
            _ask(process, method, params)
            found[name] = round(time.perf_counter() - asked, 3)
        assert process.stdin
        process.stdin.close()
        _, _, usage = os.wait4(process.pid, 0)
        found |= {"cpu": round(usage.ru_utime + usage.ru_stime, 2), "MB": usage.ru_maxrss // 1024}
        print(json.dumps(found))


def _ask(process: subprocess.Popen[bytes], method: str, params: dict[str, Any]) -> None:
    assert process.stdin
    assert process.stdout
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    assert "result" in json.loads(process.stdout.readline())
    if method == "initialize":
        process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')


if __name__ == "__main__":
    main(sys.argv[1])
