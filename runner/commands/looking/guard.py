"""Who the dashboard answers, and what a browser may do with its answers.

optuna-dashboard asks for no password before it deletes a study. Here a request needs the token of
this server (in the address, then in a cookie; or as `Authorization: Bearer TOKEN`), and a browser
sends nothing on behalf of a page of another site. A WSGI layer around the pages.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Request = dict[str, Any]
"""A WSGI environment."""
Application = Callable[[Request, Callable[..., Any]], Iterable[bytes]]
"""A WSGI application."""
Headers = list[tuple[str, str]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")

PAGES = ("/dashboard", "/static")
"""Where optuna-dashboard keeps its own pages; whatever else is opened as one gets no rights."""

FOR_ALL: Headers = [
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
NOT_FRAMED = ("Content-Security-Policy", "frame-ancestors 'none'")
NO_RIGHTS = ("Content-Security-Policy", "sandbox; frame-ancestors 'none'")

ENTRANCE = """<!doctype html><meta charset="utf-8"><title>Dashboard</title>
<meta http-equiv="refresh" content="0; url={there}"><a href="{there}">to the dashboard</a>
"""
"""Sends the browser on without the token in its address. No redirect: after a link on another site
the browser would follow it without a cookie that is `SameSite=Strict`."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Answers for `pages`, so far as a request may be answered.

    Attributes:
        pages: What is guarded.
        token: What a request must show; None: nothing.
        hosts: Names this server goes by; None: any. A site may name itself 127.0.0.1 (DNS
            rebinding), and its pages then are of the dashboard's origin.
    """

    pages: Application
    token: str | None
    hosts: tuple[str, ...] | None = LOOPBACK

    def __call__(self, request: Request, start: Callable[..., Any]) -> Iterable[bytes]:
        """Refuse the request, let it in by its token, or hand it to the pages."""
        path = "/" + request.get("PATH_INFO", "").lstrip("/")  # as optuna-dashboard reads it
        is_page = path == "/" or path.startswith(PAGES)
        headers = [*FOR_ALL, NOT_FRAMED if is_page else NO_RIGHTS]
        if not self._is_asked_for(request):
            return _say(start, headers, "403 Forbidden", "This dashboard answers its own pages.")
        shown = _token_in_address(request)
        if shown is not None and self.token is not None and _same(shown, self.token):
            kept = f"{_cookie(self.token)}; HttpOnly; SameSite=Strict; Path=/"
            headers.append(("Set-Cookie", kept))
            if request["REQUEST_METHOD"] == "GET" and not path.startswith("/api/"):
                return _say(start, headers, "200 OK", _entrance(path, request), "text/html")
        elif not self._is_known(request):
            text = "This dashboard wants its token: open the address that its command printed."
            return _say(start, headers, "403 Forbidden", text)
        if _is_no_json(request):
            text = "The dashboard takes application/json."
            return _say(start, headers, "415 Unsupported Media Type", text)
        return _answered(self.pages, request, start, headers)

    def _is_asked_for(self, request: Request) -> bool:
        """Whether the request names this server, and comes from no page of another origin."""
        host = request.get("HTTP_HOST", "")
        try:
            name = urlsplit(f"//{host}").hostname
            origin = request.get("HTTP_ORIGIN")
            asking = host if origin is None else urlsplit(origin).netloc
        except ValueError:  # "[::1"
            return False
        known = name is not None and (self.hosts is None or name in self.hosts)
        return known and str(asking).lower() == host.lower()

    def _is_known(self, request: Request) -> bool:
        """Whether the request shows the token by its cookie or its header."""
        if self.token is None:
            return True
        said = request.get("HTTP_AUTHORIZATION", "")
        if _same(said, f"Bearer {self.token}"):
            return True
        cookies = request.get("HTTP_COOKIE", "").split(";")  # some of other servers of this host
        return any(_same(one.strip(), _cookie(self.token)) for one in cookies)


def _same(given: str, expected: str) -> bool:
    """Whether two texts are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode(errors="replace"))


def _cookie(token: str) -> str:
    """Name and value of the cookie that stands for the token, and does not tell it.

    Its name is the token's own: a browser shares cookies among the ports of a host.
    """
    digest = hashlib.sha256(f"dashboard {token}".encode()).hexdigest()
    return f"ablations-{digest[:8]}={digest[8:]}"


def _token_in_address(request: Request) -> str | None:
    return dict(parse_qsl(request.get("QUERY_STRING", ""))).get("token")


def _entrance(path: str, request: Request) -> str:
    """The page that leads to the same address without the token."""
    others = [one for one in parse_qsl(request.get("QUERY_STRING", "")) if one[0] != "token"]
    there = quote(path.encode("latin-1", "replace"))
    return ENTRANCE.format(there=escape(there + (f"?{urlencode(others)}" if others else "")))


def _is_no_json(request: Request) -> bool:
    """Whether the request brings something other than the JSON that the pages' own scripts send."""
    brings = request.get("CONTENT_LENGTH") not in (None, "", "0")
    kind = request.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    return brings and kind != "application/json"


def _answered(
    pages: Application, request: Request, start: Callable[..., Any], headers: Headers
) -> Iterable[bytes]:
    """The pages' own answer with further headers; of a failure one line on the terminal."""
    trouble = io.StringIO()

    def start_with(status: str, own: Headers, *more: Any) -> Any:
        return start(status, [*own, *headers], *more)

    answer = pages({**request, "wsgi.errors": trouble}, start_with)
    lines = trouble.getvalue().strip().splitlines()
    if lines:
        asked = f"{request['REQUEST_METHOD']} {quote(request.get('PATH_INFO', ''))}"
        print(f"the dashboard could not answer {asked}: {lines[-1]}", file=sys.stderr)
    return answer


def _say(
    start: Callable[..., Any], headers: Headers, status: str, text: str, kind: str = "text/plain"
) -> Iterable[bytes]:
    body = f"{text}\n".encode()
    about = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
    start(status, [*about, *headers])
    return [body]
