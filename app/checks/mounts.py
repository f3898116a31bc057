"""Whether what the configuration mounts is there, and the rooms that users are confined to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.core.errors import AccessDenied, GatewayError, PathNotFound
from app.core.mounts import MountTable
from app.core.paths import ROOT, HdfsPath, parent_of
from app.fs.configured import configured_mounts
from app.fs.mounts import OWN
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.auth.users_file import User
    from app.checks.report import Report
    from app.core.mounts import Mount
    from app.fs.port import Backend
    from app.settings import BackendSettings

MOUNTS, ROOTS = "mounts", "roots"


class Place(NamedTuple):
    """Where a path of the gateway's lies: the cluster's name, and the path there."""

    cluster: str
    path: HdfsPath


class Places:
    """The mounts of the configuration, and what of the clusters could be reached.

    `backends` are those clusters by their names; `askers` has a Hadoop user for each, as whom it
    answers.
    """

    def __init__(
        self, settings: BackendSettings, backends: Mapping[str, Backend],
        askers: Mapping[str, str], report: Report,
    ) -> None:
        self._backends = backends
        self._askers = askers
        self._report = report
        self._mounts: tuple[Mount, ...] = ()
        try:
            self._mounts = configured_mounts(settings)
        except ConfigError as error:
            report.wrong(MOUNTS, str(error), "mend backend.mounts")
        self._table = MountTable(self._mounts)

    def check_mounts(self) -> None:
        """Look at the directories that are mounted, and at where they are to be seen."""
        for mount in self._mounts:
            told = f"{mount.path} ({_named(mount.cluster)}{mount.source})"
            if mount.cluster not in self._askers:
                self._report.note(MOUNTS, f"{told} could not be looked at: its cluster does not"
                                  " answer")
            elif self._is_directory(Place(mount.cluster, mount.source), told, MOUNTS) and (
                    self._has_parent(mount, told)):
                self._tell_hidden(mount)
                self._report.right(MOUNTS, f"{told} is there"
                                   + (", read-only" if mount.read_only else ""))

    def check_roots(self, users: Iterable[User]) -> None:
        """Look at the directories that users are confined to."""
        for root, name in sorted({(user.principal.root, user.principal.name) for user in users}):
            place = self._place(root)
            if root == ROOT or place.cluster not in self._askers:
                continue
            if self._is_directory(place, f"the root {root} of the user '{name}'", ROOTS):
                self._report.right(ROOTS, f"the root {root} of the user '{name}' is there")

    def _place(self, path: HdfsPath) -> Place:
        mount = self._table.of(path)
        return Place(mount.cluster, mount.there(path)) if mount else Place(OWN, path)

    def _has_parent(self, mount: Mount, told: str) -> bool:
        parent = parent_of(mount.path)
        place = self._place(parent)
        return place.cluster not in self._askers or self._is_directory(
            place, f"{told}: the directory {parent}, in which it is to be seen,", MOUNTS)

    def _tell_hidden(self, mount: Mount) -> None:
        outer = self._table.of(parent_of(mount.path))
        place = (Place(outer.cluster, outer.there(mount.path)) if outer
                 else Place(OWN, mount.path))
        if place.cluster not in self._askers:
            return
        try:
            self._status(place)
        except GatewayError:
            return
        self._report.note(MOUNTS, f"{mount.path} hides what has this name in"
                          f" {_named(place.cluster) or 'the own cluster'}",
                          "move that away, or mount at another path")

    def _is_directory(self, place: Place, told: str, about: str) -> bool:
        try:
            found = self._status(place)
        except PathNotFound:
            self._report.wrong(about, f"{told} is not there",
                               f"in that cluster: hdfs dfs -mkdir -p {place.path}")
        except AccessDenied:
            self._report.note(about, f"{told} may not be seen by the Hadoop user"
                              f" '{self._askers[place.cluster]}', as whom it was asked")
        except GatewayError as error:
            self._report.wrong(about, f"{told} cannot be looked at: {error}",
                               "see the log of the NameNode or HttpFS for the reason")
        else:
            if found:
                return True
            self._report.wrong(about, f"{told} is a file, not a directory",
                               "name a directory there")
        return False

    def _status(self, place: Place) -> bool:
        """Tell whether what is there is a directory."""
        fs = self._backends[place.cluster].as_user(self._askers[place.cluster])
        return fs.status(place.path).is_directory


def _named(cluster: str) -> str:
    return f"{cluster}:" if cluster else ""
