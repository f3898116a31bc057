"""The mounts of the configuration, as the registry of mounts has them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from app.core.mounts import CONFIGURED_IDS, LAST_RUN_TIME_ID, Mount, MountTable
from app.core.paths import is_inside, parent_of
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.sections.clusters import ConfiguredMount
    from app.settings import BackendSettings


def configured_mounts(settings: BackendSettings) -> tuple[Mount, ...]:
    """Return the mounts of `mounts`, each with a number that another start gives it too.

    Raises ConfigError for one that names no cluster, or leads to a directory around itself.
    """
    names = {"", *(cluster.name for cluster in settings.clusters)}
    taken: set[int] = set()
    found = []
    for each in settings.mounts:
        if each.cluster not in names:
            known = ", ".join(f"'{name}'" for name in sorted(names) if name) or "none"
            raise ConfigError("backend.mounts", 0, f"'{each.path}' is of the cluster"
                              f" '{each.cluster}', which backend.clusters does not name: {known}")
        number = _number(each, taken)
        taken.add(number)
        found.append(Mount(each.path, each.cluster, each.source, each.read_only, number))
    _check_around(found)
    return tuple(found)


def _check_around(mounts: Sequence[Mount]) -> None:
    table = MountTable(mounts)
    for mount in mounts:
        outer = table.of(parent_of(mount.path))
        cluster, place = (outer.cluster, outer.there(mount.path)) if outer else ("", mount.path)
        if cluster == mount.cluster and is_inside(place, mount.source):
            raise ConfigError("backend.mounts", 0, f"'{mount.path}' would lie inside what is"
                              f" mounted there, '{mount.source}'")


def _number(mount: ConfiguredMount, taken: set[int]) -> int:
    """Return a number above those of mounts at run time, by what the mount is."""
    what = f"{mount.path}\n{mount.cluster}\n{mount.source}"
    first = zlib.crc32(what.encode())
    return next(number for step in range(CONFIGURED_IDS)
                if (number := LAST_RUN_TIME_ID + 1 + (first + step) % CONFIGURED_IDS)
                not in taken)
