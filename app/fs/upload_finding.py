"""Uploads that lie in a bucket and that the state store does not know: it was lost, or is another.

Who begins an upload in a bucket, now and then, and who lists them has the registry take in those of
their own that it does not know. The sweep ends them once nothing has happened in them for the
whole of `s3.upload_max_age`: one that a gateway with another store has under way is told apart from
one that nobody knows any more by that alone.
"""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from app.core.errors import GatewayError
from app.core.paths import child_of
from app.fs import upload_layout as layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.model import FileStatus
    from app.core.objects import Upload
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.upload_sweep import Registry

_MOST = 1000
"""Uploads of a bucket that are looked at when another begins."""
_log = logging.getLogger(__name__)


class Finder:
    """Takes in one user's own uploads; `read` returns the upload of a directory, if it is one."""

    def __init__(
        self, fs: FileSystem, registry: Registry, read: Callable[[HdfsPath], Upload | None],
    ) -> None:
        self._fs = fs
        self._registry = registry
        self._read = read

    def look(self, bucket: HdfsPath) -> None:
        """Look through a bucket that was not looked through for a day; what fails is for later."""
        if not self._registry.is_unseen(bucket, self._fs.user):
            return
        try:
            for status in islice(layout.upload_entries(self._fs, bucket), _MOST):
                self._take_in(child_of(bucket, status.path_suffix), status)
        except GatewayError as problem:
            _log.info("uploads left in %s are looked for another day: %r", bucket, problem)

    def found(self, directory: HdfsPath, status: FileStatus, upload: Upload) -> None:
        """Take in an upload that was met in a listing.

        Only one's own: the sweep removes it as its owner, and a directory that another user moved
        to such a place must not be removed with more rights than they have.
        """
        if status.owner == self._fs.user and not self._registry.knows(upload.upload_id):
            self._registry.take_in(upload, directory, self._fs.user)

    def _take_in(self, directory: HdfsPath, status: FileStatus) -> None:
        if status.owner == self._fs.user and not self._registry.knows(layout.id_of(directory)):
            upload = self._read(directory)
            if upload:
                self._registry.take_in(upload, directory, self._fs.user)
