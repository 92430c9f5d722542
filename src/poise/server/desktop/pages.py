"""Serves the desktop under /desktop/: built files, what the page must know of this server, and the way there from /.

Everything is under a strict content security policy: scripts, styles and pictures from here only, nothing inline, no
other server asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from poise.server.desktop.files import PAGE, File

ROOT = "/desktop"
PAGES = {"": PAGE, "test": "test.html", "locallog": "locallog.html"}
"""Pages by their path below the root: the desktop, the connection test, the log that this browser keeps."""
LOCALES = ("en", "pt-BR", "es")
"""Languages of the desktop; `locales` beside this file has a catalogue for each."""
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")

ABSENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Poise</title></head>
<body><h1>The desktop is not part of this installation</h1>
<p>The server works: REST and notifications are there. The desktop's files were not built when it was installed.
Install the wheel, or build them in a checkout with Node 20 or newer:
<code>bash tools/build-desktop.sh</code>.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What the page must know of this server; names as the page reads them."""

    domain: str
    transport: str
    """bosh or websocket."""
    boshPath: str  # noqa: N815 - JSON for JavaScript
    webSocketPath: str  # noqa: N815
    notificationPort: int  # noqa: N815
    """Port of the notification service; 0: the page's own."""
    idleLimitS: float  # noqa: N815
    """Seconds of silence after which the server ends the page's session."""
    graceS: float  # noqa: N815
    """Seconds from there to the forced logout."""
    alternate: str
    """Host of the other node; empty: none."""
    locales: tuple[str, ...] = LOCALES


class Desktop:
    """The routes of the desktop."""

    def __init__(self, files: Mapping[str, File], config: RuntimeConfig) -> None:
        """`files` empty: the desktop is absent, and a page says so."""
        self.files = files
        self.config = config

    def routes(self) -> list[BaseRoute]:
        """For the ASGI application of the web services."""
        return [
            Route("/", _to_desktop, methods=["GET"]),
            Route(ROOT, _to_desktop, methods=["GET"]),
            Route(f"{ROOT}/config.json", self._config, methods=["GET"]),
            Route(f"{ROOT}/{{name:path}}", self._file, methods=["GET"]),
        ]

    async def _config(self, request: Request) -> Response:
        headers = {**self._security(request), "Cache-Control": "no-store"}
        return JSONResponse(asdict(self.config), headers=headers)

    async def _file(self, request: Request) -> Response:
        security = self._security(request)
        if not self.files:
            return Response(ABSENT, 503, {**security, "Cache-Control": "no-store"}, "text/html; charset=utf-8")
        name = request.path_params["name"]
        file = self.files.get(PAGES.get(name, name))
        if file is None:
            text = "There is no such file in the desktop."
            return Response(text, 404, {**security, "Cache-Control": "no-store"}, "text/plain; charset=utf-8")
        headers = {**security, "Cache-Control": file.cache, "ETag": file.etag, "Vary": "Accept-Encoding"}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if file.zipped and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.zipped, 200, {**headers, "Content-Encoding": "gzip"}, file.content_type)
        return Response(file.plain, 200, headers, file.content_type)

    def _security(self, request: Request) -> dict[str, str]:
        return {
            "Content-Security-Policy": self._policy(request.headers.get("host", "")),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    def _policy(self, host: str) -> str:
        """The notification service may be on another port of the same host; browsers want its addresses named."""
        sources = ["'self'"]
        if _HOST.fullmatch(host):
            sources.append(f"wss://{host}")
            if self.config.notificationPort:
                name = host if host.endswith("]") else re.sub(r":\d+$", "", host)
                sources += [f"{scheme}://{name}:{self.config.notificationPort}" for scheme in ("https", "wss")]
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
            f"connect-src {' '.join(sources)}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        )


async def _to_desktop(request: Request) -> Response:
    return RedirectResponse(f"{ROOT}/", 302, {"Cache-Control": "no-store"})
