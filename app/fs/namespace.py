"""The names of the file system: looking, listing, making, moving, removing, and who may."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, TypeGuard

from app.core.errors import (
    AccessDenied,
    Conflict,
    GatewayError,
    PathNotFound,
    Unsupported,
    UpstreamFault,
)
from app.core.model import ListingPage
from app.core.paths import ROOT, HdfsPath, is_inside, parent_of
from app.fs import wire
from app.fs.calls import FAULTS, Calls, as_told, drained
from app.fs.port import Rename

if TYPE_CHECKING:
    from app.core.model import ContentSummary, FileStatus, Storage

_SIGNED = bytes((octet + 128) % 256 for octet in range(256))
"""HDFS orders names by their UTF-8 octets as Java's signed bytes: what is not ASCII comes first."""

_INODE = re.compile(r'inode="([^"]+)"')
"""The directory that "Permission denied" is about."""

_DATA_NODES = "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
"""Where a NameNode tells of its DataNodes; HttpFS and others have no such bean, or page."""


class Namespace(Calls):
    """The part of the port that deals with names and their attributes."""

    def home(self) -> HdfsPath:
        """Return the user's home directory (remembered for a while)."""
        now = time.monotonic()
        if self._home is None or now - self._home[0] > self._home_cache:
            self._home = now, wire.path(self._fetch("get_home_directory", ROOT))
        return self._home[1]

    def trash_root(self, path: HdfsPath) -> HdfsPath:
        """Return the directory that holds the user's trash for `path`."""
        return wire.path(self._fetch("get_trash_root", path))

    def trash_interval(self) -> int:
        """Return the minutes that the cluster keeps trash; 0 is off."""
        return wire.trash_interval(self._fetch("get_server_defaults", ROOT))

    def storage(self) -> Storage:
        """Return what the cluster stores and, where the server tells, how many DataNodes live."""
        found = wire.storage(self._fetch("get_status", ROOT))
        try:
            nodes = wire.data_nodes(drained(self._client.beside(_DATA_NODES)))
        except (*FAULTS, UpstreamFault):
            nodes = None
        live, dead = nodes or (-1, -1)
        return found._replace(live_nodes=live, dead_nodes=dead)

    def status(self, path: HdfsPath) -> FileStatus:
        """Return the status of `path`. Raises PathNotFound, AccessDenied."""
        return wire.file_status(self._fetch("get_file_status", path))

    def check_access(self, path: HdfsPath, action: str) -> None:
        """Return if the user may `action` ("r--", "-w-", …) on `path`, else raise AccessDenied."""
        self._fetch("check_access", path, fsaction=action)

    def list_page(self, path: HdfsPath, start_after: str | None = None) -> ListingPage:
        """Return entries after the name `start_after` in HDFS's order."""
        if self.flavor.list_batches:
            # A path by number stands for the name of any file there is, to whoever may ask; all
            # names are on the same side of whatever begins with a slash.
            start = "/" if start_after and start_after.startswith("/") else start_after
            # The NameNode decodes this parameter twice.
            start = start.replace("%", "%25") if start else None
            return wire.listing_batch(self._fetch("list_status_batch", path, startAfter=start))
        page = wire.listing(self._fetch("list_status", path))
        if not start_after:
            return page
        least = _order(start_after)
        # A file lists as itself, whatever it is to start after.
        return ListingPage(
            [entry for entry in page.entries
             if not entry.path_suffix or _order(entry.path_suffix) > least], 0)

    def content_summary(self, path: HdfsPath) -> ContentSummary:
        """Return what the subtree holds. Raises PathNotFound, AccessDenied."""
        return wire.content_summary(self._fetch("get_content_summary", path))

    def mkdirs(
        self, path: HdfsPath, permission: str | None = None, unmasked: str | None = None,
    ) -> None:
        """Make a directory and its parents. Raises NotADirectory, AlreadyExists for a file."""
        if not wire.boolean(self._fetch(
                "mkdirs", path, permission=permission, unmaskedpermission=unmasked)):
            raise Conflict(path, "HDFS refuses to make this directory")

    def rename(
        self, source: HdfsPath, destination: HdfsPath, mode: Rename = Rename.MOVE,
    ) -> bool:
        """Rename; False where HDFS refuses without a reason (MOVE only)."""
        options = None if mode is Rename.MOVE else mode.value
        if options and not self.flavor.rename_options:
            raise Unsupported(f"{self.flavor.name} cannot rename with the option {options}")
        try:
            raw = drained(self._client.run(
                "rename", source, destination=self._as_parameter(destination),
                renameoptions=options))
        except FAULTS as error:
            fault = self._fault(error, "rename", source)
            raise located(fault, destination, str(error)) from error
        if options is None:
            return wire.boolean(raw)
        if raw:
            # Only a server that ignores the option answers a boolean.
            raise UpstreamFault(f"the server ignores the rename option {options};"
                                " set `backend.kind` to what it is")
        return True

    def delete(self, path: HdfsPath, *, recursive: bool = False) -> bool:
        """Delete; False where nothing was there. Raises DirectoryNotEmpty."""
        try:
            return wire.boolean(
                self._fetch("delete", path, recursive="true" if recursive else "false"))
        except PathNotFound:
            return False

    def set_permission(self, path: HdfsPath, permission: str) -> None:
        """Set the octal mode. Raises PathNotFound, AccessDenied (owner only)."""
        self._fetch("set_permission", path, permission=permission)

    def set_owner(self, path: HdfsPath, owner: str | None, group: str | None) -> None:
        """Set owner or group or both. Raises PathNotFound, AccessDenied."""
        self._fetch("set_owner", path, owner=owner, group=group)

    def set_replication(self, path: HdfsPath, replication: int) -> bool:
        """Set the factor; False where HDFS refuses (a directory, or nothing there)."""
        return wire.boolean(self._fetch("set_replication", path, replication=replication))

    def set_times(
        self, path: HdfsPath, modification_time: int | None, access_time: int | None,
    ) -> None:
        """Set times in epoch milliseconds; None leaves one as it is."""
        self._fetch("set_times", path, modificationtime=modification_time,
                    accesstime=access_time)


def _order(name: str) -> bytes:
    return name.encode().translate(_SIGNED)


def _denied_at(fault: GatewayError, destination: HdfsPath) -> TypeGuard[AccessDenied]:
    """Tell whether it is the destination of a rename that the user has no access to."""
    place = fault.told and _INODE.search(fault.told.message)
    if not place or not isinstance(fault, AccessDenied):
        return False
    directory = HdfsPath(place[1])
    return is_inside(destination, directory) and not is_inside(HdfsPath(fault.path), directory)


def located(fault: GatewayError, destination: HdfsPath, said: str) -> GatewayError:
    """Return the fault of a rename at the path that it is about."""
    if isinstance(fault, PathNotFound) and "destination parent" in said:
        return as_told(PathNotFound(parent_of(destination)), fault)
    if isinstance(fault, Conflict) or _denied_at(fault, destination):
        return as_told(type(fault)(destination, fault.detail), fault)
    return fault
