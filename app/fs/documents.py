"""What HDFS tells, and changes, that the gateway has no opinion of: as WebHDFS's documents.

Storage policies, erasure coding, quotas by type, differences of snapshots, where blocks lie: no
dialect but WebHDFS's own speaks of them, so the port hands their JSON on, checked for its frame
alone.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

from app.core.errors import UpstreamFault
from app.fs.calls import Calls

if TYPE_CHECKING:
    from app.core.paths import HdfsPath

NO_TOKEN = "AAAAAA"  # noqa: S105 - what an empty token looks like
"""`urlString` of a token that opens nothing (org.apache.hadoop.security.token.Token)."""


class Document(Enum):
    """What can be asked for: WebHDFS's operation, and the key of its answer."""

    QUOTA_USAGE = ("GETQUOTAUSAGE", "QuotaUsage")
    STORAGE_POLICIES = ("GETALLSTORAGEPOLICY", "BlockStoragePolicies")
    STORAGE_POLICY = ("GETSTORAGEPOLICY", "BlockStoragePolicy")
    CODING_POLICY = ("GETECPOLICY", "")
    CODING_POLICIES = ("GETECPOLICIES", "ErasureCodingPolicies")
    CODECS = ("GETECCODECS", "ErasureCodingCodecs")
    SNAPSHOT_DIFF = ("GETSNAPSHOTDIFF", "SnapshotDiffReport")
    SNAPSHOT_DIFF_LISTING = ("GETSNAPSHOTDIFFLISTING", "SnapshotDiffReportListing")
    SNAPSHOTTABLE = ("GETSNAPSHOTTABLEDIRECTORYLIST", "SnapshottableDirectoryList")
    SNAPSHOTS = ("GETSNAPSHOTLIST", "SnapshotList")
    BLOCKS = ("GETFILEBLOCKLOCATIONS", "BlockLocations")
    LOCATED_BLOCKS = ("GET_BLOCK_LOCATIONS", "LocatedBlocks")
    DEFAULTS = ("GETSERVERDEFAULTS", "FsServerDefaults")
    STATUS = ("GETSTATUS", "FsStatus")
    TRASH_ROOTS = ("GETTRASHROOTS", "Paths")

    @property
    def operation(self) -> str:
        """WebHDFS's operation."""
        return self.value[0]

    @property
    def key(self) -> str:
        """The key of the answer; empty where the answer has none."""
        return self.value[1]


class Administration(Enum):
    """What can be changed: WebHDFS's method and operation."""

    SET_STORAGE_POLICY = ("PUT", "SETSTORAGEPOLICY")
    UNSET_STORAGE_POLICY = ("POST", "UNSETSTORAGEPOLICY")
    SATISFY_STORAGE_POLICY = ("PUT", "SATISFYSTORAGEPOLICY")
    SET_CODING_POLICY = ("PUT", "SETECPOLICY")
    UNSET_CODING_POLICY = ("POST", "UNSETECPOLICY")
    ENABLE_CODING_POLICY = ("PUT", "ENABLEECPOLICY")
    DISABLE_CODING_POLICY = ("PUT", "DISABLEECPOLICY")
    SET_QUOTA_BY_TYPE = ("PUT", "SETQUOTABYSTORAGETYPE")


class Documents(Calls):
    """The part of the port that hands documents on."""

    def document(self, path: HdfsPath, kind: Document, **parameters: str | int | None) -> Any:
        """Return what lies under the document's key. Raises Unsupported, PathNotFound and kin."""
        raw = self._ask("GET", kind.operation, path, parameters)
        try:
            told = json.loads(raw)
            found = told[kind.key] if kind.key and told else told
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UpstreamFault(f"HDFS answered {kind.operation} with what is no document of it"
                                ) from error
        return _without_tokens(found) if kind is Document.LOCATED_BLOCKS else found

    def administer(
        self, path: HdfsPath, kind: Administration, **parameters: str | int | None,
    ) -> None:
        """Make the change. Raises Unsupported, AccessDenied, PathNotFound and kin."""
        method, operation = kind.value
        self._ask(method, operation, path, parameters)


def _without_tokens(located: Any) -> Any:
    """Return located blocks whose tokens open nothing: DataNodes are behind the gateway."""
    blocks = [*located.get("locatedBlocks", ()), located.get("lastLocatedBlock")]
    for block in blocks:
        if block and "blockToken" in block:
            block["blockToken"] = {"urlString": NO_TOKEN}
    return located
