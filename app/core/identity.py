"""Who asks, whom HDFS sees, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import ReadOnlyPrincipal
from app.core.path_rules import PathForbidden, PathRules, Right, Tree, Verdict
from app.core.paths import HIDDEN_MARK, ROOT, HdfsPath, is_inside
from app.core.sources import SourceRefused, is_among

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from app.core.limits import UserLimits


@dataclass(frozen=True, slots=True)
class Principal:
    """A gateway user after authentication.

    `name` is the gateway's user, `hadoop_user` the one every upstream call is made as. `root` is
    the directory that the user sees as `/`: nothing outside can be named. `roles` open the
    administrative parts. `bucket_root` is the directory whose directories are the user's buckets:
    a real path inside `root`, and `root` itself where nothing inside it was given.

    `rules` say which real paths may be read and written. `networks` are lists of source networks:
    the client's address is in one network of each list. `token` is the id of the access token that
    the principal came with, "" for none. `limits` are what is said of this user; None: nothing but
    what holds for all.
    """

    name: str
    hadoop_user: str
    root: HdfsPath = ROOT
    read_only: bool = False
    roles: frozenset[str] = frozenset()
    bucket_root: HdfsPath = ROOT
    rules: PathRules = PathRules()
    networks: tuple[tuple[IPv4Network | IPv6Network, ...], ...] = ()
    token: str = ""
    limits: UserLimits | None = None

    def __post_init__(self) -> None:
        if not is_inside(self.bucket_root, self.root):
            object.__setattr__(self, "bucket_root", self.root)

    @property
    def reference(self) -> str:
        """What to look the principal up by later: their name, and the token that they came with."""
        return f"{self.name}:{self.token}" if self.token else self.name

    def visible(self, path: str) -> str:
        """Return the real `path` as this principal writes it (relative to their root)."""
        if self.root == ROOT:
            return path
        if path == self.root:
            return "/"
        return path[len(self.root):] if path.startswith(self.root + "/") else "/"

    def require_write(self, path: str) -> None:
        """Raise ReadOnlyPrincipal if nothing may be changed, PathForbidden if not this path."""
        if self.read_only:
            raise ReadOnlyPrincipal(path)
        self.require_rule(path, Right.WRITE)

    def require_read(self, path: str) -> None:
        """Raise PathForbidden if the rules do not let the content of `path` be read."""
        self.require_rule(path, Right.READ)

    def require_rule(self, path: str, right: Right) -> None:
        """Raise PathForbidden if the rules do not give this right at `path`."""
        if self.rules.verdict(path, right) is not Verdict.ALLOWED:
            raise PathForbidden(path)

    def require_whole(self, path: str) -> None:
        """Raise PathForbidden if the rules could deny anything at or below `path`."""
        for right in Right:
            self.require_rule(path, right)
            if self.rules.tree(path, right) is not Tree.WHOLE:
                raise PathForbidden(path, "something in it may be denied")

    def sees(self, path: str) -> bool:
        """Tell whether the principal may know what is at `path`, or that it leads somewhere."""
        return self.rules.sees(path) is not Verdict.DENIED

    def require_named(self, path: HdfsPath) -> HdfsPath:
        """Return a path that the principal named, unless their rules hide it.

        Who has rules has no business with the gateway's own hidden names: they say nothing of what
        they are to become. Raises PathForbidden.
        """
        if self.rules and (HIDDEN_MARK in path or not self.sees(path)):
            raise PathForbidden(path)
        return path

    def require_source(self, address: IPv4Address | IPv6Address | None) -> None:
        """Raise SourceRefused where the principal may not come from this address."""
        for networks in self.networks:
            if not is_among(address, networks):
                raise SourceRefused
