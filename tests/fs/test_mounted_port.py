"""Every method of the port through a mount: all of tests.fs.test_port, of which one is different.

The own cluster is an embedded one; the homes lie in each kind of backend in turn, elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core import errors
from app.core.paths import HdfsPath
from tests.fs import test_port
from tests.fs.mounting import mounted_homes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from app.fs.mounted import MountedBackend
    from app.settings import BackendSettings

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
    with mounted_homes(settings_and_server, tmp_path_factory.mktemp("own")) as made:
        yield made


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
