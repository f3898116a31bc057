"""Gateways for the tests of Alluxio's dialect, and a client that says exactly what it is told to.

Clients of Alluxio write paths as they are: `/api/v1/paths/` + `/some/file` + `/get-status`.
"""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.conftest import BACKENDS, _running, backend_options, one_of
from tests.gateway import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.gateway import Gateway

HOME = "/user/alice/alx"
"""The directory that tests work in; empty before each."""
SETTINGS = {"streams": {"sweep_seconds": 0.5}}


@dataclass
class Answer:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON and say so as Alluxio's Go client wants it."""
        assert self.headers["Content-Type"] == "application/json", (self.headers, self.body)
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error, which stands in the body under both names."""
        told = self.json
        assert set(told) == {"message", "statusCode", "status"}, told
        assert told["statusCode"] == told["status"]
        return str(told["status"])

    @property
    def message(self) -> str:
        """The message of an error."""
        return str(self.json["message"])


class Alluxio:
    """Talks to a gateway's Alluxio dialect as `user`."""

    def __init__(self, gateway: Gateway, user: str | None = "someone") -> None:
        self.gateway = gateway
        self.user = user

    def as_user(self, user: str | None) -> Alluxio:
        """Return the same for another user; None: without credentials."""
        return Alluxio(self.gateway, user)

    def raw(
        self, method: str, target: str, body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request whose target is taken as it is."""
        sent = dict(headers or {})
        if self.user is not None and "Authorization" not in sent:
            secret = b64encode(f"{self.user}:{PASSWORD}".encode()).decode()
            sent["Authorization"] = f"Basic {secret}"
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def act(self, path: str, action: str, options: Any = None, **query: str) -> Answer:
        """Do `action` to a path, with the options as JSON if there are any."""
        target = f"/api/v1/paths/{quote(path)}/{action}"
        if query:
            target += "?" + "&".join(f"{name}={quote(value, '')}" for name, value in query.items())
        if options is None:
            return self.raw("POST", target)
        return self.raw("POST", target, json.dumps(options).encode(),
                        {"Content-Type": "application/json"})

    def done(self, path: str, action: str, options: Any = None, **query: str) -> None:
        """Do what answers nothing, and see that it does."""
        answer = self.act(path, action, options, **query)
        assert (answer.status, answer.body) == (200, b""), answer

    def info(self, path: str) -> Any:
        """Return the FileInfo of a path."""
        answer = self.act(path, "get-status")
        assert answer.status == 200, answer
        return answer.json

    def put(self, path: str, content: bytes = b"content") -> None:
        """Make a file by the file API."""
        answer = self.gateway.request(
            "PUT", "/f/file/content", params={"path": path, "overwrite": "true"}, data=content)
        assert answer.status_code == 201, answer.text


def furnished(gateway: Gateway) -> Alluxio:
    """Return a client, with an empty directory to work in."""
    alluxio = Alluxio(gateway)
    left = alluxio.act(HOME, "list-status", {"recursive": True})
    for one in left.json if left.status == 200 else []:
        if not one["completed"]:
            alluxio.done(one["path"], "delete")
    gateway.request("DELETE", "/f/file", params={"path": HOME, "recursive": "true"})
    made = gateway.request("PUT", "/f/directory", params={"path": HOME})
    assert made.status_code == 201, made.text
    return alluxio


@pytest.fixture(scope="session")
def embedded_streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway over the embedded backend."""
    yield from _running(tmp_path_factory.mktemp("streams"), settings=SETTINGS)


@pytest.fixture(scope="session")
def namenode_streams(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over the NameNode."""
    yield from _running(tmp_path_factory.mktemp("streams"), settings=SETTINGS,
                        **backend_options(request, "namenode"))


@pytest.fixture(scope="session")
def httpfs_streams(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over HttpFS."""
    yield from _running(tmp_path_factory.mktemp("streams"), settings=SETTINGS,
                        **backend_options(request, "httpfs"))


@pytest.fixture(scope="session", params=BACKENDS)
def any_gateway(request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway over each kind of backend in turn."""
    return one_of(request, "streams")


@pytest.fixture
def alx(embedded_streams: Gateway) -> Alluxio:
    """Return a client of the gateway over the embedded backend."""
    return furnished(embedded_streams)


@pytest.fixture
def everywhere(any_gateway: Gateway) -> Alluxio:
    """Return a client of a gateway over each kind of backend in turn."""
    return furnished(any_gateway)
