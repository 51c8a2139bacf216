"""The dashboard as a web application."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from importlib.resources import files

import vl_convert
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lakehouse.dashboards.pages import Dashboard, NoPage
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.web import LOOPBACK, is_right

# Vega makes functions of its expressions. Nothing comes from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(dashboard: Dashboard, password: SecretStr | None = None, behind_login: bool = False) -> FastAPI:
    """The application; it asks for a `password`, or answers to names of loopback only.

    `behind_login` it does neither: a proxy lets in only who has signed in.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/", response_class=HTMLResponse)
    def start(request: Request) -> str:
        return dashboard.page(next(iter(dashboard.pages)), dict(request.query_params))

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        return _asset(name)

    @app.get("/{name}", response_class=HTMLResponse)
    def page(name: str, request: Request) -> str:
        return dashboard.page(name, dict(request.query_params))

    @app.get("/{name}/events")
    async def events(name: str, request: Request) -> StreamingResponse:
        if (seconds := dashboard.live_seconds(name)) is None:
            raise HTTPException(404)
        query = dict(request.query_params)
        return StreamingResponse(_changes(dashboard, name, query, seconds), media_type="text/event-stream")

    @app.exception_handler(LakehouseError)
    def wrong(request: Request, error: LakehouseError) -> HTMLResponse:
        status = 404 if isinstance(error, NoPage) else 400 if isinstance(error, UsageError) else 500
        title = "There is no such page" if status == 404 else "This cannot be shown"
        return HTMLResponse(dashboard.problem(title, str(error)), status)

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> HTMLResponse:
        text = f"Nothing is at {request.url.path!r}. These are the pages:"
        return HTMLResponse(dashboard.problem("There is no such page", text), error.status_code)

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        if password and not is_right(request.headers.get("Authorization", ""), password):
            asked = {"WWW-Authenticate": 'Basic realm="lakehouse", charset="UTF-8"'}
            text = "Give any name and the password of LAKEHOUSE_DASHBOARD_PASSWORD."
            return PlainTextResponse(text, 401, asked)
        response = await go_on(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    if password is None and not behind_login:
        # A page of another site could otherwise reach it by a name that leads to loopback.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    return app


def check_host(host: str, password: SecretStr | None) -> None:
    """Make sure that others than this machine are asked for a password.

    Raises:
        UsageError: they would not be.
    """
    if host not in LOOPBACK and password is None:
        raise UsageError(f"--host {host} can be reached by others: set LAKEHOUSE_DASHBOARD_PASSWORD first.")


async def _changes(
    dashboard: Dashboard, name: str, query: dict[str, str], seconds: float
) -> AsyncIterator[str]:
    """Server-sent events of the tiles that changed, until the browser leaves."""
    known: list[str] = []
    while True:
        try:
            tiles = await run_in_threadpool(dashboard.tiles, name, query)
        except LakehouseError:
            # The page was told already; a run may be building what is missing.
            tiles = known
        changed = {number: html for number, html in enumerate(tiles) if known[number : number + 1] != [html]}
        # A comment tells a browser that is gone apart from a quiet hour.
        yield f"data: {json.dumps(changed)}\n\n" if changed and known else ": nothing new\n\n"
        known = tiles
        await asyncio.sleep(seconds)


def _asset(name: str) -> Response:
    """A file that pages refer to; Vega comes from vl-convert's package."""
    if name == "vega.js":
        return Response(_vega(), media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})
    if name != "page.js":
        raise HTTPException(404)
    script = (files("lakehouse.dashboards") / name).read_text(encoding="utf-8")
    return Response(script, media_type="text/javascript")


@cache
def _vega() -> str:
    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    return script
