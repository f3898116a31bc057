"""File systems to test: over a scripted server, and over each real kind of backend."""

from __future__ import annotations

import contextlib
import uuid
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.core.paths import HdfsPath
from app.embedded.server import create_server
from app.fs.pool import Limits
from app.fs.staging import Staging
from app.fs.transport import UpstreamSession
from app.fs.webhdfs import WebHdfsBackend
from app.fs.workers import Workers
from app.settings import BackendSettings, UploadSettings
from app.state.sqlite import SqliteStore
from tests.fs.mounting import World, superuser
from tests.fs.stream_scene import Scene
from tests.fs.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.fs.filesystem import WebHdfsFileSystem
    from tests.fs.upstream import Peer

HADOOP = pytest.mark.hadoop
_MADE: list[WebHdfsBackend] = []
LIMITS = Limits(connect_timeout=2.0, read_timeout=2.0, pool_size=4, pool_idle=5.0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Upstream]]:
    """Start scripted servers, which end with the test."""
    with ExitStack() as stack:
        def start(script: Callable[[Peer], None], **options: Any) -> Upstream:
            return stack.enter_context(Upstream(script, **options))

        yield start


@pytest.fixture
def session() -> Iterator[UpstreamSession]:
    """Yield a session with short time limits."""
    with UpstreamSession(LIMITS) as made:
        yield made


def backend_at(*urls: str, **settings: Any) -> WebHdfsBackend:
    """Return a backend over NameNodes at these URLs."""
    quick = {"kind": "namenode", "rpc": ("off",), "connect_timeout": 2.0, "read_timeout": 2.0,
             "retry_deadline": 1.0, **settings}
    made = WebHdfsBackend(BackendSettings(url=urls, **quick))
    _MADE.append(made)
    return made


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Close what `backend_at` made for a test."""
    yield
    while _MADE:
        _MADE.pop().close()


@pytest.fixture(scope="session", params=[
    pytest.param("embedded", id="embedded"),
    pytest.param("namenode", id="namenode", marks=HADOOP),
    pytest.param("httpfs", id="httpfs", marks=HADOOP),
])
def settings_and_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
) -> tuple[BackendSettings, Any]:
    """Return each kind of backend in turn: its settings, and the embedded one's application."""
    if request.param == "embedded":
        server = create_server(tmp_path_factory.mktemp("embedded"), superuser=superuser())
        return BackendSettings(url=("embedded:",)), server
    hadoop = request.getfixturevalue("hadoop")
    assert hadoop.superuser == superuser()
    url = hadoop.namenode_url if request.param == "namenode" else hadoop.httpfs_url
    return BackendSettings(url=(url,)), None


@pytest.fixture(scope="session")
def backend(settings_and_server: tuple[BackendSettings, Any]) -> Iterator[WebHdfsBackend]:
    """Yield a backend of each kind, with homes of alice and bob."""
    settings, server = settings_and_server
    made = WebHdfsBackend(settings, wsgi=server)
    root = made.as_user(superuser())
    for user in ("alice", "bob"):
        root.mkdirs(HdfsPath(f"/user/{user}"), "755")
        root.set_owner(HdfsPath(f"/user/{user}"), user, None)
    yield made
    made.close()


@pytest.fixture
def service_backend(
    settings_and_server: tuple[BackendSettings, Any],
) -> Iterator[WebHdfsBackend]:
    """Yield the same, asked by the service user `gateway` on behalf of its users."""
    settings, server = settings_and_server
    made = WebHdfsBackend(replace(settings, service_user="gateway"), wsgi=server)
    yield made
    made.close()


@pytest.fixture
def staging(tmp_path: Path, backend: WebHdfsBackend) -> Iterator[Staging]:
    """Yield a journal of its own."""
    with contextlib.closing(SqliteStore(tmp_path / "state.db")) as store:
        made = Staging(store, backend, UploadSettings())
        yield made
        made.workers.stop()


@pytest.fixture
def alice(backend: WebHdfsBackend) -> WebHdfsFileSystem:
    """Return the cluster as alice sees it."""
    return backend.as_user("alice")


@pytest.fixture
def directory(alice: WebHdfsFileSystem) -> HdfsPath:
    """Return a new directory of alice's."""
    made = HdfsPath(f"/user/alice/{uuid.uuid4().hex}")
    alice.mkdirs(made, "755")
    return made


WORLDS = [
    pytest.param(("embedded", "embedded"), id="embedded"),
    pytest.param(("embedded", "namenode"), id="namenode-in-embedded", marks=HADOOP),
    pytest.param(("embedded", "httpfs"), id="httpfs-in-embedded", marks=HADOOP),
    pytest.param(("namenode", "namenode"), id="namenode-in-itself", marks=HADOOP),
]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Yield two clusters, of each kind in turn, that can be mounted."""
    with ExitStack() as stack:
        def cluster(kind: str, name: str) -> WebHdfsBackend:
            if kind == "embedded":
                settings = BackendSettings(url=("embedded:",))
                server = create_server(tmp_path / name, superuser=superuser(), listing_page=3)
            else:
                hadoop = request.getfixturevalue("hadoop")
                url = hadoop.namenode_url if kind == "namenode" else hadoop.httpfs_url
                settings, server = BackendSettings(url=(url,)), None
            return stack.enter_context(
                contextlib.closing(WebHdfsBackend(settings, wsgi=server)))

        own, there = request.param
        store = stack.enter_context(contextlib.closing(SqliteStore(tmp_path / "state.db")))
        yield World(store, cluster(own, "own"), cluster(there, "there"))


@pytest.fixture
def scene(
    staging: Staging, backend: WebHdfsBackend, directory: HdfsPath,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """Return a directory with nobody sweeping in the background."""
    monkeypatch.setattr(Workers, "_beat", lambda _self, _stop: None)
    return Scene(staging, backend, directory)
