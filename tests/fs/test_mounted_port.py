"""Every method of the port through a mount: all of tests.fs.test_port, of which one is different.

The own cluster is an embedded one; the homes lie in each kind of backend in turn, elsewhere.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from app.core import errors
from app.core.paths import HdfsPath
from app.embedded.server import create_server
from app.fs.mounted import MountedBackend
from app.fs.mounts import Mounts
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from app.state.sqlite import SqliteStore
from tests.fs import test_port
from tests.fs.conftest import superuser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

room = test_port.room
HERE_TOO = {
    name: test for name, test in vars(test_port).items()
    if name.startswith("test_")
    and name not in {"test_probe_and_home", "test_as_a_service_user"}
}
globals().update(HERE_TOO)


@pytest.fixture(scope="module")
def backend(
    settings_and_server: tuple[BackendSettings, Any], tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MountedBackend]:
    """Yield a backend in which `/user` is mounted from /there/users of another cluster."""
    settings, server = settings_and_server
    directory = tmp_path_factory.mktemp("own")
    own = WebHdfsBackend(BackendSettings(url=("embedded:",)),
                         wsgi=create_server(directory / "hdfs", superuser=superuser()))
    with closing(own), closing(WebHdfsBackend(settings, wsgi=server)) as there, closing(
            SqliteStore(directory / "state.db")) as store:
        root = there.as_user(superuser())
        for user in ("alice", "bob"):
            root.mkdirs(HdfsPath(f"/there/users/{user}"), "755")
            root.set_owner(HdfsPath(f"/there/users/{user}"), user, None)
        mounts = Mounts(store, own, {"there": there}, fresh_seconds=0.0)
        mounts.add(HdfsPath("/user"), "there", HdfsPath("/there/users"), read_only=False)
        yield MountedBackend(mounts)


def test_probe_home_and_trash(backend: MountedBackend) -> None:
    backend.probe(5.0)
    alice = backend.as_user("alice")
    assert alice.user == "alice"
    assert alice.home() == "/user/alice"
    assert alice.mount_of(alice.home()) == 1
    # The home that the other cluster would give alice is not in the mount, nor is the trash.
    with pytest.raises(errors.TrashDisabled) as caught:
        alice.trash_root(HdfsPath("/user/alice/x"))
    assert caught.value.path == "/user/alice/x"
    with pytest.raises(errors.TrashDisabled):
        alice.trash_root(HdfsPath("/elsewhere"))
