"""Who the dashboard answers, and with which headers."""

from __future__ import annotations

import argparse
import http.client
import threading
from wsgiref.simple_server import make_server

import pytest

from ablations.errors import InputError
from runner.commands.looking import dashboard
from runner.commands.looking.dashboard import Quiet, Threads, Threads6
from runner.commands.looking.guard import Guard

TOKEN = "two words & more"  # noqa: S105
IN_ADDRESS = "token=two+words+%26+more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def pages(request, start):
    if request["PATH_INFO"] == "/fails":
        request["wsgi.errors"].write("Traceback\n  somewhere\nAttributeError: no get\n")
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Security-Policy", "theirs")])
    return [b"a study"]


@pytest.fixture(params=[TOKEN, None])
def port(request):
    """The port of a server that wants a token, or none."""
    served = Guard(pages, request.param)
    server = make_server("127.0.0.1", 0, served, server_class=Threads, handler_class=Quiet)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


with_token = pytest.mark.parametrize("port", [TOKEN], indirect=True)


def ask(port, path="/", method="GET", body=None, **headers):
    """Status, headers and text of an answer; a header of None is not sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {"Host": f"127.0.0.1:{port}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    try:
        connection.request(method, path, body, {k: v for k, v in sent.items() if v is not None})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_a_browser_on_this_machine_is_answered(port):
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "localhost:9000"):
        assert ask(port, Host=host, **BEARER)[0] == 200
        assert ask(port, Host=host, Origin=f"http://{host}", **BEARER)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Host": "127.0.0.1.other.example"},
        {"Origin": "https://other.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://127.0.0.1"},
    ],
)
def test_a_page_of_another_origin_cannot_reach_it_through_the_browser(port, headers, capsys):
    status, _, text = ask(port, **{**BEARER, **headers})
    assert (status, text) == (403, "This dashboard answers its own pages.\n")
    assert capsys.readouterr().err == ""


@with_token
@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=two", "/api/studies", "/x?token=%FF"])
@pytest.mark.parametrize("headers", [{}, {"Cookie": "ablations=1"}, {"Authorization": "Bearer x"}])
def test_nobody_gets_in_without_the_token(port, path, headers):
    status, given, text = ask(port, path, **headers)
    assert status == 403
    assert "open the address" in text
    assert given["Set-Cookie"] is None


@with_token
def test_the_address_with_the_token_lets_a_browser_in(port):
    status, headers, text = ask(port, f"/dashboard/studies/1?page=2&{IN_ADDRESS}")
    assert status == 200
    assert 'content="0; url=/dashboard/studies/1?page=2"' in text
    cookie, *flags = headers["Set-Cookie"].split("; ")
    assert flags == ["HttpOnly", "SameSite=Strict", "Path=/"]
    assert TOKEN not in cookie
    for sent in (cookie, f'theirs={{"a": 1}}; {cookie}; more=2'):
        assert ask(port, "/api/studies", Cookie=sent)[2] == "a study"
    assert ask(port, "/api/studies", Cookie=cookie[:-1])[0] == 403


@with_token
def test_the_way_in_leads_nowhere_else(port):
    for path in ("//other.example/x", "/\\other.example", "/%22%3E%3Cscript%3E"):
        text = ask(port, f"{path}?{IN_ADDRESS}")[2]
        there = text.split("url=")[1].partition('"')[0]
        assert there.startswith("/")
        assert not there.startswith(("//", "/\\"))
        assert "<script" not in text


@with_token
def test_a_program_may_give_the_token_in_the_address_too(port):
    assert ask(port, f"/api/studies?{IN_ADDRESS}")[2] == "a study"


def test_no_answer_can_be_framed_or_sniffed_and_no_artifact_runs_scripts(port):
    for path, policy in {
        "/dashboard/studies/1": "frame-ancestors 'none'",
        "/artifacts/1/2/3": "sandbox; frame-ancestors 'none'",
        "//artifacts/1/2/3": "sandbox; frame-ancestors 'none'",
    }.items():
        _, headers, _ = ask(port, path, **BEARER)
        assert headers.get_all("Content-Security-Policy") == ["theirs", policy]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", None])
def test_only_json_is_taken(port, kind):
    status, _, text = ask(port, "/api/studies", "POST", b"{}", Content_Type=kind, **BEARER)
    assert (status, text) == (415, "The dashboard takes application/json.\n")
    as_json = {"Content_Type": "application/json; charset=utf-8", **BEARER}
    assert ask(port, "/api/studies", "POST", b"{}", **as_json)[0] == 200
    assert ask(port, "/api/studies/1", "DELETE", **BEARER)[0] == 200


def test_what_the_pages_fail_at_is_one_line(port, capsys):
    ask(port, "/fails", **BEARER)
    said = "the dashboard could not answer GET /fails: AttributeError: no get\n"
    assert capsys.readouterr().err == said


# -- the command ------------------------------------------------------------------------------


def asked(*words):
    parser = argparse.ArgumentParser()
    dashboard.configure(parser)
    return parser.parse_args(words)


def test_the_token_is_random_unless_one_is_given(monkeypatch):
    monkeypatch.delenv(dashboard.VARIABLE, raising=False)
    first, second = (dashboard._token(asked()) for _ in range(2))
    assert first != second
    assert len(first) >= 32
    assert dashboard._token(asked("--token", "mine")) == "mine"
    monkeypatch.setenv(dashboard.VARIABLE, TOKEN)
    assert dashboard._token(asked()) == TOKEN
    assert dashboard._token(asked("--no-token")) is None
    assert dashboard._address(asked(), 80, TOKEN) == f"http://127.0.0.1:80/?{IN_ADDRESS}"
    assert dashboard._address(asked("--host", "::1"), 80, None) == "http://[::1]:80/"


@pytest.mark.parametrize("given", ["", " "])
def test_an_empty_token_is_not_taken_for_none(monkeypatch, given):
    with pytest.raises(InputError, match="is empty; say --no-token"):
        dashboard._token(asked("--token", given))
    monkeypatch.setenv(dashboard.VARIABLE, given)
    with pytest.raises(InputError, match="is empty; say --no-token"):
        dashboard._token(asked())


@pytest.mark.parametrize(
    ("words", "token", "warning"),
    [
        ([], TOKEN, ""),
        ([], None, "every user of this machine can"),
        (
            ["--host", "192.0.2.1"],
            TOKEN,
            "the token and the pages of 192.0.2.1:8080 cross the network",
        ),
        (["--host", "192.0.2.1"], None, "anyone who reaches 192.0.2.1:8080 can"),
    ],
)
def test_who_else_gets_in_is_said(capsys, words, token, warning):
    dashboard._warn(asked(*words), token)
    assert warning in capsys.readouterr().err
    dashboard._warn(asked(), TOKEN)
    assert capsys.readouterr().err == ""


def test_the_ipv6_loopback_can_be_served():
    try:
        server = make_server("::1", 0, pages, server_class=Threads6, handler_class=Quiet)
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    server.server_close()
