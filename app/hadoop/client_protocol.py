"""What the gateway asks of a NameNode by RPC, as one user.

Source: org.apache.hadoop.hdfs.protocol.ClientProtocol and ClientNamenodeProtocol.proto, Hadoop
3.4.2. Paths are absolute, as WebHDFS has them; modes are integers. Every method raises
RemoteError, NotSent, Broken, BadFrame, BadMessage; each says in its docstring what else is to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app.hadoop import messages
from app.hadoop.ipc import method
from app.hadoop.protobuf import BadMessage, decode, number, octets, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.model import FileStatus
    from app.hadoop.ipc import Identity
    from app.hadoop.messages import Block, Datanode, LocatedBlock, LocatedBlocks, ServerDefaults

CREATE, OVERWRITE = 1, 2
"""CreateFlagProto: make a new file; replace one that is there."""
XATTR_CREATE, XATTR_REPLACE = 1, 2
"""XAttrSetFlagProto: the name may be new; it may be there."""

_ABANDON_BLOCK = method("abandonBlock")
_ADD_BLOCK = method("addBlock")
_CHECK_ACCESS = method("checkAccess")
_COMPLETE = method("complete")
_CONCAT = method("concat")
_CREATE = method("create")
_DELETE = method("delete")
_GET_BLOCK_LOCATIONS = method("getBlockLocations")
_GET_FILE_INFO = method("getFileInfo")
_GET_SERVER_DEFAULTS = method("getServerDefaults")
_GET_XATTRS = method("getXAttrs")
_MKDIRS = method("mkdirs")
_RECOVER_LEASE = method("recoverLease")
_REMOVE_XATTR = method("removeXAttr")
_RENAME = method("rename")
_RENAME2 = method("rename2")
_RENEW_LEASE = method("renewLease")
_REPORT_BAD_BLOCKS = method("reportBadBlocks")
_SET_OWNER = method("setOwner")
_SET_PERMISSION = method("setPermission")
_SET_REPLICATION = method("setReplication")
_SET_TIMES = method("setTimes")
_SET_XATTR = method("setXAttr")
_UPDATE_BLOCK_FOR_PIPELINE = method("updateBlockForPipeline")
_UPDATE_PIPELINE = method("updatePipeline")


class Caller(Protocol):
    """Whoever makes calls: `app.hadoop.ipc_pool` has one, and what stands before it is another."""

    def call(self, who: Identity, head: bytes, request: bytes, *, may_repeat: bool) -> bytes:
        """Make one call and return the message of its answer."""


class NameNodeClient:
    """A NameNode as one user sees it; any number of calls at once."""

    def __init__(self, caller: Caller, who: Identity) -> None:
        self._caller = caller
        self._who = who

    # --- names

    def get_file_info(self, path: str) -> FileStatus | None:
        """Return the status of a path, None where nothing is there."""
        answer = self._ask(_GET_FILE_INFO, text(1, path))
        told = decode(answer).get(1) if answer else None
        return None if told is None else messages.file_status(told)

    def check_access(self, path: str, action: int) -> None:
        """Return if the user may `action` (a sum of 4 read, 2 write, 1 execute)."""
        self._ask(_CHECK_ACCESS, text(1, path) + number(2, action))

    def mkdirs(self, path: str, mode: int, unmasked: int | None) -> bool:
        """Make a directory and its parents; `unmasked` counts below a default ACL."""
        request = text(1, path) + messages.permission(2, mode) + number(3, 1)
        if unmasked is not None:
            request += messages.permission(4, unmasked)
        return _boolean(self._ask(_MKDIRS, request))

    def rename(self, source: str, destination: str) -> bool:
        """Rename, into the destination if it is a directory; False where HDFS refuses."""
        return _boolean(self._change(_RENAME, text(1, source) + text(2, destination)))

    def rename2(self, source: str, destination: str, *, overwrite: bool) -> None:
        """Rename to exactly `destination`."""
        self._change(_RENAME2, text(1, source) + text(2, destination) + number(3, overwrite))

    def delete(self, path: str, *, recursive: bool) -> bool:
        """Delete; False where nothing was there."""
        return _boolean(self._change(_DELETE, text(1, path) + number(2, recursive)))

    def concat(self, target: str, sources: Sequence[str]) -> None:
        """Move the blocks of `sources` to the end of `target`."""
        self._change(_CONCAT, text(1, target) + b"".join(text(2, one) for one in sources))

    def set_permission(self, path: str, mode: int) -> None:
        """Set the mode."""
        self._ask(_SET_PERMISSION, text(1, path) + messages.permission(2, mode))

    def set_owner(self, path: str, owner: str | None, group: str | None) -> None:
        """Set owner or group or both."""
        request = text(1, path)
        if owner:
            request += text(2, owner)
        if group:
            request += text(3, group)
        self._ask(_SET_OWNER, request)

    def set_times(self, path: str, modified: int, accessed: int) -> None:
        """Set times in epoch milliseconds; -1 leaves one as it is."""
        self._ask(_SET_TIMES, text(1, path) + number(2, modified) + number(3, accessed))

    def set_replication(self, path: str, replication: int) -> bool:
        """Set the factor; False for what is no file."""
        return _boolean(self._ask(_SET_REPLICATION, text(1, path) + number(2, replication)))

    def get_xattrs(
        self, path: str, names: Sequence[tuple[int, str]],
    ) -> list[tuple[int, str, bytes]]:
        """Return namespace, name and value of these xattrs, or of all."""
        asked = b"".join(octets(2, messages.xattr(*one)) for one in names)
        return messages.xattrs(self._ask(_GET_XATTRS, text(1, path) + asked))

    def set_xattr(self, path: str, namespace: int, name: str, value: bytes, flags: int) -> None:
        """Set one xattr; `flags` is a sum of XATTR_CREATE and XATTR_REPLACE."""
        one = messages.xattr(namespace, name, value)
        self._change(_SET_XATTR, text(1, path) + octets(2, one) + number(3, flags))

    def remove_xattr(self, path: str, namespace: int, name: str) -> None:
        """Remove one xattr."""
        self._change(_REMOVE_XATTR, text(1, path) + octets(2, messages.xattr(namespace, name)))

    # --- bytes

    def get_server_defaults(self) -> ServerDefaults:
        """Return what new files are made with."""
        return messages.server_defaults(_must(self._ask(_GET_SERVER_DEFAULTS, b"")))

    def get_block_locations(self, path: str, offset: int, length: int) -> LocatedBlocks | None:
        """Return the blocks of a range, None where nothing is there."""
        answer = self._ask(_GET_BLOCK_LOCATIONS, text(1, path) + number(2, offset)
                           + number(3, length))
        told = decode(answer).get(1) if answer else None
        return None if told is None else messages.located_blocks(told)

    def report_bad_block(self, located: LocatedBlock, node: Datanode) -> None:
        """Tell that a DataNode has wrong bytes of a block of which another has right ones."""
        self._ask(_REPORT_BAD_BLOCKS, octets(1, (
            octets(1, located.block.message()) + number(2, located.offset) + octets(3, node.raw)
            + number(4, 0) + octets(5, located.token))))

    def create(
        self, path: str, client: str, *, mode: int, unmasked: int | None, overwrite: bool,
        replication: int, block_size: int,
    ) -> FileStatus:
        """Make an empty file that `client` writes; parents are made. `unmasked` as in `mkdirs`."""
        flags = CREATE | (OVERWRITE if overwrite else 0)
        request = (text(1, path) + messages.permission(2, mode) + text(3, client)
                   + number(4, flags) + number(5, 1) + number(6, replication)
                   + number(7, block_size))
        if unmasked is not None:
            request += messages.permission(9, unmasked)
        return messages.file_status(_must(self._change(_CREATE, request)))

    def add_block(
        self, path: str, client: str, file_id: int, previous: Block | None,
        excluded: Sequence[Datanode],
    ) -> LocatedBlock:
        """Commit the block before, with the length that it has got, and get another."""
        request = text(1, path) + text(2, client)
        if previous is not None:
            request += octets(3, previous.message())
        request += b"".join(octets(4, node.raw) for node in excluded) + number(5, file_id)
        return messages.located_block(_must(self._change(_ADD_BLOCK, request)))

    def abandon_block(self, block: Block, path: str, client: str, file_id: int) -> None:
        """Give a block back that nothing was written to."""
        self._change(_ABANDON_BLOCK, octets(1, block.message()) + text(2, path)
                     + text(3, client) + number(4, file_id))

    def complete(self, path: str, client: str, file_id: int, last: Block | None) -> bool:
        """Close the file; False while the last block is not reported: ask again."""
        request = text(1, path) + text(2, client)
        if last is not None:
            request += octets(3, last.message())
        return _boolean(self._change(_COMPLETE, request + number(4, file_id)))

    def update_block_for_pipeline(self, block: Block, client: str) -> LocatedBlock:
        """Return the block with a new generation stamp, for a pipeline that is made anew."""
        return messages.located_block(_must(self._change(
            _UPDATE_BLOCK_FOR_PIPELINE, octets(1, block.message()) + text(2, client))))

    def update_pipeline(
        self, client: str, old: Block, new: Block, nodes: Sequence[Datanode],
        storage_ids: Sequence[str],
    ) -> None:
        """Tell that `nodes` have the block now, by the stamp and length of `new`."""
        # Of a DatanodeInfoProto the first field is the DatanodeIDProto that is asked for here.
        request = text(1, client) + octets(2, old.message()) + octets(3, new.message())
        request += b"".join(octets(4, decode(node.raw)[1]) for node in nodes)
        self._change(_UPDATE_PIPELINE, request + b"".join(text(5, one) for one in storage_ids))

    def renew_lease(self, client: str) -> None:
        """Tell that `client` still writes."""
        self._ask(_RENEW_LEASE, text(1, client))

    def recover_lease(self, path: str, client: str) -> bool:
        """Take the file from whoever writes it; False while HDFS closes it in the background."""
        return _boolean(self._ask(_RECOVER_LEASE, text(1, path) + text(2, client)))

    def _ask(self, head: bytes, request: bytes) -> bytes:
        return self._caller.call(self._who, head, request, may_repeat=True)

    def _change(self, head: bytes, request: bytes) -> bytes:
        """Make a call that the NameNode must not carry out twice."""
        return self._caller.call(self._who, head, request, may_repeat=False)


def _boolean(answer: bytes) -> bool:
    return bool(decode(answer).get(1, 0))


def _must(answer: bytes) -> bytes:
    try:
        found: bytes = decode(answer)[1]
    except KeyError as error:
        raise BadMessage("the answer is empty") from error
    return found
