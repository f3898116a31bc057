"""Multipart uploads of one principal: begun, filled by parts, listed, completed or aborted.

An upload belongs to its bucket: whoever may write there may go on with it, as its directory has
the bucket's permission (but where the bucket's sticky bit keeps users apart). See
`app.fs.upload_layout` for what lies where, `app.fs.completing` for the join, and
`app.fs.upload_sweep` for uploads that nobody ends.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from app.core.errors import (
    AccessDenied,
    AttributeNotFound,
    FileBusy,
    GatewayError,
    InvalidParameter,
    PathError,
    PathNotFound,
    UpstreamFault,
)
from app.core.object_errors import NoSuchUpload
from app.core.objects import ObjectMeta, Part, Upload, names_of_key
from app.core.paths import child_of
from app.fs import part_sums
from app.fs import upload_layout as layout
from app.fs.completing import Completion, Place, completed
from app.fs.object_meta import check_size
from app.fs.placing import status_or_none
from app.fs.upload_finding import Finder
from app.fs.upload_plan import WrittenPlan, moved
from app.fs.upload_rights import make_directory
from app.fs.upload_sweep import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from app.core.identity import Principal
    from app.core.objects import ObjectInfo, PartClaim
    from app.core.paths import HdfsPath
    from app.fs.completing import Precondition, Shelf
    from app.fs.port import FileSystem
    from app.fs.staging import Stage, Staging
    from app.fs.upload_plan import Plan

LEAST_PART = 5 * 1024 * 1024
"""Bytes that all parts but the last have (Amazon S3 User Guide, "multipart upload limits")."""
_ROOM = 512
"""Octets of the object's record that the parts will add."""


def accept(_meta: ObjectMeta) -> None:
    """Accept whatever the object will be."""


class Multipart:
    """The multipart uploads of one principal; `file_permission` is that of new objects."""

    def __init__(
        self, principal: Principal, fs: FileSystem, staging: Staging, shelf: Shelf,
        file_permission: str,
    ) -> None:
        self._principal = principal
        self._fs = fs
        self._staging = staging
        self._shelf = shelf
        self._permission = file_permission
        self._registry = Registry(staging.store)
        self._finder = Finder(fs, self._registry, self._read)

    # --- one upload

    def create(
        self, bucket: str, key: str, meta: ObjectMeta, checksum_algorithm: str = "",
        checksum_type: str = "",
    ) -> Upload:
        """Begin an upload. Raises NoSuchBucket, InvalidKey, InvalidRequest (checksums)."""
        names_of_key(key)
        checksum_type = part_sums.type_of(checksum_algorithm, checksum_type)
        part_sums.check_type(checksum_algorithm, checksum_type)
        where = self._shelf.bucket(bucket)
        self._principal.require_write(self._shelf.path_of(bucket, key))
        upload = Upload(layout.new_id(), key, meta, _now(), checksum_algorithm, checksum_type)
        directory = layout.directory_of(where.path, upload.upload_id)
        raw = layout.upload_to_raw(upload)
        check_size(raw + bytes(_ROOM))
        worker = self._staging.workers.own_id
        with self._registry.beginning(upload, directory, self._fs.user, worker):
            try:
                make_directory(self._fs, directory, where.status)
                self._fs.set_xattr(
                    layout.record_path(directory), layout.RECORD, raw, exists=False)
            except AccessDenied as error:
                error.path = where.path
                raise
        self._finder.look(where.path)
        return upload

    def upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Return what began the upload. Raises NoSuchBucket, NoSuchUpload."""
        return self._find(bucket, key, upload_id)[1]

    def put_part(  # noqa: PLR0917 - what names a part in S3, and then its content
        self, bucket: str, key: str, upload: str | Upload, number: int, body: Iterable[bytes],
        describe: Callable[[], tuple[str, Mapping[str, str]]],
    ) -> Part:
        """Store one part; `describe` tells its MD5 and checksums when `body` is exhausted.

        An `upload` just looked up is not looked up again. For the object to have a checksum, each
        part needs one of the upload's algorithm.
        """
        if not 1 <= number <= layout.LAST_PART:
            raise InvalidParameter("partNumber", str(number), f"1 to {layout.LAST_PART}")
        directory, found = self._find(bucket, key, upload)
        self._principal.require_write(self._shelf.path_of(bucket, key))
        with self._staging.stage(self._fs, directory, directory) as stage:
            try:
                path = layout.fixed(self._fs, stage.path)
                self._fs.create(path, body, permission=self._permission)
                stored = self._take_in(stage, directory, number, describe)
            except (PathNotFound, FileBusy, UpstreamFault) as error:
                if status_or_none(self._fs, layout.record_path(directory)):
                    raise
                raise NoSuchUpload(found.upload_id) from error
            except PathError as error:
                error.path = child_of(layout.bucket_of(directory), key)
                raise
            stage.done()
        return stored

    def parts(
        self, bucket: str, key: str, upload_id: str, *, after: int = 0, limit: int = 1000,
    ) -> tuple[list[Part], bool]:
        """Return up to `limit` parts above the number `after`, and whether there are more.

        Also those that a completion, which did not get to its end, has joined already.
        """
        directory, upload = self._find(bucket, key, upload_id)
        try:
            found = layout.newest_parts(layout.stored_parts(self._fs, directory, after))
            known = {one.part.number: one.part for one in islice(found, limit + 1)}
            # Nothing is joined before there is a plan: without one by now, `known` is right.
            plan = WrittenPlan(self._fs, self._staging, directory, self._permission).read()
        except PathNotFound:
            raise NoSuchUpload(upload_id) from None
        if plan:
            known |= {part.number: part for part in _planned(plan, upload) if part.number > after}
        page = [known[number] for number in sorted(known)[:limit + 1]]
        return page[:limit], len(page) > limit

    def complete(
        self, bucket: str, key: str, upload: str | Upload, claims: Sequence[PartClaim], *,
        least_part: int = LEAST_PART, precondition: Precondition | None = None,
        verify: Callable[[ObjectMeta], None] = accept,
    ) -> ObjectInfo:
        """Make the object of the parts that `claims` name; once, however often it is asked.

        `precondition` sees the present object before anything changes, and again before it is
        replaced; `verify` sees what the new one will be, and may raise. `upload`: as in `put_part`.
        Raises NoSuchUpload, InvalidPart, InvalidPartOrder, PartTooSmall, OperationAborted, what
        `put` raises.
        """
        try:
            directory, found = self._find(bucket, key, upload)
        except NoSuchUpload as error:
            if not layout.is_id(error.path):
                raise
            over = Upload(error.path, key, ObjectMeta(), 0)
            return completed(self._fs, self._shelf, bucket, over)
        self._principal.require_write(self._shelf.path_of(bucket, key))
        completion = Completion(
            self._fs, self._staging, self._shelf, Place(bucket, directory, found),
            self._permission)
        with self._registry.completing(found.upload_id, self._staging.workers.own_id):
            try:
                return completion.run(claims, least_part, precondition, verify)
            except NoSuchUpload:
                return completed(self._fs, self._shelf, bucket, found)

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Remove an upload with all its parts. Raises NoSuchBucket, NoSuchUpload."""
        directory, _ = self._find(bucket, key, upload_id)
        self._principal.require_write(self._shelf.path_of(bucket, key))
        if not self._fs.delete(directory, recursive=True):
            raise NoSuchUpload(upload_id)
        self._registry.forget(upload_id)

    # --- all of a bucket

    def uploads(
        self, bucket: str, *, prefix: str = "", after_key: str = "", after_upload: str = "",
    ) -> Iterator[Upload]:
        """Yield the uploads under way, by key and then by when they began.

        Only those of keys after `after_key`; with `after_upload` also those of that key itself
        whose id is greater. What the user may not read is left out.
        """
        after = after_key.encode(), after_upload
        found = []
        path = self._shelf.bucket(bucket).path
        for status in layout.upload_entries(self._fs, path):
            directory = child_of(path, status.path_suffix)
            upload = self._readable(directory)
            if upload and not self._principal.read_only:
                self._finder.found(directory, status, upload)
            if upload and upload.key.startswith(prefix) and self._principal.sees(
                    self._shelf.path_of(bucket, upload.key)):
                place = upload.key.encode(), upload.upload_id
                if place[0] > after[0] or (after_upload and place > after):
                    found.append((place, upload))
        yield from (upload for _, upload in sorted(found, key=lambda one: one[0]))

    # --- inside

    def _find(self, bucket: str, key: str, upload: str | Upload) -> tuple[HdfsPath, Upload]:
        """Return an upload and its directory. Raises NoSuchBucket, NoSuchUpload."""
        self._principal.require_named(self._shelf.path_of(bucket, key))
        where = self._shelf.bucket_path(bucket)
        if isinstance(upload, Upload):
            return layout.directory_of(where, upload.upload_id), upload
        directory = layout.directory_of(where, upload)
        found = self._read(directory) if layout.is_id(upload) else None
        if found is None or found.key != key:
            self._shelf.bucket(bucket)
            raise NoSuchUpload(upload)
        return directory, found

    def _read(self, directory: HdfsPath) -> Upload | None:
        for record in (layout.record_path(directory), layout.sealed_path(directory)):
            try:
                raw = self._fs.xattrs(record, [layout.RECORD])[layout.RECORD]
            except AttributeNotFound:
                return None
            except PathNotFound:
                continue
            return layout.upload_from_raw(layout.id_of(directory), raw)
        return None

    def _readable(self, directory: HdfsPath) -> Upload | None:
        """Return the upload of a directory, None where it is over or may not be read."""
        try:
            upload = self._read(directory)
            over = upload and not (status_or_none(self._fs, layout.record_path(directory))
                                   or status_or_none(self._fs, layout.sealed_object(directory)))
        except AccessDenied:
            return None
        return None if over else upload

    def _take_in(
        self, stage: Stage, directory: HdfsPath, number: int,
        describe: Callable[[], tuple[str, Mapping[str, str]]],
    ) -> Part:
        """Give the staged part its name. Raises PathNotFound where the upload is over."""
        status = self._fs.status(stage.path)
        name = layout.part_name(number, *describe())
        stored = layout.stored_part(status, name)
        if stored is None:
            raise GatewayError(f"a part cannot be called {name}")
        if not moved(self._fs, stage.path, child_of(directory, name)):
            raise PathNotFound(stage.path)
        return stored.part


def _planned(plan: Plan, upload: Upload) -> Iterator[Part]:
    """Yield the parts of a plan, whose files may be joined; when they were sent is not known."""
    for name, size in zip(plan.names, plan.meta.part_sizes, strict=True):
        number, md5 = layout.number_and_md5(name)
        yield Part(number, md5, size, upload.initiated, layout.checksums_in(name))


def _now() -> int:
    return time.time_ns() // 1_000_000
