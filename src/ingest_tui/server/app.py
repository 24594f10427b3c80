"""The application: the table of endpoints, and what every request passes on its way."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_tui.model.serving import ServeOptions
from ingest_tui.server.access import ClientAccess
from ingest_tui.server.answers import json_response
from ingest_tui.server.dispatch import ServerState, handler_of, not_found, refused_query, wrong_method
from ingest_tui.server.docs_page import CONTENT_SECURITY_POLICY, docs_page
from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.host_check import HostCheck
from ingest_tui.server.mcp_route import mcp_route
from ingest_tui.server.openapi import openapi_document
from ingest_tui.server.page_files import page_routes
from ingest_tui.server.problems import RequestError, problem_response
from ingest_tui.server.routes import ENDPOINTS
from ingest_tui.services.client import Client

_WORTH_PACKING = 1024


class CheckedHost:
    """Lets a request in whose Host and Origin are right; an ASGI application around another one."""

    def __init__(self, app: ASGIApp, check: HostCheck) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            self._check.check(request.headers.getlist("host"), request.headers.getlist("origin"))
        except RequestError as error:
            await problem_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def build_app(client: Client, options: ServeOptions) -> Starlette:
    """Return the application that serves one workspace; ``client`` refuses changes where it only reads."""
    state = ServerState(client, ClientAccess(client, options))
    document = openapi_document(ENDPOINTS)

    page = docs_page(document)

    async def openapi(request: Request) -> Response:
        return refused_query(request) or json_response(document)

    async def docs(request: Request) -> Response:
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return refused_query(request) or HTMLResponse(page, headers=headers)

    by_path: dict[str, dict[str, AnyEndpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    for_programs = handler_of(state, by_path.pop("/"))
    routes = [Route(path, handler_of(state, methods), methods=list(methods)) for path, methods in by_path.items()]
    routes += [Route("/openapi.json", openapi, methods=["GET"]), Route("/docs", docs, methods=["GET"])]
    routes += [*page_routes(for_programs), mcp_route(state)]
    middleware = [Middleware(CheckedHost, check=HostCheck(options))]
    if options.origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(options.origins),
                allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Last-Event-ID"],
                expose_headers=["ETag", "Location", "Retry-After"],
            )
        )
    middleware.append(Middleware(GZipMiddleware, minimum_size=_WORTH_PACKING))
    app = Starlette(routes=routes, middleware=middleware, exception_handlers={404: not_found, 405: wrong_method})
    app.router.redirect_slashes = False  # a path is one of the table, or none
    app.state.feeds = state.feeds
    return app
