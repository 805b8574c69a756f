"""`dashboard`: optuna-dashboard on the store, cached, on this machine's loopback only."""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ablations.errors import InputError
from runner.commands import options
from runner.pool.coordinate import SIGNALS
from runner.program.wording import printable

if TYPE_CHECKING:
    from analysis.dashboard import Board
    from runner.store import Store

EXAMPLES = """examples:
  python -m runner dashboard
  python -m runner dashboard --port 8090
  ssh -L 8080:localhost:8080 host   # from your own machine, to look at a dashboard there
"""

PUBLISH_SECONDS = 15.0

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: loopback)")
    parser.add_argument("--port", type=int, default=8080, help="port to bind (default: 8080)")
    options.store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from analysis.dashboard.server import application
    from runner.store import open_store

    store = open_store(arguments.storage)
    pages = application(store, Path(arguments.results))
    on_loopback = arguments.host in LOOPBACK
    try:
        server = make_server(
            arguments.host,
            arguments.port,
            only_for_this_machine(pages) if on_loopback else pages,
            server_class=Threads6 if ":" in arguments.host else Threads,
            handler_class=Quiet,
        )
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cannot serve on {arguments.host}:{arguments.port}: "
            f"{getattr(error, 'strerror', None) or error}; try --port"
        ) from None
    if not on_loopback:
        print(
            f"warning: anyone who reaches {arguments.host}:{arguments.port} can read, change and "
            "delete studies; the dashboard asks for no password",
            file=sys.stderr,
        )
    # A process of its own: estimating 10,000 runs takes seconds, which pages should not wait for.
    publisher = multiprocessing.get_context("spawn").Process(
        target=_keep_current, args=(arguments.storage,), daemon=True
    )
    publisher.start()
    ended = _ends_on_signals(server)
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    print(f"http://{host}:{server.server_port}/  (Ctrl-C ends it)", flush=True)
    with server:
        server.serve_forever()
    publisher.terminate()
    publisher.join()
    return ended[0]


def only_for_this_machine(pages: Application) -> Application:
    """Refuse requests that a page of another site makes a browser on this machine send.

    Loopback alone does not keep those out: a site may name itself 127.0.0.1 (DNS rebinding), or
    post across sites, and the dashboard asks for no password before it deletes a study.
    """

    def answer(request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = {urlsplit(f"//{request.get('HTTP_HOST', '')}").hostname}
        if origin := request.get("HTTP_ORIGIN"):
            asked.add(urlsplit(origin).hostname)
        if asked <= set(LOOPBACK):
            return pages(request, start)
        start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"This dashboard answers to 127.0.0.1 and localhost only.\n"]

    return answer


def _ends_on_signals(server: WSGIServer) -> list[int]:
    """Make a signal end `serve_forever`; the list gets the exit code of the first.

    An exception, as Ctrl-C raises by default, can be lost in a destructor or leave a page's thread
    with a lock that the interpreter's own ending waits for.
    """
    codes: list[int] = []

    def end(number: int, _: object) -> None:
        codes.append(SIGNALS[signal.Signals(number)])
        # From another thread: it waits for the loop, which this one interrupts.
        threading.Thread(target=server.shutdown, daemon=True).start()

    for one in SIGNALS:
        signal.signal(one, end)
    return codes


class Threads(ThreadingMixIn, WSGIServer):
    """A page's pictures need not wait for its trials."""

    daemon_threads = True


class Threads6(Threads):
    """The same at an IPv6 address."""

    address_family = socket.AF_INET6


class Quiet(WSGIRequestHandler):
    """Serves without a line for every request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _keep_current(storage: str | None) -> None:
    """Panels and notes of every study, also of grids that run on other machines."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the server's to answer

    from runner.store import open_store

    server = multiprocessing.parent_process()
    if server is None:
        raise RuntimeError("this runs beside a server, which it outlives by nothing")
    boards: dict[str, Board] = {}
    said: set[str] = set()
    store = open_store(storage)
    while server.is_alive():
        for sentence in keep_current(store, boards):
            if sentence not in said:
                print(printable(sentence), file=sys.stderr, flush=True)
            said.add(sentence)
        server.join(PUBLISH_SECONDS)


def keep_current(store: Store, boards: dict[str, Board]) -> Iterator[str]:
    """Bring every study's trials and page up to date; yields what stands in the way of one.

    A study that was deleted in the dashboard is made again, as while it trains.

    Args:
        store: Where.
        boards: Study to its page as this process knows it; added to.
    """
    from analysis.dashboard import Board
    from runner.optuna_mirror.mirror import Mirror
    from runner.store import StoreError

    try:
        names = store.study_names()
    except StoreError as error:
        yield f"panels are not updated: {error}"
        return
    for name in names:
        try:
            info = store.load_study(name)
            if store.is_behind(info):
                with Mirror(store, info) as mirror:
                    mirror.sync(wait=False)
                boards.pop(name, None)
            board = boards.setdefault(name, Board(store, info))
            store.status(info)  # damage is said here; a page never raises
        except (StoreError, InputError) as error:
            yield f"panels of {name} are not updated: {error}"
        else:
            board.publish()
