"""ObjectStore: buckets and objects of one principal, done to HDFS. S3 and AIStore stand on it.

Like UserFileSystem for paths: it knows what a bucket and a key mean, keeps read-only principals
from writing, and owns the compound operations. It raises `app.core.errors` and
`app.core.object_errors` with real paths in them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from app.fs.bucket_changes import BucketChanges
from app.fs.multipart import Multipart
from app.fs.object_details import ObjectDetails
from app.fs.object_listing import ObjectListing
from app.fs.placing import Placing

if TYPE_CHECKING:
    from app.core.identity import Principal
    from app.fs.etags import EtagCache
    from app.fs.port import FileSystem
    from app.fs.staging import Staging


class ObjectStore(ObjectListing, ObjectDetails, BucketChanges):
    """The buckets and objects of one principal."""

    def __init__(
        self, principal: Principal, fs: FileSystem, staging: Staging, etags: EtagCache, *,
        file_permission: str, bucket_permission: str,
    ) -> None:
        super().__init__(principal, fs, staging, etags)
        self._placing = Placing(fs)
        self._file_permission = file_permission
        self._bucket_permission = bucket_permission

    @cached_property
    def uploads(self) -> Multipart:
        """The multipart uploads."""
        return Multipart(
            self._principal, self._fs, self._staging, self, self._file_permission)
