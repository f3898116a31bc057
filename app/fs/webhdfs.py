"""The one adapter behind the port: WebHDFS through the `hdfs` package.

This is the only module that imports `hdfs`. What the package does not have is added in its own
way (`_Request`); what it does too much (retries of what is not repeatable, `#LATEST`, errors
without their status) is taken away from it: it is given one server without a name, and
`_request` hands every call to `app.fs.failover`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hdfs.client import Client, _Request
from requests import exceptions

from app.core.errors import AccessDenied, UpstreamError, UpstreamFault, UpstreamUnavailable
from app.fs.auth import SimpleAuth
from app.fs.authentication import upstream_auth
from app.fs.failover import Cluster, UpstreamAuth
from app.fs.faults import IMPERSONATION, RemoteFault, remote_fault, translated
from app.fs.filesystem import WebHdfsFileSystem
from app.fs.flavors import FLAVORS, UNKNOWN_OPERATION, by_refusal
from app.fs.inprocess import ORIGIN, SCHEME, WsgiAdapter
from app.fs.lanes import lanes_of
from app.fs.native import NativeFileSystem
from app.fs.pool import Limits
from app.fs.redirects import data_url
from app.fs.transport import UpstreamSession
from app.fs.trust import upstream_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.core.paths import HdfsPath
    from app.fs.answer import Answer
    from app.fs.port import Flavor
    from app.fs.transport import Body
    from app.settings import BackendSettings

USERS_REMEMBERED = 1024


class _Named(_Request):  # type: ignore[misc]
    """An operation whose name `hdfs` would not derive from the attribute's: it drops `_`."""

    def __init__(self, operation: str, method: str) -> None:
        super().__init__(method)
        self._operation = operation

    def to_method(self, _derived: str) -> Any:
        """Return the method that makes the call."""
        return super().to_method(self._operation)


class WebHdfsClient(Client):  # type: ignore[misc]
    """`hdfs`'s client for one user over our own transport."""

    _check_access = _Request("GET")
    _concat = _Request("POST")
    _get_file_block_locations = _Request("GET")
    _get_server_defaults = _Request("GET")
    _get_snapshot_list = _Request("GET")
    _get_status = _Request("GET")
    _get_x_attrs = _Request("GET")
    _list_status_batch = _Named("LISTSTATUS_BATCH", "GET")
    _remove_x_attr = _Request("PUT")
    _set_quota = _Request("PUT")
    _set_x_attr = _Request("PUT")
    _truncate = _Request("POST")
    _unknown = _Named(UNKNOWN_OPERATION, "GET")

    def __init__(self, cluster: Cluster, user: str) -> None:
        # With "/" as the only server, what `hdfs` makes is the request target alone.
        super().__init__("/", session=cluster.session)
        self._cluster = cluster
        self._who = cluster.auth.query(user)

    def resolve(self, hdfs_path: str) -> str:
        """Return the path as it is: a file may really be called `#LATEST`."""
        return hdfs_path

    def run(self, operation: str, path: str, **params: Any) -> Answer:
        """Make the call of this name ("get_file_status"); parameters that are None are left out.

        Raises RemoteFault, requests.RequestException.
        """
        answer: Answer = getattr(self, f"_{operation}")(path, **params)
        return answer

    def ask(
        self, method: str, operation: str, path: str, params: Mapping[str, Any],
    ) -> Answer:
        """Make the call of WebHDFS's own name, which `hdfs` need not know.

        Raises RemoteFault, requests.RequestException.
        """
        handler = _Named(operation, method).to_method("")
        answer: Answer = handler(self, path, **params)
        return answer

    def beside(self, target: str) -> Answer:
        """Get another page of the active server. Raises RemoteFault, requests.RequestException."""
        return self._cluster.call("GET", "", target)

    def data_url(self, answer: Answer, path: str) -> str:
        """Return where a redirect leads for `path`."""
        location = answer.headers.get("location", "")
        return data_url(self._cluster.servers[0], location, quoted(f"/webhdfs/v1{path}"))

    def exchange(self, method: str, url: str, body: Body = None) -> Answer:
        """Call a DataNode, once. Raises RemoteFault, requests.RequestException."""
        answer = self._cluster.session.exchange(method, url, body)
        if answer:
            return answer
        raise remote_fault(answer)

    def _request(
        self, method: str, url: str, data: Body = None, params: Any = None, **_: Any,
    ) -> Answer:
        operation = params.pop("op")
        target = f"{url.replace(' ', '%20')}?op={operation}&{self._who}"
        if data is not None:
            target += "&data=true"
        if params:
            target += "".join(_parameters(params))
        return self._cluster.call(method, operation, target, data)


class WebHdfsBackend:
    """One cluster by its WebHDFS URLs, or a WSGI application that behaves like one.

    Where a NameNode takes Hadoop's RPC, too, `lanes` has the ways to it. Raises ConfigError where a
    file of the settings' TLS, or Kerberos, cannot be used, or addresses of RPC do not fit.
    """

    def __init__(
        self, settings: BackendSettings, *, wsgi: Callable[..., Iterable[bytes]] | None = None,
        auth: UpstreamAuth | None = None,
    ) -> None:
        self._settings = settings
        session = UpstreamSession(Limits(
            settings.connect_timeout, settings.read_timeout, settings.pool_size,
            settings.pool_idle), upstream_context(settings))
        servers = settings.url
        if servers[0].startswith(f"{SCHEME}:"):
            if wsgi is None:
                raise ValueError(f"the backend '{servers[0]}' needs its WSGI application")
            session.mount(f"{SCHEME}://", WsgiAdapter(wsgi))
            servers = (ORIGIN,)
            auth = auth or SimpleAuth(settings.service_user)
        self._cluster = Cluster(
            servers, session, auth or upstream_auth(settings, session), settings.retry_deadline)
        self.lanes = lanes_of(settings, self._cluster)
        self._flavor = FLAVORS.get(settings.kind)
        self._file_systems = lru_cache(USERS_REMEMBERED)(self._file_system)

    def as_user(self, hadoop_user: str) -> WebHdfsFileSystem:
        """Return the file system as `hadoop_user` sees it. Raises InvalidParameter."""
        return self._file_systems(hadoop_user)

    def probe(self, timeout: float) -> None:
        """Return if the cluster answers within `timeout` seconds, else raise UpstreamError."""
        who = self._cluster.auth.query(
            self._settings.probe_user or self._cluster.auth.own_user)
        try:
            self._cluster.probe(f"/webhdfs/v1/?op=GETFILESTATUS&{who}", timeout)
        except (RemoteFault, exceptions.RequestException) as error:
            fault = translated(error, "/")
            if self._settings.probe_user and IMPERSONATION.search(str(error)):
                fault = UpstreamFault(
                    f"the cluster does not let {self._cluster.auth.own_user} act for"
                    f" {self._settings.probe_user} (hadoop.proxyuser settings)")
            if isinstance(fault, UpstreamError):
                raise fault from error

    def close(self) -> None:
        """Close the idle connections."""
        self._cluster.session.close()
        if self.lanes is not None:
            self.lanes.close()

    def location(self, path: HdfsPath) -> str:
        """Return where `path` lies as a URI, like `webhdfs://namenode:9870/some/file`."""
        if self._cluster.servers == (ORIGIN,):
            return f"embedded:{path}"
        scheme, _, authority = self._settings.url[0].partition("://")
        return f"{'swebhdfs' if scheme == 'https' else 'webhdfs'}://{authority.rstrip('/')}{path}"

    @property
    def description(self) -> str:
        """What is behind and where."""
        urls = ", ".join(self._settings.url)
        if self._cluster.servers == (ORIGIN,):
            return f"embedded backend ({urls}), a local directory and not a cluster"
        if self._settings.principal:
            return f"WebHDFS at {urls} by Kerberos as {self._settings.principal}"
        service = self._settings.service_user
        return f"WebHDFS at {urls}" + (f" as service user {service}" if service else "")

    def flavor(self, client: WebHdfsClient) -> Flavor:
        """Return what kind of server is behind; it is asked once. Raises UpstreamError."""
        if self._flavor is None:
            try:
                client.run("unknown", "/").close()
                message = ""
            except RemoteFault as refusal:
                fault = translated(refusal, "/")
                if not refusal.name or isinstance(fault, UpstreamUnavailable | AccessDenied):
                    raise fault from refusal
                message = refusal.message
            except exceptions.RequestException as error:
                raise translated(error, "/") from error
            self._flavor = by_refusal(message)
        return self._flavor

    def _file_system(self, hadoop_user: str) -> WebHdfsFileSystem:
        client = WebHdfsClient(self._cluster, hadoop_user)
        common = client, hadoop_user, lambda: self.flavor(client), self._settings.home_cache
        if self.lanes is None:
            return WebHdfsFileSystem(*common)
        return NativeFileSystem(*common, self.lanes)


def quoted(path: str) -> str:
    """Return `path` percent-encoded as `hdfs` does it, and legal in a URL."""
    return quote(path, "/=")


def _parameters(params: dict[str, Any]) -> Iterable[str]:
    for name, value in params.items():
        if value is None:
            continue
        for one in value if isinstance(value, list | tuple) else (value,):
            yield f"&{name}={quote(str(one), '/')}"
