"""The page for people with a browser: files of this package, and headers that let it load nothing else.

Its script is given data alone and makes text of it: the policy forbids inline scripts and styles, other hosts, and
(``require-trusted-types-for``) every way from a text to markup.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}
_PAGE = "page.html"
_Answer = Callable[[Request], Awaitable[Response]]
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def page_routes(for_programs: _Answer) -> list[Route]:
    """Return the routes of the page and its files. They say nothing of the workspace, and need no token.

    ``for_programs`` answers at the address of the page who does not ask for HTML.
    """
    folder = files("ingest_tui.server") / "page"
    content = {one.name: one.read_bytes() for one in folder.iterdir() if _ending(one.name) in _MEDIA_TYPES}
    parts = [
        Route(f"/page/{name}", _answering(name, content[name]), methods=["GET"]) for name in content if name != _PAGE
    ]
    return [Route("/", _for_browsers(_answering(_PAGE, content[_PAGE]), for_programs), methods=["GET"]), *parts]


def _ending(name: str) -> str:
    return PurePath(name).suffix


def _answering(name: str, content: bytes) -> _Answer:
    async def answer(_request: Request) -> Response:
        return Response(content, headers=_HEADERS, media_type=_MEDIA_TYPES[_ending(name)])

    return answer


def _for_browsers(answer: _Answer, for_programs: _Answer) -> _Answer:
    """Let who asks for HTML have it; others have what is for programs."""

    async def for_browsers(request: Request) -> Response:
        wanted = answer if "text/html" in request.headers.get("accept", "") else for_programs
        return await wanted(request)

    return for_browsers
