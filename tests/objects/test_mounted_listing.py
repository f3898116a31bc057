"""All of tests.objects.test_object_listing in a mounted directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fs.mounting import mounted_homes
from tests.objects import test_object_listing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from app.fs.mounted import MountedBackend
    from app.settings import BackendSettings

filled = test_object_listing.filled
globals().update({
    name: test for name, test in vars(test_object_listing).items() if name.startswith("test_")})


@pytest.fixture(scope="module")
def backend(
    settings_and_server: tuple[BackendSettings, Any], tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MountedBackend]:
    """Yield a backend in which all homes are mounted from elsewhere."""
    with mounted_homes(settings_and_server, tmp_path_factory.mktemp("own")) as made:
        yield made
