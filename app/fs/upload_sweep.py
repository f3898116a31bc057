"""Which multipart uploads are under way, and the end of those that nobody ends.

The state store knows each upload before its directory exists; those that it does not know, because
another was lost, it learns of by `app.fs.upload_finding`. An upload is removed when it began
longer ago than the configured age and nothing has happened in it for a while, and at once when the
worker that completed it died after the object was in place, with only the removal left to do.
"""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.core.errors import AccessDenied, GatewayError
from app.core.object_errors import NoSuchUpload
from app.core.paths import HdfsPath
from app.fs import upload_layout as layout
from app.fs.placing import status_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.objects import Upload
    from app.fs.port import Backend, FileSystem
    from app.state.store import Store

_SPACE = "uploads"
_LOOKED = "uploads-looked-for"
_LOOK_SECONDS = 86400.0
_QUIET_SECONDS = 3600.0
"""How long nothing has happened in an old upload before it is removed,"""
_RETRY_SECONDS = 600.0
"""after how long a removal that failed is tried again,"""
_LATE_SECONDS = 60.0
"""how long a directory that was asked for without an answer may still come,"""
_BEAT_SECONDS = 5.0
"""and how long one sweep may take, as others wait for it."""
_log = logging.getLogger(__name__)


class Registry:
    """The uploads that the state store knows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def beginning(
        self, upload: Upload, directory: HdfsPath, user: str, worker: str,
    ) -> Iterator[None]:
        """Note an upload before it begins; if that fails, the sweep removes what is there of it."""
        entry = {"user": user, "directory": directory, "initiated": upload.initiated,
                 "worker": worker, "begun": False}
        self._store.put(_SPACE, upload.upload_id, entry)
        try:
            yield
        except AccessDenied:
            self.forget(upload.upload_id)
            raise
        except BaseException:
            self._set_worker(upload.upload_id, "")
            raise
        self._store.put(_SPACE, upload.upload_id, {**entry, "worker": "", "begun": True})

    def knows(self, upload_id: str) -> bool:
        """Tell whether the store knows an upload."""
        return self._store.get(_SPACE, upload_id) is not None

    def take_in(self, upload: Upload, directory: HdfsPath, user: str) -> None:
        """Note an upload of this user that is there and that the store does not know."""
        self._store.add(_SPACE, upload.upload_id, {
            "user": user, "directory": directory, "initiated": upload.initiated, "worker": "",
            "begun": True, "found": True})

    def is_unseen(self, bucket: HdfsPath, user: str) -> bool:
        """Tell whether nobody looked for this user's uploads in a bucket for a day; now one has."""
        key = hashlib.sha256(f"{user} {bucket}".encode()).hexdigest()
        return self._store.add(_LOOKED, key, {}, ttl=_LOOK_SECONDS)

    def forget(self, upload_id: str) -> None:
        """Note that an upload is over."""
        self._store.delete(_SPACE, upload_id)

    @contextmanager
    def completing(self, upload_id: str, worker: str) -> Iterator[None]:
        """Keep the sweep away while a worker completes the upload; forget it if it is over."""
        self._set_worker(upload_id, worker)
        try:
            yield
        except NoSuchUpload:
            self.forget(upload_id)
            raise
        except BaseException:
            self._set_worker(upload_id, "")
            raise
        self.forget(upload_id)

    def _set_worker(self, upload_id: str, worker: str) -> None:
        def change(entry: dict[str, Any] | None) -> dict[str, Any] | None:
            return entry and {**entry, "worker": worker}

        self._store.update(_SPACE, upload_id, change)


class UploadSweep:
    """Removes what is left of uploads; `max_age` in seconds."""

    def __init__(
        self, store: Store, backend: Backend, is_alive: Callable[[str], bool], max_age: float,
        *, clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._backend = backend
        self._is_alive = is_alive
        self._max_age = max_age
        self._clock = clock
        self._later: dict[str, float] = {}

    def sweep(self) -> int:
        """Remove what is due, for as long as a sweep may take; return how many were finished."""
        finished = 0
        give_up = time.monotonic() + _BEAT_SECONDS
        known = dict(self._store.scan(_SPACE))
        self._later = {one: due for one, due in self._later.items() if one in known}
        for upload_id, entry in known.items():
            if self._is_due(upload_id, entry):
                finished += self._end(upload_id, entry)
            if time.monotonic() > give_up:
                break
        return finished

    def _is_due(self, upload_id: str, entry: dict[str, Any]) -> bool:
        if entry["worker"] and self._is_alive(entry["worker"]):
            return False
        if self._later.get(upload_id, 0.0) > self._clock():
            return False
        left = bool(entry["worker"]) or not _has_begun(entry)
        return left or self._age(entry["initiated"]) > self._max_age

    def _age(self, since: int) -> float:
        return self._clock() - since / 1000

    def _end(self, upload_id: str, entry: dict[str, Any]) -> bool:
        """Remove the upload if it is over; tell whether it is gone."""
        directory = HdfsPath(entry["directory"])
        fs = self._backend.as_user(entry["user"])
        try:
            over = self._is_over(fs, directory, entry)
            if over:
                found = fs.delete(directory, recursive=True)
                over = found or self._is_certain(entry)
        except GatewayError as problem:
            _log.warning("the multipart upload %s of %s stays for now: %r", directory,
                         entry["user"], problem)
            over = False
        if over:
            self._store.delete(_SPACE, upload_id)
            _log.info("removed the multipart upload %s of %s", directory, entry["user"])
        else:
            pause = _RETRY_SECONDS if _has_begun(entry) else _LATE_SECONDS
            self._later[upload_id] = self._clock() + min(pause, self._max_age)
        return over

    def _is_certain(self, entry: dict[str, Any]) -> bool:
        """Tell whether a directory that is not there will not come, either."""
        return _has_begun(entry) or self._age(entry["initiated"]) > _LATE_SECONDS

    def _is_over(self, fs: FileSystem, directory: HdfsPath, entry: dict[str, Any]) -> bool:
        if not _has_begun(entry):
            return True  # nobody was told its id
        status = status_or_none(fs, directory)
        if status is None or _is_published(fs, directory):
            return True
        unchanged = self._age(status.modification_time)
        if entry.get("found"):
            # A gateway with a store of its own may have it under way.
            return unchanged > self._max_age
        quiet = unchanged > min(_QUIET_SECONDS, self._max_age)
        return quiet and self._age(entry["initiated"]) > self._max_age


def _has_begun(entry: dict[str, Any]) -> bool:
    return bool(entry.get("begun", True))


def _is_published(fs: FileSystem, directory: HdfsPath) -> bool:
    """Tell whether the object is in its place: it left `sealed/`, which never comes back."""
    return (status_or_none(fs, layout.sealed_path(directory)) is not None
            and status_or_none(fs, layout.sealed_object(directory)) is None)
