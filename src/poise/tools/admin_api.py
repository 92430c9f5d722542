"""Asks a running server's administrator's API. Blocking; for the command line."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from poise.tools.trust import Trust, trouble

PATIENCE_S = 20.0
"""Seconds until a server that does not answer is given up. A password check behind a queue of others takes seconds."""
PAGE = 500
"""Sessions asked for at once; the server gives no more."""
PAGES_MAX = 1000
"""Pages read at most: a list that grows faster than it is read comes to an end."""


class ApiError(Exception):
    """The server cannot be asked, or refused. The text says what to do."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code
        """Stable code of a refusal; `poise explain` knows it. Empty when the server could not be asked."""


@dataclass(frozen=True, slots=True)
class AdminApi:
    """One server and one administrator."""

    url: str
    """Such as `https://finesse1.example.com:8445`."""
    user: str
    password: str = field(repr=False)
    trust: Trust

    def sessions(self, user: str = "") -> Iterator[Mapping[str, Any]]:
        """All live sessions, or one user's, page by page. Raises ApiError."""
        offset = 0
        for _ in range(PAGES_MAX):
            query = urllib.parse.urlencode({"offset": offset, "limit": PAGE, **({"user": user} if user else {})})
            page = self._ask("GET", f"/poise/api/sessions?{query}")
            yield from page["sessions"]
            offset += len(page["sessions"])
            if not page["sessions"] or offset >= page["total"]:
                return

    def kill(self, jid: str) -> Mapping[str, Any]:
        """End the session of a full JID. Raises ApiError."""
        return self._ask("DELETE", f"/poise/api/sessions/{urllib.parse.quote(jid, safe='')}")

    def key_log(self, enabled: bool | None = None) -> Mapping[str, Any]:
        """State of the TLS key log, after switching it if `enabled` is given. Raises ApiError."""
        return self._ask({None: "GET", True: "PUT", False: "DELETE"}[enabled], "/poise/api/key-log")

    def _ask(self, method: str, path: str) -> Mapping[str, Any]:
        base = urllib.parse.urlsplit(self.url)
        if base.scheme not in ("http", "https") or not base.hostname:
            raise ApiError(f"{self.url!r} is no address of a server: give https://HOST:PORT.")
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{base.scheme}://{base.netloc}{path}", method=method, headers={"Authorization": f"Basic {token}"}
        )
        try:
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.trust.context())
            )
            with opener.open(request, timeout=PATIENCE_S) as answer:
                return _read(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise _refused(refusal.code, refusal.read(), base.netloc) from None
        except urllib.error.URLError as error:
            reason = error.reason
            raise ApiError(trouble(reason if isinstance(reason, OSError) else OSError(reason), base.netloc)) from None
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(
                trouble(error if isinstance(error, OSError) else OSError(repr(error)), base.netloc)
            ) from None


def _read(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ApiError("The answer is no JSON: is this the HTTPS port of a Poise server?")
    return value


def _refused(status: int, data: bytes, where: str) -> ApiError:
    try:
        problem = json.loads(data)
        code, title, detail = str(problem["code"]), str(problem["title"]), str(problem.get("detail", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(f"{where} answered with HTTP status {status} and no reason: is this a Poise server?")
    return ApiError(f"{title} {detail}".rstrip() + f" ({code})", code)
