"""The bytes of the file system by HDFS's own protocols, as far as they pass there as they are."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NoReturn

from app.core.paths import ROOT
from app.fs.calls import FAULTS
from app.fs.native_calls import BY_WEBHDFS, NativeCalls
from app.fs.native_faults import LANE_FAULTS, as_fault, did_nothing, is_timeout
from app.fs.native_source import NativeSource
from app.fs.native_writing import Following, Pieces
from app.hadoop.block_writing import WriteFailed
from app.hadoop.client_protocol import NameNodeClient
from app.hadoop.datanodes import NoDatanode
from app.hadoop.file_reading import FileReader, NotPlain, ReadFailed
from app.hadoop.file_writing import NothingWritten, server_defaults, write_file
from app.hadoop.ipc import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.core.paths import HdfsPath
    from app.fs.port import ByteSource

WRITE_FAULTS = (*LANE_FAULTS, NotPlain, UnicodeEncodeError, WriteFailed)
"""What writing raises beside NothingWritten, and what the body itself does."""
FILE_MODE = "644"
"""What WebHDFS makes files with where nobody says."""
_MODE = re.compile(r"1?[0-7]{1,3}")
_FILE_BITS = 0o777  # a DataNode's WebHDFS drops the sticky bit
_MOST_COPIES = 32767


class NativeContent(NativeCalls):
    """Reading and writing; appending is WebHDFS's."""

    def open(self, path: HdfsPath, offset: int, length: int, file_id: int = 0) -> ByteSource:
        """Open `length` > 0 bytes from `offset`; the upstream has answered when this returns."""
        def by_webhdfs(start: int, rest: int, why: Exception | None = None) -> ByteSource:
            if why is not None and is_timeout(why) and len(self._lanes.all) == 1:
                # Of several NameNodes another one may be active by now.
                self._end_late(why, path)
            return super(NativeContent, self).open(path, start, rest, file_id)

        reader = self._reader(path, offset, length, file_id)
        if reader is None:
            return by_webhdfs(offset, length)
        return NativeSource(reader, offset, length, by_webhdfs)

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
        pieces = Pieces(body)
        mode = permission or FILE_MODE
        beneath = unmasked or mode
        known = are_modes(mode, beneath) and copies_fit(replication)
        if not known or not self._written(
                path, pieces, mode=int(mode, 8) & _FILE_BITS, unmasked=int(beneath, 8) & _FILE_BITS,
                overwrite=overwrite, replication=replication, block_size=block_size):
            super().create(
                path, pieces, permission=permission, replication=replication,
                block_size=block_size, overwrite=overwrite, unmasked=unmasked)

    def take_lease(self, path: HdfsPath) -> None:
        """Have HDFS end the writing of whoever holds the lease."""
        self._by_rpc("recover_lease", path, lambda names, path: names.recover_lease(
            path, "httpfs-proxy"))

    def _reader(
        self, path: HdfsPath, offset: int, length: int, file_id: int,
    ) -> FileReader | None:
        """Return a reader that has begun, None where WebHDFS has to do it."""
        data = self._lanes.data
        pinned = self._pinned(path, file_id)
        if pinned is None or not self._may_use(self._lanes.now) or not data.ready():
            return None
        began = time.monotonic()
        try:
            reader = self._by_rpc("open", path, lambda names, _: self._begun(
                names, pinned, offset, length))
        except NotPlain:
            return None
        except ReadFailed as error:
            if time.monotonic() - began >= data.datanodes.limits.read_timeout:
                # By WebHDFS a DataNode asks the same ones, and may wait as long for each.
                self._end_late(NoAnswer(str(error)), path)
            return None
        except NoDatanode as error:
            data.missed(error)
            return None
        if reader is BY_WEBHDFS:
            return None
        data.worked()
        return reader

    def _end_late(self, error: Exception, path: HdfsPath) -> NoReturn:
        """End a read that has waited for long enough."""
        fault = as_fault(error)
        raise self._fault(fault, "open", path) from fault

    def _begun(
        self, names: NameNodeClient, pinned: HdfsPath, offset: int, length: int,
    ) -> FileReader:
        datanodes = self._lanes.data.datanodes
        if server_defaults(names, datanodes).encrypts_transfer:
            raise NotPlain("DataNodes take no plain transfers")
        return FileReader(names, datanodes, pinned, offset, length)

    def _written(
        self, path: HdfsPath, pieces: Pieces, *, mode: int, unmasked: int, overwrite: bool,
        replication: int | None, block_size: int | None,
    ) -> bool:
        """Write a file; False if WebHDFS has to do it, to which all of the body is left."""
        data = self._lanes.data
        if not self._may_use(self._lanes.now) or not data.ready():
            return False
        names = NameNodeClient(
            Following(self._lanes, pieces, self._find_active, self._note), self._who)
        pieces.quiet = True
        try:
            write_file(
                names, data.datanodes, data.keeper, path, pieces, mode=mode, unmasked=unmasked,
                overwrite=overwrite, replication=replication, block_size=block_size)
        except NothingWritten as error:
            data.lost(error)
            pieces.take_back(error.taken)
            return False
        except WRITE_FAULTS as error:
            pieces.quiet = False
            return self._left_to_webhdfs(path, pieces, error)
        pieces.settle()
        if pieces.any:
            data.worked()
        return True

    def _left_to_webhdfs(
        self, path: HdfsPath, pieces: Pieces, error: Exception,
    ) -> Literal[False]:
        """Return False if WebHDFS can do it all instead, else raise."""
        pieces.settle()
        if isinstance(error, NotPlain):
            return False
        if isinstance(error, UnicodeEncodeError):
            return False
        if not pieces.begun:
            self._note(error)
            if did_nothing(error):
                return False
        fault = as_fault(error)
        raise self._fault(fault, "create", path) from fault

    def _find_active(self) -> None:
        """Let WebHDFS find out which NameNode is active."""
        with suppress(*FAULTS):
            self._client.run("get_file_status", ROOT).close()


def are_modes(*permissions: str) -> bool:
    """Tell whether these are octal modes that HDFS has."""
    return all(_MODE.fullmatch(one) for one in permissions)


def copies_fit(replication: int | None) -> bool:
    """Tell whether WebHDFS would take this number of replicas, too."""
    return replication is None or 0 < replication <= _MOST_COPIES
