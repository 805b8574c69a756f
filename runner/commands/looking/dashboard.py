"""`dashboard`: optuna-dashboard on the store, on this machine and for who has its token only."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from _ablate import call, start_safely
from ablations.errors import InputError
from runner.commands import options
from runner.commands.looking.guard import LOOPBACK, Guard
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

VARIABLE = "ABLATIONS_DASHBOARD_TOKEN"
"""Variable with the token that requests must show."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: loopback)")
    parser.add_argument("--port", type=int, default=8080, help="port to bind (default: 8080)")
    token = parser.add_mutually_exclusive_group()
    token.add_argument(
        "--token",
        help=f"what the address must hold (default: ${VARIABLE}, else a random one); arguments are "
        "visible to other users of the machine, the variable is not",
    )
    token.add_argument(
        "--no-token", action="store_true", help="answer every user of this machine, without a token"
    )
    options.store(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from analysis.dashboard.server import application
    from runner.store import open_store

    token = _token(arguments)
    store = open_store(arguments.storage)
    pages = application(store, Path(arguments.results))
    try:
        server = make_server(
            arguments.host,
            arguments.port,
            Guard(pages, token, LOOPBACK if arguments.host in LOOPBACK else None),
            server_class=Threads6 if ":" in arguments.host else Threads,
            handler_class=Quiet,
        )
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cannot serve on {arguments.host}:{arguments.port}: "
            f"{getattr(error, 'strerror', None) or error}; try --port"
        ) from None
    _warn(arguments, token)
    # A process of its own: estimating 10,000 runs takes seconds, which pages should not wait for.
    publisher = multiprocessing.get_context("spawn").Process(
        target=call, args=(__name__, "publish_all", arguments.storage), daemon=True
    )
    start_safely(publisher.start)
    ended = _ends_on_signals(server)
    print(f"{_address(arguments, server.server_port, token)}  (Ctrl-C ends it)", flush=True)
    with server:
        server.serve_forever()
    publisher.terminate()
    publisher.join()
    return ended[0]


def _token(arguments: argparse.Namespace) -> str | None:
    """What requests must show: what was given, else a random one; None where none is wanted.

    Raises:
        InputError: an empty one was given.
    """
    if arguments.no_token:
        return None
    given: str | None = arguments.token
    if given is None:
        given = os.environ.get(VARIABLE)
    if given is not None and not given.strip():
        raise InputError(
            f"the token (--token or ${VARIABLE}) is empty; say --no-token to ask for none"
        )
    return given or secrets.token_urlsafe(24)


def _address(arguments: argparse.Namespace, port: int, token: str | None) -> str:
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    return f"http://{host}:{port}/" + ("" if token is None else f"?{urlencode({'token': token})}")


def _warn(arguments: argparse.Namespace, token: str | None) -> None:
    """Say who else may get in."""
    reach = f"{arguments.host}:{arguments.port}"
    if arguments.host not in LOOPBACK:
        who = (
            f"anyone who reaches {reach} can read, change and delete studies; the dashboard asks "
            "for no token"
            if token is None
            else f"the token and the pages of {reach} cross the network unencrypted"
        )
    elif token is None:
        who = "every user of this machine can read, change and delete studies"
    else:
        return
    print(f"warning: {who}", file=sys.stderr)


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


def publish_all(storage: str | None) -> None:
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
