"""The file system of one user, over Hadoop's RPC where there is a lane for it, else over WebHDFS.

Results and errors are the same by either way. What RPC cannot carry or tell is WebHDFS's: text that
is no Unicode, values that only WebHDFS knows how to refuse, the details of erasure coding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.core.errors import Conflict, GatewayError, PathNotFound, Told
from app.fs.namespace import located
from app.fs.native_calls import BY_WEBHDFS
from app.fs.native_content import NativeContent, are_modes, copies_fit
from app.fs.native_faults import FILE_NOT_FOUND
from app.fs.port import Rename
from app.hadoop.client_protocol import XATTR_CREATE, XATTR_REPLACE, NameNodeClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.model import FileStatus
    from app.core.paths import HdfsPath

DIRECTORY_MODE = "755"
"""What WebHDFS makes directories with where nobody says."""
_ACCESS = re.compile(r"[r-][w-][x-]")
_NAMESPACES = {"user": 0, "trusted": 1, "security": 2, "system": 3, "raw": 4}
_NAMES_OF_THEM = {number: name for name, number in _NAMESPACES.items()}
_FLAGS = {None: XATTR_CREATE | XATTR_REPLACE, True: XATTR_REPLACE, False: XATTR_CREATE}


class NativeFileSystem(NativeContent):
    """What is asked most goes by RPC."""

    def status(self, path: HdfsPath) -> FileStatus:
        """Return the status of `path`. Raises PathNotFound, AccessDenied."""
        found = self._by_rpc("get_file_status", path, NameNodeClient.get_file_info)
        if found is None:
            error = PathNotFound(path)
            error.told = Told(FILE_NOT_FOUND, f"File does not exist: {path}")
            raise error
        # By which policy a file is coded is told by WebHDFS alone.
        if found is BY_WEBHDFS or found.erasure_coded:
            return super().status(path)
        return found

    def check_access(self, path: HdfsPath, action: str) -> None:
        """Return if the user may `action` ("r--", "-w-", …) on `path`, else raise AccessDenied."""
        wanted = sum(bit for bit, mark in zip((4, 2, 1), action, strict=False) if mark != "-")
        if not _ACCESS.fullmatch(action) or self._by_rpc(
                "check_access", path, lambda names, path: names.check_access(path, wanted),
        ) is BY_WEBHDFS:
            super().check_access(path, action)

    def mkdirs(
        self, path: HdfsPath, permission: str | None = None, unmasked: str | None = None,
    ) -> None:
        """Make a directory and its parents. Raises NotADirectory, AlreadyExists for a file."""
        mode, beneath = permission or DIRECTORY_MODE, unmasked or None
        if not are_modes(mode, beneath or mode):
            super().mkdirs(path, permission, unmasked)
            return
        made = self._by_rpc("mkdirs", path, lambda names, path: names.mkdirs(
            path, int(mode, 8), int(beneath, 8) if beneath else None))
        if made is BY_WEBHDFS:
            super().mkdirs(path, permission, unmasked)
        elif not made:
            raise Conflict(path, "HDFS refuses to make this directory")

    def rename(
        self, source: HdfsPath, destination: HdfsPath, mode: Rename = Rename.MOVE,
    ) -> bool:
        """Rename; False where HDFS refuses without a reason (MOVE only)."""
        def call(names: NameNodeClient, source: HdfsPath) -> bool:
            if mode is Rename.MOVE:
                return names.rename(source, destination)
            names.rename2(source, destination, overwrite=mode is Rename.REPLACE)
            return True

        try:
            done = self._by_rpc("rename", source, call, repeatable=False)
        except GatewayError as error:
            raise located(error, destination, str(error.__cause__)) from error.__cause__
        return super().rename(source, destination, mode) if done is BY_WEBHDFS else done

    def delete(self, path: HdfsPath, *, recursive: bool = False) -> bool:
        """Delete; False where nothing was there. Raises DirectoryNotEmpty."""
        try:
            done = self._by_rpc(
                "delete", path, lambda names, path: names.delete(path, recursive=recursive),
                repeatable=False)
        except PathNotFound:
            return False
        return super().delete(path, recursive=recursive) if done is BY_WEBHDFS else done

    def concat(self, target: HdfsPath, sources: Sequence[HdfsPath]) -> None:
        """Move the blocks of `sources` to the end of `target`, atomically; the sources vanish."""
        if not sources or self._by_rpc(
                "concat", target, lambda names, path: names.concat(path, sources),
                repeatable=False) is BY_WEBHDFS:
            super().concat(target, sources)

    def set_permission(self, path: HdfsPath, permission: str) -> None:
        """Set the octal mode. Raises PathNotFound, AccessDenied (owner only)."""
        if not are_modes(permission) or self._by_rpc(
                "set_permission", path,
                lambda names, path: names.set_permission(path, int(permission, 8)),
        ) is BY_WEBHDFS:
            super().set_permission(path, permission)

    def set_owner(self, path: HdfsPath, owner: str | None, group: str | None) -> None:
        """Set owner or group or both. Raises PathNotFound, AccessDenied."""
        if not (owner or group) or self._by_rpc(
                "set_owner", path, lambda names, path: names.set_owner(path, owner, group),
        ) is BY_WEBHDFS:
            super().set_owner(path, owner, group)

    def set_replication(self, path: HdfsPath, replication: int) -> bool:
        """Set the factor; False where HDFS refuses (a directory, or nothing there)."""
        if not copies_fit(replication):
            return super().set_replication(path, replication)
        done = self._by_rpc("set_replication", path,
                            lambda names, path: names.set_replication(path, replication))
        return super().set_replication(path, replication) if done is BY_WEBHDFS else done

    def set_times(
        self, path: HdfsPath, modification_time: int | None, access_time: int | None,
    ) -> None:
        """Set times in epoch milliseconds; None leaves one as it is."""
        modified = -1 if modification_time is None else modification_time
        accessed = -1 if access_time is None else access_time
        if min(modified, accessed) < -1 or self._by_rpc(
                "set_times", path, lambda names, path: names.set_times(path, modified, accessed),
        ) is BY_WEBHDFS:
            super().set_times(path, modification_time, access_time)

    def xattrs(self, path: HdfsPath, names: Sequence[str] = ()) -> Mapping[str, bytes]:
        """Return the xattrs of these names, or all. Raises AttributeNotFound."""
        asked = [_xattr(name) for name in names]
        wanted = [one for one in asked if one]
        found = BY_WEBHDFS if len(wanted) < len(asked) else self._by_rpc(
            "get_x_attrs", path, lambda client, path: client.get_xattrs(path, wanted))
        if found is BY_WEBHDFS:
            return super().xattrs(path, names)
        return {f"{_NAMES_OF_THEM[number]}.{name}": value for number, name, value in found}

    def set_xattr(self, path: HdfsPath, name: str, value: bytes, *, exists: bool | None) -> None:
        """Set one xattr; `exists` says whether it must (True) or must not (False) be there."""
        xattr = _xattr(name)
        if xattr is None or self._by_rpc(
                "set_x_attr", path, lambda names, path: names.set_xattr(
                    path, *xattr, value, _FLAGS[exists]), repeatable=False) is BY_WEBHDFS:
            super().set_xattr(path, name, value, exists=exists)

    def remove_xattr(self, path: HdfsPath, name: str) -> None:
        """Remove one xattr. Raises AttributeNotFound."""
        xattr = _xattr(name)
        if xattr is None or self._by_rpc(
                "remove_x_attr", path, lambda names, path: names.remove_xattr(path, *xattr),
                repeatable=False) is BY_WEBHDFS:
            super().remove_xattr(path, name)


def _xattr(name: str) -> tuple[int, str] | None:
    """Return the namespace and the rest of an xattr's name; None for a name without one."""
    space, _, rest = name.partition(".")
    number = _NAMESPACES.get(space)
    return (number, rest) if number is not None and rest else None
