"""Who the dashboard answers."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from wsgiref.simple_server import make_server

import pytest

from runner.commands.looking.dashboard import Quiet, Threads, Threads6, only_for_this_machine


def pages(request, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"a study"]


@pytest.fixture
def address():
    server = make_server(
        "127.0.0.1", 0, only_for_this_machine(pages), server_class=Threads, handler_class=Quiet
    )
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def status(address, **headers):
    request = urllib.request.Request(f"http://{address}/", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  loopback
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_browser_on_this_machine_is_answered(address):
    port = address.rpartition(":")[2]
    assert status(address) == 200
    assert status(address, Host=f"localhost:{port}") == 200
    assert status(address, Host=f"[::1]:{port}", Origin=f"http://localhost:{port}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": ""},
        {"Origin": "https://other.example"},
        {"Origin": "null"},
        {"Host": "127.0.0.1.other.example"},
    ],
)
def test_a_page_of_another_site_cannot_reach_it_through_the_browser(address, headers):
    assert status(address, **headers) == 403


def test_the_ipv6_loopback_can_be_served():
    try:
        server = make_server("::1", 0, pages, server_class=Threads6, handler_class=Quiet)
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    server.server_close()
