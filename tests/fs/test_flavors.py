"""Which kind of server is behind: asked once, or told by the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.errors import InvalidParameter, UpstreamFault, UpstreamUnavailable
from app.core.paths import HdfsPath
from app.fs.flavors import HTTPFS, NAMENODE
from tests.fs.conftest import backend_at
from tests.fs.upstream import Upstream, answer, answering, remote

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.fs.port import Flavor

    Serve = Callable[..., Upstream]

NAMENODE_SAYS = remote(
    "IllegalArgumentException", 'Invalid value for webhdfs parameter "op": no such operation',
    "400 Bad Request")
HTTPFS_SAYS = remote(
    "QueryParamException", "No enum constant org.apache.hadoop.fs.http.client.HttpFSFileSystem"
    ".Operation.X", "500 Server Error")


@pytest.mark.parametrize(("said", "expected"), [(NAMENODE_SAYS, NAMENODE), (HTTPFS_SAYS, HTTPFS)])
def test_the_server_is_asked_once(serve: Serve, said: bytes, expected: Flavor) -> None:
    upstream = serve(answering(said))
    backend = backend_at(upstream.url, kind="auto")
    assert backend.as_user("alice").flavor is expected
    assert backend.as_user("bob").flavor is expected
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("kind", [NAMENODE, HTTPFS])
def test_the_configuration_may_tell(kind: Flavor) -> None:
    assert backend_at("http://127.0.0.1:1", kind=kind.name).as_user("alice").flavor is kind


@pytest.mark.parametrize(("said", "expected"), [
    (answer(b"<html>", "401 Unauthorized"), UpstreamFault),
    (answer(b"<html>", "503 Unavailable"), UpstreamUnavailable),
    (remote("SafeModeException"), UpstreamUnavailable),
])
def test_a_server_that_cannot_tell_is_asked_again(
    serve: Serve, said: bytes, expected: type[Exception],
) -> None:
    upstream = serve(answering(said, HTTPFS_SAYS))
    fs = backend_at(upstream.url, kind="auto", retry_deadline=0).as_user("alice")
    with pytest.raises(expected):
        _ = fs.flavor
    assert fs.flavor is HTTPFS


@pytest.mark.parametrize("name", ["", "a b", "a/b", "alice@EXAMPLE.COM", "é", "1a", "a\n", "a&b"])
def test_what_is_no_hadoop_user(name: str) -> None:
    with pytest.raises(InvalidParameter, match="Hadoop user"):
        backend_at("http://127.0.0.1:1").as_user(name)


def test_file_systems_are_remembered() -> None:
    backend = backend_at("http://127.0.0.1:1")
    assert backend.as_user("alice") is backend.as_user("alice")
    assert backend.as_user("alice") is not backend.as_user("bob")


def test_homes_are_remembered_for_a_while(serve: Serve) -> None:
    upstream = serve(answering(answer(b'{"Path": "/user/alice"}')))
    fs = backend_at(upstream.url).as_user("alice")
    assert [fs.home(), fs.home()] == [HdfsPath("/user/alice")] * 2
    assert len(upstream.requests) == 1
    forgetful = backend_at(upstream.url, home_cache=0).as_user("alice")
    assert [forgetful.home(), forgetful.home()] == [HdfsPath("/user/alice")] * 2
    assert len(upstream.requests) == 3


def test_descriptions() -> None:
    assert backend_at("http://a:1", "http://b:1", service_user="gw").description == (
        "WebHDFS at http://a:1, http://b:1 as service user gw")
