"""Who asks, whom HDFS sees, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import ReadOnlyPrincipal
from app.core.paths import ROOT, HdfsPath, is_inside


@dataclass(frozen=True, slots=True)
class Principal:
    """A gateway user after authentication.

    `name` is the gateway's user, `hadoop_user` the one every upstream call is made as. `root` is
    the directory that the user sees as `/`: nothing outside can be named. `roles` open the
    administrative parts. `bucket_root` is the directory whose directories are the user's buckets:
    a real path inside `root`, and `root` itself where nothing inside it was given.
    """

    name: str
    hadoop_user: str
    root: HdfsPath = ROOT
    read_only: bool = False
    roles: frozenset[str] = frozenset()
    bucket_root: HdfsPath = ROOT

    def __post_init__(self) -> None:
        if not is_inside(self.bucket_root, self.root):
            object.__setattr__(self, "bucket_root", self.root)

    def visible(self, path: str) -> str:
        """Return the real `path` as this principal writes it (relative to their root)."""
        if self.root == ROOT:
            return path
        if path == self.root:
            return "/"
        return path[len(self.root):] if path.startswith(self.root + "/") else "/"

    def require_write(self, path: str) -> None:
        """Raise ReadOnlyPrincipal if the principal may not change anything."""
        if self.read_only:
            raise ReadOnlyPrincipal(path)
