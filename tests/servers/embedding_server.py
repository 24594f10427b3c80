"""An endpoint that speaks the protocol of OpenAI, as a process of its own; the model's name says how it behaves."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "right-key-of-the-test-server"
DIMENSIONS = 8
_SEEN: Counter[str] = Counter()


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return a vector that depends on the words of a text alone; no text gets zeros."""
    vector = [0.0] * dimensions
    vector[0] = 0.01
    for word in text.lower().split():
        vector[zlib.crc32(word.encode()) % dimensions] += 1.0
    return vector


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        pass

    def do_GET(self) -> None:
        """Say how many requests came for each model."""
        self._answer(200, dict(_SEEN))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body.get("model", "")
        _SEEN[model] += 1
        if self.path.endswith("/rerank"):
            self._answer(*_rank(model, body))
            return
        texts = body["input"]
        if not self.path.partition("?")[0].endswith("/v1/embeddings"):
            self._answer(404, {"error": {"message": "no such page"}})
            return
        if self.path.startswith("/signed") and KEY not in (
            self.headers["Authorization"] or self.headers["api-key"] or ""
        ):
            self._answer(401, {"error": {"message": "wrong key"}})
            return
        if model == "drips":
            self._drip()
            return
        status, answer, headers = _behave(model, texts, body.get("dimensions") or DIMENSIONS)
        self._answer(status, answer, headers)

    def _drip(self) -> None:
        """Answer a byte at a time, each soon after the last, and never be done."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b" ")
                time.sleep(0.05)

    def _answer(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _rank(model: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Return the share of the query's words that each text has, the best first, in the form that was asked in."""
    is_tei = "texts" in body
    texts = body["texts" if is_tei else "documents"]
    words = body["query"].lower().split()
    shares = [sum(word in text.lower() for word in words) / max(len(words), 1) for text in texts]
    ranked = sorted(enumerate(shares), key=lambda pair: -pair[1])
    if model == "throttled":
        return 429, {"message": "slow down"}
    if model == "one-short":
        ranked = ranked[1:]
    if model == "one-twice":
        ranked = [ranked[0], *ranked[:-1]]
    if model == "no-numbers":
        ranked = [(place, "much") for place, _ in ranked]  # type: ignore[misc]
    if model == "no-list":
        return 200, {"results": "many"}
    if model == "no-object":
        return 200, 7
    if is_tei:
        return 200, [{"index": place, "score": share} for place, share in ranked]
    return 200, {"results": [{"index": place, "relevance_score": share} for place, share in ranked]}


def _behave(  # noqa: PLR0911, PLR0912 - one branch for each way to behave
    model: str, texts: list[str], dimensions: int
) -> tuple[int, Any, dict[str, str]]:
    rows: list[Any] = [vector_of(text, dimensions) for text in texts]
    items = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    if model == "unknown":
        return 404, {"error": {"code": "model_not_found", "message": "there is no such model"}}, {}
    if model == "throttled-once" and _SEEN[model] == 1:
        return 429, {"error": {"message": "slow down"}}, {"Retry-After": "0"}
    if model == "throttled":
        return 429, {"error": {"message": "slow down"}}, {"Retry-After": "0"}
    if model == "asks-to-wait":
        return 429, {"error": {"message": "slow down"}}, {"Retry-After": "600"}
    if model == "huge-numbers":
        return 200, {"data": [{**item, "embedding": [1e300, -1e300, *[0.0] * (dimensions - 2)]} for item in items]}, {}
    if model == "no-quota":
        return 429, {"error": {"code": "insufficient_quota", "message": "pay first"}}, {}
    if model == "moved":
        return 307, {}, {"Location": "http://127.0.0.1:9/v1/embeddings"}
    if model == "broken-once" and _SEEN[model] == 1:
        return 503, "busy", {}
    if model == "refuses-poison" and any("poison" in text for text in texts):
        return 400, {"error": {"message": "a text is not allowed"}}, {}
    if model == "one-short":
        return 200, {"data": items[:-1]}, {}
    if model == "one-twice":
        return 200, {"data": [{**item, "index": 0} for item in items]}, {}
    if model == "nan":
        return 200, {"data": [{**item, "embedding": [float("nan")] * dimensions} for item in items]}, {}
    if model == "no-numbers":
        return 200, {"data": [{**item, "embedding": "x"} for item in items]}, {}
    if model == "no-list":
        return 200, ["what"], {}
    if model == "backwards":
        return 200, {"data": items[::-1]}, {}
    if model == "grows":
        for item in items:
            item["embedding"] = [*item["embedding"], *([1.0] * (_SEEN[model] - 1))]
    return 200, {"data": items, "model": model}, {}


@contextmanager
def embedding_process() -> Iterator[str]:
    """Run the endpoint; gives its address, without /v1."""
    process = subprocess.Popen([sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)  # noqa: T201 - how its parent learns the port
    server.serve_forever()
