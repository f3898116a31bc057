"""Whether the clusters answer, and let the gateway act there for its users."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from app.checks.lanes import check_lanes
from app.checks.peers import check_server
from app.checks.pem import Pair, check_authorities, check_pair
from app.checks.rights import lines_for, refused
from app.core.errors import AccessDenied, GatewayError, PathNotFound, UpstreamError
from app.core.paths import ROOT
from app.fs.authentication import own_user
from app.fs.faults import STANDBY, RemoteFault
from app.fs.kerberos_check import problems
from app.fs.lanes import AUTO, OFF
from app.fs.webhdfs import WebHdfsBackend
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.checks.report import Report
    from app.fs.filesystem import WebHdfsFileSystem
    from app.settings import BackendSettings

MOST_USERS = 50
"""So many Hadoop users are asked for, in each cluster."""


class Cluster:
    """One cluster to be looked at: `about` names it, `settings` are its own."""

    def __init__(
        self, about: str, settings: BackendSettings, seconds: float, report: Report,
    ) -> None:
        self.about = about
        self.settings = replace(
            settings, connect_timeout=min(seconds, settings.connect_timeout),
            read_timeout=min(seconds, settings.read_timeout), retry_deadline=0.0)
        self._seconds = seconds
        self._report = report
        self._address = ""

    def open(self) -> WebHdfsBackend | None:
        """Look at all but users; return the backend if it can be asked for them."""
        if not self._check_files():
            return None
        reached = []
        for url in self.settings.url:
            address = check_server(url, self.settings, self._seconds, self.about, self._report)
            if address:
                self._address = address
                reached.append(url)
        for problem in problems(self.settings):
            self._report.wrong(self.about, problem, "see docs/secured-clusters.md")
        serving = [url for url in reached if self._serves(url)]
        if not serving:
            self._tell_none(reached)
            return None
        backend = WebHdfsBackend(self._at(reached))
        if backend.lanes is not None:
            check_lanes(backend.lanes, self._seconds, self.about, self._report)
        return backend

    def ask_for(self, backend: WebHdfsBackend, hadoop_users: Sequence[str]) -> list[str]:
        """Ask on behalf of users; return those for whom it answered."""
        answered = [user for user in hadoop_users[:MOST_USERS] if self._lets(backend, user)]
        who = self.settings.service_user or self.settings.principal
        if answered:
            self._report.right(self.about, f"it answers{f' {who} on behalf of' if who else ' to'}"
                               f" {_listed(answered)}")
        if len(hadoop_users) > MOST_USERS:
            self._report.note(self.about, f"{len(hadoop_users) - MOST_USERS} Hadoop users more were"
                              " not asked for")
        return answered

    def check_homes(self, backend: WebHdfsBackend, hadoop_users: Iterable[str]) -> None:
        """Look whether the home directories of users are there."""
        found = [user for user in hadoop_users if self._has_home(backend.as_user(user), user)]
        if found:
            self._report.right(self.about, f"there are home directories of {_listed(found)}")

    def _check_files(self) -> bool:
        settings, before = self.settings, len(self._report.findings)
        if settings.ca_file:
            check_authorities(settings.ca_file, self.about, self._report)
        if settings.client_cert:
            check_pair(Pair(settings.client_cert, settings.client_key), self.about, self._report)
        try:
            WebHdfsBackend(settings).close()
        except ConfigError as error:
            if not any(each.mend for each in self._report.findings[before:]):
                self._report.wrong(self.about, str(error), "see the settings of the section"
                                   " backend")
            return False
        return True

    def _at(self, urls: Sequence[str]) -> BackendSettings:
        """Return the settings for some of the servers."""
        rpc = self.settings.rpc
        if len(rpc) == len(self.settings.url) and rpc not in (AUTO, OFF):
            rpc = tuple(rpc[self.settings.url.index(url)] for url in urls)
        return replace(self.settings, url=tuple(urls), rpc=rpc)

    def _serves(self, url: str) -> bool:
        with closing(WebHdfsBackend(self._at([url]))) as backend:
            try:
                backend.probe(self._seconds)
            except UpstreamError as error:
                if isinstance(error.__cause__, RemoteFault) and error.__cause__.name in STANDBY:
                    self._report.right(self.about, f"{url}: a standby, it serves when the active"
                                       " NameNode does not")
                else:
                    self._tell_silent(url, error)
                return False
        self._report.right(self.about, f"{url}: WebHDFS answers")
        return True

    def _tell_silent(self, url: str, error: UpstreamError) -> None:
        refusal = refused(error)
        self._report.wrong(self.about, f"{url}: {error}", lines_for(
            refusal[0], refusal[1] or self._address, httpfs=False) if refusal else (
            "is it the HTTP address of a NameNode or an HttpFS, with dfs.webhdfs.enabled, out of"
            " safe mode?"))

    def _tell_none(self, reached: Sequence[str]) -> None:
        if len(reached) > 1:
            self._report.wrong(self.about, "none of its servers serves",
                               "see with `hdfs haadmin -getAllServiceState` which is active")

    def _lets(self, backend: WebHdfsBackend, user: str) -> bool:
        try:
            backend.as_user(user).status(ROOT)
        except AccessDenied as error:
            refusal = refused(error)
            if refusal is None:
                return True  # HDFS knows the user, and keeps them from looking at the root
            self._tell_refusal(backend, user, *refusal)
        except GatewayError as error:
            self._report.wrong(self.about, f"asked for the Hadoop user '{user}': {error}",
                               "see the log of the NameNode or HttpFS for the reason")
        else:
            return True
        return False

    def _tell_refusal(
        self, backend: WebHdfsBackend, user: str, who: str, address: str,
    ) -> None:
        own = own_user(self.settings)
        try:
            # As itself the gateway is not refused. HttpFS tells whom the NameNode refuses, too.
            httpfs = who == own and backend.as_user(own).flavor.name == "httpfs"
        except GatewayError:
            httpfs = self.settings.kind == "httpfs"
        where = f" from the address {address}" if address else ""
        self._report.wrong(
            self.about, f"the cluster does not let '{who}' act for the Hadoop user"
            f" '{user}'{where}", lines_for(who, address or self._address, httpfs=httpfs))

    def _has_home(self, fs: WebHdfsFileSystem, user: str) -> bool:
        home = f"/user/{user}"
        try:
            home = fs.home()
            is_directory = fs.status(home).is_directory
        except PathNotFound:
            is_directory = False
        except GatewayError as error:
            self._report.wrong(self.about, f"the home directory {home} of the Hadoop user"
                               f" '{user}' cannot be looked at: {error}",
                               f"as HDFS's superuser: hdfs dfs -ls -d {home}")
            return False
        if not is_directory:
            self._report.wrong(self.about, f"there is no home directory {home} of the Hadoop user"
                               f" '{user}'", f"as HDFS's superuser: hdfs dfs -mkdir -p {home} &&"
                               f" hdfs dfs -chown {user} {home}")
        return is_directory


def _listed(users: Sequence[str]) -> str:
    shown = ", ".join(f"'{user}'" for user in users[:10])
    return f"{shown} and {len(users) - 10} more" if len(users) > 10 else shown  # noqa: PLR2004
