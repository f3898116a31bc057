"""The bytes of the file system: reading, writing, joining, cutting, checksums.

The NameNode redirects to a DataNode, HttpFS does not. A read is of one version of the file: by
its inode number where the caller has it; else the status is asked before and, before the last
piece is handed out, after, and when it has changed the reader sees a broken body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from requests import exceptions

from app.core.errors import PathNotFound, Unsupported, UpstreamFault
from app.core.paths import HdfsPath, name_of, parent_of
from app.fs import wire
from app.fs.calls import FAULTS, OK, drained
from app.fs.http_faults import NotSent
from app.fs.namespace import Namespace
from app.fs.redirects import TEMPORARY_REDIRECT, is_too_long, names_of
from app.fs.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.core.model import BlockLocation, FileChecksum, FileStatus
    from app.fs.answer import Answer
    from app.fs.port import ByteSource
    from app.fs.transport import Body

CREATED = 201
PAUSES = (0.0, 0.0, 0.2, 0.6, 1.2, 2.0)
"""Seconds before another DataNode is asked for: the NameNode may name a dead one again."""


class Content(Namespace):
    """The part of the port that deals with bytes."""

    def checksum(self, path: HdfsPath) -> FileChecksum:
        """Return HDFS's checksum of a file. Raises PathNotFound, NotAFile."""
        try:
            raw = drained(self._through_datanode("get_file_checksum", "GET", path))
        except FAULTS as error:
            raise self._fault(error, "get_file_checksum", path) from error
        return wire.checksum(raw)

    def block_locations(self, path: HdfsPath, length: int) -> Sequence[BlockLocation]:
        """Return where the blocks of a file's first `length` bytes lie, in order."""
        if not length:
            return ()
        return wire.block_locations(
            self._fetch("get_file_block_locations", path, offset=0, length=length))

    def open(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> ByteSource:
        """Open `length` > 0 bytes from `offset`; the upstream has answered when this returns."""
        pinned = self._pinned(path, file_id)
        check = None if pinned else self._unchanged(path)
        asked = pinned or path

        def ask(start: int, rest: int) -> Answer:
            return self._through_datanode("open", "GET", asked, offset=start, length=rest)

        try:
            return Source(ask, path, offset, length, check=check, repeatable=pinned is not None)
        except FAULTS as error:
            raise self._fault(error, "open", path) from error

    def datanode_url(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> str:
        """Return the URL of these bytes that the NameNode's redirect names; "" where none is."""
        asked = self._pinned(path, file_id)
        if asked is None or self.flavor.one_step_writes:
            return ""  # HttpFS reads itself
        try:
            answer = self._client.run("open", asked, offset=offset, length=length)
            if answer.status_code != TEMPORARY_REDIRECT:
                answer.close()
                return ""
            drained(answer, TEMPORARY_REDIRECT)
            url = self._client.data_url(answer, asked)
        except FAULTS as error:
            raise self._fault(error, "open", path) from error
        reachable = url.startswith(("http://", "https://"))
        return url if reachable and not is_too_long("GET", url) else ""

    def create(
        self,
        path: HdfsPath,
        body: Iterable[bytes],
        *,
        permission: str | None = None,
        replication: int | None = None,
        block_size: int | None = None,
        overwrite: bool = False,
        unmasked: str | None = None,
    ) -> None:
        """Write `body` to a new file; missing parents are made."""
        self._write("create", "PUT", path, body, CREATED, permission=permission,
                    unmaskedpermission=unmasked, replication=replication, blocksize=block_size,
                    overwrite="true" if overwrite else "false")

    def append(self, path: HdfsPath, body: Iterable[bytes]) -> None:
        """Append `body` in place; not atomic. Raises PathNotFound, FileBusy."""
        self._write("append", "POST", path, body, OK)

    def concat(self, target: HdfsPath, sources: Sequence[HdfsPath]) -> None:
        """Move the blocks of `sources` to the end of `target`, atomically; the sources vanish."""
        for path in sources:
            # Nor does CONCAT take paths by inode number.
            if "," in path:
                raise Unsupported("HDFS cannot join files whose path has a comma")
        self._fetch("concat", target, sources=self._as_parameter(",".join(sources)))

    def truncate(self, path: HdfsPath, length: int) -> bool:
        """Cut the file; False means that HDFS recovers the last block in the background."""
        return wire.boolean(self._fetch("truncate", path, newlength=length))

    def take_lease(self, path: HdfsPath) -> None:
        """Do nothing: WebHDFS has no word for it."""

    def _write(
        self, operation: str, method: str, path: HdfsPath, body: Iterable[bytes], wanted: int,
        **params: Any,
    ) -> None:
        try:
            if self.flavor.one_step_writes:
                answer = self._client.run(operation, path, data=body, **params)
            else:
                answer = self._through_datanode(operation, method, path, body, **params)
            drained(answer, wanted)
        except FAULTS as error:
            raise self._fault(error, operation, path) from error

    def _through_datanode(
        self, operation: str, method: str, path: HdfsPath, body: Body = None, **params: Any,
    ) -> Answer:
        """Ask, and follow the redirect to a DataNode; try another where none can be reached."""
        dead: list[str] = []
        for pause in (*PAUSES, None):
            answer = self._client.run(
                operation, path, excludedatanodes=",".join(dict.fromkeys(dead)) or None, **params)
            if answer.status_code != TEMPORARY_REDIRECT:
                return answer
            drained(answer, TEMPORARY_REDIRECT)
            url = self._client.data_url(answer, path)
            if is_too_long(method, url):
                url = self._client.data_url(answer, self._short(operation, path))
            try:
                return self._client.exchange(method, url, body)
            except exceptions.ConnectionError as error:
                if pause is None or not _is_harmless(error, method):
                    raise
                time.sleep(pause)
                dead += names_of(url)
        raise AssertionError("the last try returns or raises")

    def _short(self, operation: str, path: HdfsPath) -> HdfsPath:
        """Return a path by inode number, as a DataNode refuses long request lines."""
        if operation != "create":
            return inode(self.status(path).file_id)
        parent = parent_of(path)
        try:
            file_id = self.status(parent).file_id
        except PathNotFound:
            self.mkdirs(parent)
            file_id = self.status(parent).file_id
        return HdfsPath(f"{inode(file_id)}/{name_of(path)}")

    def _pinned(self, path: HdfsPath, file_id: int) -> HdfsPath | None:
        """Return the path by which one version of the file is read whatever happens to names."""
        if "/.snapshot/" in path:
            return path
        return inode(file_id) if file_id > 0 and self.flavor.file_ids else None

    def _unchanged(self, path: HdfsPath) -> Callable[[], None]:
        before = _version(self.status(path))

        def check() -> None:
            if _version(self.status(path)) != before:
                raise UpstreamFault("the file was changed while it was being read")

        return check


def inode(file_id: int) -> HdfsPath:
    """Return the path that names an inode by its number. Raises UpstreamFault for none."""
    if file_id <= 0:
        raise UpstreamFault("this server does not tell the inode number that is needed here")
    return HdfsPath(f"/.reserved/.inodes/{file_id}")


def _version(status: FileStatus) -> tuple[int, int, int]:
    return status.modification_time, status.length, status.file_id


def _is_harmless(error: exceptions.ConnectionError, method: str) -> bool:
    if isinstance(error, NotSent | exceptions.ConnectTimeout):
        return True
    return method == "GET" and not isinstance(error, exceptions.Timeout | exceptions.SSLError)
