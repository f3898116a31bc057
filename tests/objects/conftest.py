"""A bucket root on each kind of backend, with the fixtures that app.fs is tested with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fs.conftest import (
    alice,
    backend,
    closing,
    directory,
    settings_and_server,
    staging,
)
from tests.objects.shop import Shop

if TYPE_CHECKING:
    from app.core.paths import HdfsPath
    from app.fs.filesystem import WebHdfsFileSystem
    from app.fs.staging import Staging

__all__ = ["alice", "backend", "closing", "directory", "settings_and_server", "shop", "staging"]


@pytest.fixture
def shop(
    alice: WebHdfsFileSystem,
    directory: HdfsPath,
    staging: Staging,
) -> Shop:
    """Return alice's buckets in a directory of their own, one of them made."""
    made = Shop(alice, staging, directory)
    made.store.create_bucket(made.bucket)
    return made
