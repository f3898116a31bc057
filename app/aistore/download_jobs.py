"""The jobs of downloads: what the gateway's settings allow, and how content becomes an object."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.aistore.bucket_props import Access, props_of
from app.aistore.digests import Digests, Promise
from app.core.objects import ObjectMeta
from app.downloads.fetching import Fetcher, Limits
from app.downloads.guard import Guard
from app.downloads.work import KIND, Downloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.identity import Principal
    from app.jobs.jobs import Jobs
    from app.settings import DownloadSettings
    from app.web.services import Services

NEEDED = Access.DOWNLOAD | Access.PUT
"""What a bucket's `access` must allow."""


def register(jobs: Jobs, services: Services) -> None:
    """Have downloads done."""
    settings = services.settings.download
    limits = Limits(settings.timeout, settings.max_bytes, settings.min_rate)

    room = Downloads(
        services.store, Fetcher(guard_of(settings), limits), settings, partial(_put, services),
        kept_seconds=services.settings.jobs.kept_seconds)
    jobs.register(KIND, room.work, resumable=True, undo=room.undo)


def guard_of(settings: DownloadSettings) -> Guard:
    """Return what decides where downloads may come from."""
    return Guard(settings.hosts, settings.private_networks)


def _put(
    services: Services, principal: Principal, place: tuple[str, str], pieces: Iterator[bytes],
    content_type: str,
) -> None:
    """Make content an object, with the checksums that a PUT would have given it."""
    bucket, name = place
    objects = services.objects_of(principal)
    props = props_of(objects, bucket)
    props.require(NEEDED, objects.bucket_path(bucket))
    digests = Digests(props.checksum, Promise())
    headers = {"content-type": content_type} if content_type else {}

    def content() -> Iterator[bytes]:
        for piece in pieces:
            digests.update(piece)
            yield piece

    objects.put(bucket, name, content(), lambda: ObjectMeta(
        etag=digests.etag, digests=digests.kept, headers=headers))
