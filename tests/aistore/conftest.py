"""Gateways for the tests of AIStore's dialect, and a small client as those that are generated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from tests.conftest import BACKENDS, _running, backend_options, one_of
from tests.gateway import PASSWORD, default_users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.gateway import Gateway

ROOT = "/user/alice/ais"
"""Where the buckets of `someone` and `reader` lie; empty before each test."""
BUCKET_ROOTS = {"someone": ROOT, "reader": ROOT, "guest": ROOT, "other": "/user/bob/ais"}
"""`guest` is another Hadoop user than `someone` and has the same bucket root."""


def users(superuser: str = "hdfs") -> dict[str, dict[str, Any]]:
    """Return the users that the tests know, most with a root for their buckets."""
    known = default_users(superuser)
    known["guest"] = {"hadoop_user": "bob"}
    for name, root in BUCKET_ROOTS.items():
        known[name]["bucket_root"] = root
    return known


@dataclass
class AIStore:
    """Talks to a gateway's AIStore dialect as `user` (None: without credentials)."""

    gateway: Gateway
    user: str | None = "someone"

    def as_user(self, user: str | None) -> AIStore:
        """Return the same for another user."""
        return AIStore(self.gateway, user)

    def call(
        self, method: str, path: str, message: Any = None, *,
        data: Any = None, headers: Mapping[str, str] | None = None, stream: bool = False,
        **query: Any,
    ) -> requests.Response:
        """Send a request for what lies below `/v1/`, its path taken as it is.

        `message` goes as JSON; `query` are the parameters, None for absent ones.
        """
        sent = dict(headers or {})
        if message is not None:
            data, sent["Content-Type"] = json.dumps(message).encode(), "application/json"
        pairs = [(name, value) for name, value in query.items() if value is not None]
        tail = "?" + "&".join(f"{name}={quote(str(value), '')}" for name, value in pairs)
        url = f"{self.gateway.url}/v1/{path}{tail if pairs else ''}"
        auth = None if self.user is None else (self.user, PASSWORD)
        request = requests.Request(method, url, sent, data=data, auth=auth).prepare()
        request.url = url  # as it is: requests would tidy it up
        with requests.Session() as session:
            session.trust_env = False
            return session.send(request, timeout=60, allow_redirects=False, stream=stream)

    def object(
        self, method: str, bucket: str, key: str, message: Any = None, **options: Any,
    ) -> requests.Response:
        """Send a request for an object; all of its name but the slashes is encoded."""
        return self.call(method, f"objects/{bucket}/{quote(key)}", message, **options)

    def bucket(
        self, method: str, bucket: str, message: Any = None, **options: Any,
    ) -> requests.Response:
        """Send a request for a bucket."""
        return self.call(method, f"buckets/{bucket}", message, **options)

    def put(self, bucket: str, key: str, content: Any = b"content", **options: Any) -> None:
        """Put an object that must be taken."""
        answer = self.object("PUT", bucket, key, data=content, **options)
        assert (answer.status_code, answer.content) == (200, b""), answer.text

    def get(self, bucket: str, key: str, **options: Any) -> bytes:
        """Return the content of an object that must be there."""
        answer = self.object("GET", bucket, key, **options)
        assert answer.status_code in (200, 206), answer.text
        return answer.content

    def make_bucket(self, bucket: str) -> str:
        """Make a bucket by the file API; return its name."""
        path = f"{BUCKET_ROOTS[self.user or 'someone']}/{bucket}"
        made = self.gateway.request(
            "PUT", "/f/directory", user=self.user, params={"path": path})
        assert made.status_code == 201, made.text
        return bucket


def error_of(answer: requests.Response, status: int) -> str:
    """Return the message of an error, which must have this status and AIStore's shape."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    text = answer.text
    if answer.request.method == "HEAD":
        assert not text
        text = answer.headers["Header-Error"]
    told = json.loads(text)
    assert list(told) == ["status", "message", "method", "url_path", "remote_addr", "trace"]
    assert (told["status"], told["method"]) == (status, answer.request.method)
    return str(told["message"])


def world_in(directory: Path, **options: Any) -> Iterator[Gateway]:
    """Yield a gateway in this directory, its options as Gateway has them."""
    options.setdefault("users", users(options.get("superuser", "hdfs")))
    yield from _running(directory, **options)


def furnished(gateway: Gateway, bucket: str = "") -> AIStore:
    """Return a client whose buckets are gone; `bucket` is the one that is there, if any."""
    for user in ("someone", "other"):
        root = BUCKET_ROOTS[user]
        gateway.request(
            "DELETE", "/f/file", user=user, params={"path": root, "recursive": "true"})
        made = gateway.request("PUT", "/f/directory", user=user, params={"path": root})
        assert made.status_code == 201, made.text
    client = AIStore(gateway)
    if bucket:
        client.make_bucket(bucket)
    return client


@pytest.fixture(scope="session")
def embedded_aistore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Yield a gateway over the embedded backend."""
    yield from world_in(tmp_path_factory.mktemp("aistore"))


@pytest.fixture(scope="session")
def namenode_aistore(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over the NameNode."""
    yield from world_in(
        tmp_path_factory.mktemp("aistore"), **backend_options(request, "namenode"))


@pytest.fixture(scope="session")
def httpfs_aistore(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """Yield a gateway over HttpFS."""
    yield from world_in(tmp_path_factory.mktemp("aistore"), **backend_options(request, "httpfs"))


@pytest.fixture(scope="session", params=BACKENDS)
def any_gateway(request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway over each kind of backend in turn."""
    return one_of(request, "aistore")


@pytest.fixture
def ais(embedded_aistore: Gateway) -> AIStore:
    """Return a client of the gateway over the embedded backend, with an empty bucket `bck`."""
    return furnished(embedded_aistore, "bck")


@pytest.fixture
def everywhere(any_gateway: Gateway) -> AIStore:
    """Return a client of a gateway over each kind of backend in turn, with a bucket `bck`."""
    return furnished(any_gateway, "bck")
