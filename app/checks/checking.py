"""All checks, one after the other: what the later ones need is what the earlier ones found."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from app import settings as settings_module
from app.checks.clusters import Cluster
from app.checks.door import check_door
from app.checks.logins import ABOUT as LOGINS
from app.checks.logins import check_logins
from app.checks.mounts import Places
from app.checks.people import USERS, check_people
from app.checks.report import State
from app.checks.storage import check_directory, check_storage
from app.core.paths import ROOT
from app.fs.clusters import settings_of
from app.fs.mounts import OWN
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.auth.users_file import User
    from app.checks.report import Report
    from app.fs.port import Backend
    from app.settings import Settings

CONFIGURATION = "configuration"
BACKEND = "backend"


def check(
    file: Path | None, environment: Mapping[str, str], report: Report, *, seconds: float,
) -> None:
    """Look at everything that a gateway of this configuration needs; change nothing.

    `seconds` is the longest that one question to a server may take.
    """
    settings = _settings(file, environment, report)
    if settings is None:
        return
    check_storage(settings, report)
    users = check_people(settings, report)
    if any(found.about == USERS and found.state is State.WRONG for found in report.findings):
        report.note(LOGINS, "not looked at before the users file is right")
    else:
        check_logins(settings, report)
    check_door(settings, environment, report)
    with ExitStack() as stack:
        _check_clusters(settings, users, seconds, report, stack)


def _settings(
    file: Path | None, environment: Mapping[str, str], report: Report,
) -> Settings | None:
    try:
        settings = settings_module.read(file, environment)
    except ConfigError as error:
        report.wrong(CONFIGURATION, str(error), "`httpfs-proxy settings` prints every setting,"
                     " explained; nothing else was looked at")
        return None
    where = settings.source or "defaults and environment"
    report.right(CONFIGURATION, f"{where}: every setting is understood")
    return settings


def _check_clusters(
    settings: Settings, users: Mapping[str, User], seconds: float, report: Report,
    stack: ExitStack,
) -> None:
    hadoop_users = sorted({user.principal.hadoop_user for user in users.values()})
    backends: dict[str, Backend] = {}
    askers: dict[str, str] = {}
    clusters = {OWN: Cluster(BACKEND, settings.backend, seconds, report)}
    if settings.backend.url[0].startswith("embedded:"):
        _check_embedded(settings, report)
        del clusters[OWN]
    clusters |= {each.name: Cluster(f"cluster '{each.name}'", settings_of(each, settings.backend),
                                    seconds, report) for each in settings.backend.clusters}
    for name, cluster in clusters.items():
        backend = cluster.open()
        if backend is None:
            continue
        backends[name] = stack.enter_context(closing(backend))
        answered = cluster.ask_for(backend, hadoop_users)
        if answered:
            askers[name] = answered[0]
        if name == OWN:
            cluster.check_homes(backend, _at_home(users, answered))
    places = Places(settings.backend, backends, askers, report)
    places.check_mounts()
    places.check_roots(users.values())


def _at_home(users: Mapping[str, User], answered: list[str]) -> list[str]:
    """Return the Hadoop users, of those, whose users see their homes."""
    free = {user.principal.hadoop_user for user in users.values() if user.principal.root == ROOT}
    return [user for user in answered if user in free]


def _check_embedded(settings: Settings, report: Report) -> None:
    url = settings.backend.url[0]
    directory = settings.data_dir / "hdfs" if url == "embedded:" else Path(
        url.removeprefix("embedded://"))
    report.note(BACKEND, f"files lie in the local directory {directory}: it behaves like HDFS, and"
                " is no cluster", "set backend.url for one")
    check_directory(directory, BACKEND, report)
