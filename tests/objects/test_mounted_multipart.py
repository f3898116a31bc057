"""All of tests.objects.test_multipart in a mounted directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fs.mounting import mounted_homes
from tests.objects import test_multipart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from app.fs.mounted import MountedBackend
    from app.settings import BackendSettings

world = test_multipart.world
globals().update({
    name: test for name, test in vars(test_multipart).items() if name.startswith("test_")})


# tests.fs.test_mounted_port mounts every kind of server; here it is about what is done in it.
pytestmark = pytest.mark.parametrize("settings_and_server", ["embedded"], indirect=True)


@pytest.fixture(scope="module")
def backend(
    settings_and_server: tuple[BackendSettings, Any], tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MountedBackend]:
    """Yield a backend in which all homes are mounted from elsewhere."""
    with mounted_homes(settings_and_server, tmp_path_factory.mktemp("own")) as made:
        yield made
