"""An upload of as many parts as S3 allows, each of another size."""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.core.objects import PartClaim
from app.core.paths import child_of
from app.embedded.server import create_server
from app.fs.staging import Staging
from app.fs.upload_layout import LAST_PART, directory_of, part_name
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings, UploadSettings
from app.state.sqlite import SqliteStore
from tests.objects.multipart_world import BUCKET, KEY, World, Wrapped, new_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_CALLS = 400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Yield a bucket of the embedded backend's superuser."""
    server = create_server(tmp_path / "hdfs", superuser="alice")
    backend = WebHdfsBackend(BackendSettings(url=("embedded:",)), wsgi=server)
    store = SqliteStore(tmp_path / "state.db")
    staging = Staging(store, backend, UploadSettings())
    yield new_world(backend.as_user("alice"), staging)
    staging.workers.stop()
    store.close()
    backend.close()


@pytest.mark.slow
def test_ten_thousand_parts(world: World) -> None:
    upload = world.begin()
    directory = directory_of(world.path, upload.upload_id)

    def part(number: int) -> PartClaim:
        content = b"%05d" % number + b"." * (number * 7919 % 10_007)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        world.fs.create(
            child_of(directory, part_name(number, md5, {})), [content], permission="644")
        return PartClaim(number, md5, {})

    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(part, range(1, LAST_PART + 1)))
    last, more = world.multipart.parts(BUCKET, KEY, upload.upload_id, after=LAST_PART - 2)
    assert ([one.number for one in last], more) == ([LAST_PART - 1, LAST_PART], False)
    calls: Counter[str] = Counter()
    counted = Wrapped(world.fs, before=lambda name, _: calls.update([name]))
    info = world.over(counted).uploads.complete(  # type: ignore[arg-type]
        BUCKET, KEY, upload.upload_id, claims, least_part=0)
    assert calls.total() < MOST_CALLS
    found = world.read()
    assert found.info == info
    assert found.info.meta.part_sizes == tuple(
        5 + number * 7919 % 10_007 for number in range(1, LAST_PART + 1))
    start = 0
    for number, size in enumerate(info.meta.part_sizes, 1):
        assert found.content[start:start + 5] == b"%05d" % number
        start += size
    assert start == len(found.content)
    assert world.is_clean()
