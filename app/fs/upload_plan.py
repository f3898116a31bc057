"""The plan of a completion: which files in which order, and what the object will be called.

It is written once into an xattr of the upload's record (or a file that the xattr names), before
anything is joined: whoever goes on later goes on with the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from app.core.errors import AlreadyExists, AttributeNotFound, PathNotFound
from app.core.object_errors import InvalidPart, NoSuchUpload
from app.core.objects import ObjectMeta
from app.core.paths import child_of
from app.fs import part_checksums, part_sums
from app.fs import upload_layout as layout
from app.fs.port import Rename
from app.fs.publish import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.core.objects import PartClaim, Upload
    from app.core.paths import HdfsPath
    from app.fs.port import FileSystem
    from app.fs.staging import Staging
    from app.fs.upload_layout import StoredPart

BATCH_OCTETS = 7_000
"""Octets of a CONCAT's sources in the URL. NameNode and HttpFS refuse request lines over 64 KiB
(hadoop.http.max.request.header.size), proxies before them often more than 8."""
PLAN_OCTETS = 8_000
"""Up to which the plan fits into an xattr (which hold 16 KiB)."""
_IN_FILE = b"@"


class Plan(NamedTuple):
    """What the object will be made of: the `names` of its parts' files, and what it will say."""

    names: tuple[str, ...]
    meta: ObjectMeta

    @property
    def size(self) -> int:
        """The object's bytes."""
        return sum(self.meta.part_sizes)

    def full(self) -> list[str]:
        """Return the files that have content, as CONCAT takes no others; one at least."""
        named = zip(self.names, self.meta.part_sizes, strict=True)
        return [name for name, size in named if size] or [self.names[0]]

    def check(self, claims: Sequence[PartClaim]) -> None:
        """Raise unless these are the parts that the plan was made of."""
        part_sums.check_order(claims)
        said = [(claim.number, part_sums.claimed_etag(claim)) for claim in claims]
        if said != [layout.number_and_md5(name) for name in self.names]:
            raise InvalidPart("the upload is being completed already, with other parts")


def new_plan(upload: Upload, stored: Sequence[StoredPart]) -> Plan:
    """Return the plan to make an upload's object of these parts."""
    parts = [one.part for one in stored]
    given, kind = upload.meta, upload.checksum_type
    sums = part_sums.checksums_of(parts, upload.checksum_algorithm, kind)
    meta = ObjectMeta(
        part_sums.etag_of(parts), sums, kind, given.headers, given.user, given.tags,
        tuple(part.size for part in parts), upload.upload_id)
    return _summed(Plan(tuple(one.name for one in stored), meta), upload.checksum_algorithm)


def _summed(plan: Plan, algorithm: str) -> Plan:
    """Return the plan with the parts' checksums, which their names hold, if one was asked for."""
    if not algorithm:
        return plan
    values = [layout.checksums_in(name).get(algorithm, "") for name in plan.names]
    kept = part_checksums.keepable(algorithm, values)
    return plan._replace(meta=replace(plan.meta, part_checksums=kept))


class WrittenPlan:
    """The plan as it lies in HDFS, if there is one; new files have the mode `permission`."""

    def __init__(
        self, fs: FileSystem, staging: Staging, directory: HdfsPath, permission: str,
    ) -> None:
        self._fs = fs
        self._staging = staging
        self._directory = directory
        self._permission = permission

    def read(self) -> Plan | None:
        """Return the plan, None where none was written. Raises NoSuchUpload."""
        for directory in (layout.record_path(self._directory),
                          layout.sealed_path(self._directory)):
            try:
                raw = self._fs.xattrs(directory, [layout.PLAN])[layout.PLAN]
                if raw.startswith(_IN_FILE):
                    raw = self._read_file(raw.removeprefix(_IN_FILE).decode())
            except AttributeNotFound:
                return None
            except PathNotFound:
                continue
            data = layout.unpacked(raw)
            plan = Plan(tuple(data["names"]), layout.meta_from_data(data["meta"]))
            return _summed(plan, data.get("algorithm", ""))
        raise NoSuchUpload(layout.id_of(self._directory))

    def write(self, plan: Plan) -> None:
        """Write the plan. Raises AlreadyExists where there is one, PathNotFound, NoSuchUpload."""
        meta = plan.meta
        algorithm = next(iter(meta.checksums)) if meta.part_checksums else ""
        raw = layout.packed({
            "names": plan.names, "meta": layout.meta_to_data(replace(meta, part_checksums=())),
            "algorithm": algorithm})
        if len(raw) > PLAN_OCTETS:
            raw = _IN_FILE + self._write_file(raw).encode()
        self._fs.set_xattr(
            layout.record_path(self._directory), layout.PLAN, raw, exists=False)

    def _read_file(self, name: str) -> bytes:
        path = child_of(self._directory, name)
        status = self._fs.status(path)
        source = self._fs.open(path, 0, status.length, status.file_id)
        try:
            return b"".join(pieces(source, status.length, path))
        finally:
            source.close()

    def _write_file(self, content: bytes) -> str:
        """Write a file into the upload's directory and return its name."""
        name = layout.plan_name()
        with self._staging.stage(self._fs, self._directory, self._directory) as stage:
            path = layout.fixed(self._fs, stage.path)
            self._fs.create(path, (content,), permission=self._permission)
            if not moved(self._fs, stage.path, child_of(self._directory, name)):
                raise NoSuchUpload(layout.id_of(self._directory))
            stage.done()
        return name


def moved(fs: FileSystem, source: HdfsPath, destination: HdfsPath) -> bool:
    """Rename to where nothing is; tell whether it was done, of several who try by one."""
    if not fs.flavor_of(destination).rename_options:
        return fs.rename(source, destination)
    try:
        return fs.rename(source, destination, Rename.NEW)
    except (AlreadyExists, PathNotFound):
        return False


def batches(
    files: Sequence[HdfsPath], octets: int = BATCH_OCTETS,
) -> Iterator[list[HdfsPath]]:
    """Yield the files in their order, at most `octets` of URL at a time, but one at least."""
    batch: list[HdfsPath] = []
    used = 0
    for file in files:
        size = len(quote(f"{file},", "/"))
        if batch and used + size > octets:
            yield batch
            batch, used = [], 0
        batch.append(file)
        used += size
    if batch:
        yield batch
