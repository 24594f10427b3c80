"""An HTTP proxy in front of a real server that counts requests, throttles, cuts, delays and answers in its place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_PIECE = 1 << 16


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    method: str
    target: str
    headers: Mapping[str, str]


def anything(_request: Request) -> bool:
    return True


@dataclass
class Fault:
    """What is done to the next ``times`` requests that it is meant for."""

    meant_for: Callable[[Request], bool] = anything
    times: float = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_after: int | None = None
    delay: float = 0.0
    replace: tuple[bytes, bytes] | None = None


class FaultProxy:
    """Listens on a free port of this machine, as a context manager. Faults are tried in the order of their making."""

    def __init__(self, upstream_port: int) -> None:
        self.requests: list[Request] = []
        self._upstream_port = upstream_port
        self._faults: list[Fault] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = serving.result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        waiting = [task for task in asyncio.all_tasks() if task is not mine]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    @property
    def url(self) -> str:
        """The address of the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def add(self, fault: Fault) -> Fault:
        """Do something to requests from now on; the fault that is returned can be removed again."""
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Let a fault be."""
        self._faults.remove(fault)

    def clear(self) -> None:
        """Forget faults and requests."""
        self._faults.clear()
        self.requests.clear()

    def _fault_for(self, request: Request) -> Fault:
        for fault in self._faults:
            if fault.times > 0 and fault.meant_for(request):
                fault.times -= 1
                return fault
        return Fault()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._pass_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _pass_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Handle a request; returns whether another may follow on the connection."""
        start, headers = await _read_head(reader)
        method, target, _ = start.split(" ")
        request = Request(method, target, headers)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(request)
        fault = self._fault_for(request)
        await asyncio.sleep(fault.delay)
        if fault.status is not None:
            lines = {**fault.headers, "Content-Length": str(len(fault.body))}
            writer.write(_head(f"HTTP/1.1 {fault.status} Fault", lines) + (b"" if method == "HEAD" else fault.body))
            await writer.drain()
            return True
        return await self._forward(start, request, body, fault, writer)

    async def _forward(
        self, start: str, request: Request, body: bytes, fault: Fault, writer: asyncio.StreamWriter
    ) -> bool:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        try:
            up_writer.write(_head(start, {**request.headers, "connection": "close"}) + body)
            await up_writer.drain()
            answer, headers = await _read_head(up_reader)
            chunked_or_open = "content-length" not in headers and request.method != "HEAD"
            if fault.replace:
                content = (await up_reader.read()).replace(*fault.replace)
                writer.write(_head(answer, {**headers, "content-length": str(len(content))}) + content)
                await writer.drain()
                return True
            if not chunked_or_open:
                headers.pop("connection", None)
            writer.write(_head(answer, headers))
            return await _relay(up_reader, writer, fault.cut_after) and not chunked_or_open
        finally:
            up_writer.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> bool:
    """Pass a body on; returns False after cutting the connection."""
    passed = 0
    while piece := await reader.read(_PIECE):
        if limit is not None and passed + len(piece) >= limit:
            writer.write(piece[: limit - passed])
            await writer.drain()
            return False
        writer.write(piece)
        await writer.drain()
        passed += len(piece)
    return True


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    return start, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _head(start: str, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{start}\r\n{lines}\r\n".encode("latin-1")
