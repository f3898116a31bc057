"""What can be set of other clusters, and of what is mounted of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.errors import InvalidPath, printable
from app.core.paths import HIDDEN_MARK, ROOT, HdfsPath, absolute
from app.setting_types import Urls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from dataclasses import Field

MOST_MOUNTS = 1000
NO_PLACES = frozenset({".snapshot", ".reserved"})
"""Names in a path at which nothing is mounted, and of which nothing is: HDFS's own."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOUNT = re.compile(r"(/[^:]*)=([^:/=]*):(/[^:]*)(:ro)?", re.DOTALL)


class OtherCluster(NamedTuple):
    """A cluster beside the gateway's own; `own` are the settings that are its own, by name."""

    name: str
    url: tuple[str, ...]
    own: Mapping[str, Any]


class ConfiguredMount(NamedTuple):
    """What the configuration mounts; `cluster` is empty for the gateway's own."""

    path: HdfsPath
    cluster: str
    source: HdfsPath
    read_only: bool


class Clusters:
    """A list of clusters by name, each a text or a map.

    `declared` tells the settings of the section, of which a map may have all but those `shared`.
    """

    allowed = ("a list of `name=url`, and of maps with `name`, `url` and what else is the"
               " cluster's own")

    def __init__(
        self, declared: Callable[[], Iterable[Field[Any]]], shared: frozenset[str],
    ) -> None:
        self._declared = declared
        self._shared = shared

    def parse(self, given: Any) -> tuple[OtherCluster, ...]:
        """Take a list, or text with commas between; no name twice."""
        items = given.replace(",", " ").split() if isinstance(given, str) else given
        if not isinstance(items, list | tuple):
            raise ValueError(f"{given!r} is not {self.allowed}")  # noqa: TRY004 one kind of error
        found: dict[str, OtherCluster] = {}
        for item in items:
            cluster = self._one(item)
            if cluster.name in found:
                raise ValueError(f"the cluster '{cluster.name}' stands twice")
            found[cluster.name] = cluster
        return tuple(found.values())

    def _one(self, item: Any) -> OtherCluster:
        if isinstance(item, OtherCluster):
            return item
        if isinstance(item, dict):
            if not {"name", "url"} <= item.keys():
                raise ValueError(f"the map of a cluster has no `name` or no `url`: {_keys(item)}")
            return self._made(item["name"], item["url"], {
                key: value for key, value in item.items() if key not in ("name", "url")})
        name, mark, url = str(item).partition("=")
        if not mark or not isinstance(item, str):
            raise ValueError(f"{item!r} is not of {self.allowed}")
        return self._made(name, url, {})

    def _made(self, name: Any, url: Any, own: Mapping[str, Any]) -> OtherCluster:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a cluster: 1 to 64 of A-Z a-z 0-9 . _ -")
        try:
            return OtherCluster(name, _urls(url), self._values(own))
        except ValueError as error:
            raise ValueError(f"the cluster '{name}': {error}") from error

    def _values(self, own: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {each.name: each.metadata["kind"] for each in self._declared()
                 if each.name not in self._shared}
        values = {}
        for key, given in own.items():
            if key not in kinds:
                raise ValueError(f"'{printable(key)}' cannot be its own; these can: "
                                 + ", ".join(kinds))
            try:
                values[key] = kinds[key].parse(given)
            except ValueError as error:
                raise ValueError(f"'{key}': {error}") from error
        return values


class MountList:
    """A list of what is mounted where."""

    allowed = "a list of `/path=cluster:/directory`, each with `:ro` after it to be read-only"

    def parse(self, given: Any) -> tuple[ConfiguredMount, ...]:
        """Take a list, or text with commas between; no path twice."""
        items = given.replace(",", " ").split() if isinstance(given, str) else given
        if not isinstance(items, list | tuple):
            raise ValueError(f"{given!r} is not {self.allowed}")  # noqa: TRY004 one kind of error
        if len(items) > MOST_MOUNTS:
            raise ValueError(f"there are {len(items)} mounts, and {MOST_MOUNTS} is the most")
        found: dict[str, ConfiguredMount] = {}
        for item in items:
            mount = item if isinstance(item, ConfiguredMount) else self._one(item)
            if mount.path in found:
                raise ValueError(f"'{mount.path}' stands twice")
            found[mount.path] = mount
        return tuple(found.values())

    def _one(self, item: Any) -> ConfiguredMount:
        match = _MOUNT.fullmatch(item) if isinstance(item, str) else None
        if not match:
            raise ValueError(f"{item!r} is not of {self.allowed}")
        try:
            path, source = absolute(match[1]), absolute(match[3])
        except InvalidPath as error:
            raise ValueError(f"{item!r}: {error}") from error
        if path == ROOT:
            raise ValueError("nothing can be mounted at '/': that is backend.url")
        for place in (path, source):
            if any(name in NO_PLACES or name.startswith(HIDDEN_MARK) for name in place.split("/")):
                raise ValueError(f"nothing can be mounted at or of '{place}'")
        return ConfiguredMount(path, match[2], source, read_only=bool(match[4]))


def _urls(given: Any) -> tuple[str, ...]:
    urls = Urls().parse(given)
    if urls[0].startswith("embedded:"):
        raise ValueError(f"'{urls[0]}' is no URL of WebHDFS")
    return urls


def _keys(item: Mapping[Any, Any]) -> str:
    return ", ".join(printable(str(key)) for key in item)
