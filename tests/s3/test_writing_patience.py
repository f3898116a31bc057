"""Answers that take long: kept alive by white space, ended by a document."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from defusedxml.ElementTree import fromstring

from app.core.errors import AccessDenied
from app.core.identity import Principal
from app.core.object_errors import NoSuchKey
from app.core.paths import HdfsPath
from app.s3.patience import patiently
from app.s3.xml import answer
from app.web.exchange import Exchange, begin

if TYPE_CHECKING:
    from werkzeug import Response


def exchange() -> Exchange:
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/s3/bucket/key", "QUERY_STRING": "",
               "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "x",
               "SERVER_PORT": "80"}
    made = begin(environ, ())
    made.principal = Principal("someone", "alice", root=HdfsPath("/user/alice/room"))
    return made


def done() -> Response:
    return answer("Result", [("Key", "a&b")])


def test_what_is_soon_done_has_its_own_answer() -> None:
    response = patiently(exchange(), done, 5)
    assert response.get_data() == done().get_data()
    assert "Content-Length" in response.headers

    def fail() -> Response:
        raise NoSuchKey("key")

    with pytest.raises(NoSuchKey):
        patiently(exchange(), fail, 5)


def test_what_takes_long_is_kept_alive() -> None:
    gate = threading.Event()

    def slow() -> Response:
        assert gate.wait(20)
        return done()

    response = patiently(exchange(), slow, 0.01)
    pieces = iter(response.response)
    seen = [next(pieces), next(pieces), next(pieces)]
    gate.set()
    text = b"".join([*map(bytes, seen), *map(bytes, pieces)])
    assert text.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n  ')
    assert fromstring(text).findtext("{*}Key") == "a&b"
    assert response.status_code == 200
    assert "Content-Length" not in response.headers


@pytest.mark.parametrize(("error", "code"), [
    (NoSuchKey("key"), "NoSuchKey"), (RuntimeError("secret"), "InternalError"),
    (AccessDenied("/user/alice/room/bucket/key"), "AccessDenied"),
])
def test_what_fails_late_ends_in_an_error(error: Exception, code: str) -> None:
    gate = threading.Event()

    def slow() -> Response:
        assert gate.wait(20)
        raise error

    response = patiently(exchange(), slow, 0.01)
    pieces = iter(response.response)
    first = next(pieces)
    gate.set()
    text = b"".join([bytes(first), *map(bytes, pieces)])
    assert fromstring(text).findtext("Code") == code
    assert b"secret" not in text
    assert b"/user/alice" not in text
