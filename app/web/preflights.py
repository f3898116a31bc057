"""Buckets' rules of cross-origin sharing where preflights find them: in the state store.

The rules lie with the bucket, in its record. A preflight comes without credentials, so nobody's
file system can be asked for them: the store has them a second time, by the bucket's name and where
it lies. Whoever gives a bucket another name, or takes it away, has to say so here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from app.core.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.paths import HdfsPath
    from app.fs.objects import ObjectStore
    from app.state.store import Store

RECORD = "cors"
_SPACE = "s3-cors"
_log = logging.getLogger(__name__)


def keep(store: Store, name: str, path: HdfsPath, rules: list[dict[str, Any]]) -> None:
    """Have preflights for a bucket go by these rules; by none where there are none."""
    if rules:
        store.put(_SPACE, name + path, {RECORD: rules})
    else:
        store.delete(_SPACE, name + path)


def records(store: Store, name: str) -> Iterator[dict[str, Any]]:
    """Yield what is kept of buckets of a name, wherever they lie."""
    for place, record in store.scan(_SPACE):
        if place.partition("/")[0] == name:
            yield record


def removed(store: Store, objects: ObjectStore, name: str) -> None:
    """Forget the rules of a bucket that is gone; a store that is away does not bring it back."""
    try:
        keep(store, name, objects.bucket_path(name), [])
    except GatewayError as problem:
        _log.warning("preflights for the bucket %s go on by its rules: %r", name, problem)


def renamed(store: Store, objects: ObjectStore, old: str, new: str) -> None:
    """Have the rules of a bucket be found by its new name."""
    removed(store, objects, old)
    try:
        keep(store, new, objects.bucket_path(new), objects.bucket_record(new).get(RECORD, []))
    except GatewayError as problem:
        _log.warning("preflights for the bucket %s know no rules until GetBucketCors is asked: %r",
                     new, problem)
