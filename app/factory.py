"""Wires settings, state, users, backend and blueprints into one application; nothing else does."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import Flask

from app import __version__, admin, aistore, files, s3, streams, webhdfs
from app import settings as settings_module
from app.aistore import batch_jobs, download_jobs, rebalance, sort_jobs
from app.auth.keys import KeyDirectory
from app.auth.making import make_authenticator
from app.auth.networks import NetworkUsers
from app.auth.s3 import S3Authenticator
from app.cache.backend import CachedBackend
from app.cache.read_cache import ReadCache
from app.core.path_rules import PathRules
from app.embedded import create_server
from app.fs.clusters import addresses, other_clusters
from app.fs.configured import configured_mounts
from app.fs.etags import EtagCache
from app.fs.first_look import look_in_background
from app.fs.lifetime_sweep import LifetimeSweep
from app.fs.lifetimes import Lifetimes
from app.fs.mount_health import log_configured
from app.fs.mounted import MountedBackend
from app.fs.mounts import OWN, Mounts
from app.fs.staging import Staging
from app.fs.stream_claims import Claims
from app.fs.stream_sweep import StreamSweep
from app.fs.upload_sweep import UploadSweep
from app.fs.webhdfs import WebHdfsBackend
from app.jobs import EXTENSION
from app.jobs.jobs import Jobs
from app.nodes import EXTENSION as NODES
from app.nodes import process
from app.nodes.address import listening_url
from app.nodes.figures import GatewayFigures
from app.nodes.nodes import Nodes
from app.nodes.orders import Orders
from app.nodes.runtime import HEARTBEAT_ALLOWED, Changeable, RuntimeSettings, parse_heartbeat
from app.sections.log import LOG_LEVEL
from app.state import open_store
from app.state.ledger import Ledger
from app.state.node_id import node_id
from app.web import dialects, metrics, openapi
from app.web.audit import EXTENSION as AUDIT
from app.web.audit import AuditLog
from app.web.below import register_below
from app.web.direct import Direct
from app.web.envelope import ENVELOPE
from app.web.gate import Gate
from app.web.lane_metrics import LaneFigures
from app.web.limits import Limits
from app.web.roots import Roots
from app.web.services import Services

if TYPE_CHECKING:
    from app.auth.directory import Directory
    from app.fs.port import Backend
    from app.settings import Settings
    from app.state.store import Store
    from app.web.operations import Endpoint

_log = logging.getLogger(__name__)
APIS = (files.api, admin.api)
DIALECTS = ((s3.PREFIX, s3.DIALECT), (streams.PREFIX, streams.DIALECT),
            (aistore.PREFIX, aistore.DIALECT), (webhdfs.PREFIX, webhdfs.DIALECT),
            ("/", ENVELOPE))


def build(settings: Settings | None = None) -> Flask:
    """Return the application. Raises ConfigError where settings or users cannot be used."""
    settings = settings or settings_module.read()
    _configure_logging(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    metrics.prepare(settings.data_dir / "metrics")
    services = _services(settings)
    app = Flask("app", static_folder=None)
    app.url_map.merge_slashes = False
    endpoints: dict[tuple[str, str], Endpoint] = {}
    for api in APIS:
        own = api.endpoints(services)
        app.register_blueprint(api.blueprint(own))
        endpoints |= own
    handle = dialects.handler(DIALECTS, services.authenticator.challenges)
    dialects.install(app, handle)
    objects = s3.S3(services, handle)
    register_below(app, "s3", s3.PREFIX, objects)
    alluxio = streams.Streams(services, handle)
    register_below(app, "streams", streams.PREFIX, alluxio)
    ais = aistore.AIStore(services, handle)
    register_below(app, "aistore", aistore.PREFIX, ais)
    hdfs = webhdfs.WebHdfs(services, handle)
    register_below(app, "webhdfs", webhdfs.PREFIX, hdfs)
    below: dict[str, Endpoint] = {
        s3.PREFIX: objects, streams.PREFIX: alluxio, aistore.PREFIX: ais, webhdfs.PREFIX: hdfs}
    roots = Roots(s3.PREFIX, settings.s3.hosts, settings.s3.ports)
    direct = Direct(app.wsgi_app, endpoints, handle, below, roots)
    figures = metrics.Metrics()
    count_lanes(services.mounts)
    limits = Limits(settings.limits, Ledger(settings.data_dir / "limits"), figures.refuse)
    audit = app.extensions[AUDIT] = AuditLog(settings.log.audit)
    gate = Gate(direct, settings, audit, figures,
                limits=limits, handle=handle)
    app.wsgi_app = gate  # type: ignore[method-assign]
    services.nodes.on_tick(services.runtime.beat)
    services.nodes.on_tick(services.orders.beat)
    services.nodes.start()
    app.extensions[NODES] = services.nodes
    services.staging.workers.start_when_possible()
    app.extensions[EXTENSION] = services.jobs
    batch_jobs.register(services.jobs, services)
    rebalance.register(services.jobs, services)
    download_jobs.register(services.jobs, services)
    sort_jobs.register(services.jobs, services)
    services.jobs.start_background()
    _log.info("serving %s", services.backend.description)
    if settings.backend.principal:
        look_in_background(services.backend, settings.web.ready_timeout)
    return app


def try_out(settings: Settings | None = None) -> None:
    """Make all that `build` makes of the configuration, and start nothing of it.

    Nothing is closed either: the process that asks has nothing else to do. Raises what `build`
    would: ConfigError, OSError, StorageFault.
    """
    settings = settings or settings_module.read()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    _services(settings)
    Ledger(settings.data_dir / "limits")
    AuditLog(settings.log.audit)


def _services(settings: Settings) -> Services:
    store = open_store(settings.state_url, settings.data_dir)
    mounts = make_mounts(settings, store)
    node = node_id(settings.data_dir)
    cache = make_cache(settings, store, mounts, node)
    mounted = MountedBackend(mounts)
    backend: Backend = cast("Backend", CachedBackend(mounted, cache)) if cache else mounted
    authenticator = make_authenticator(settings, store)
    users = authenticator.directory
    networks = NetworkUsers(settings.auth.networks, users)
    networks.warn()
    keys = KeyDirectory(settings.s3.keys_file, settings.s3.master_key_file)
    nodes = make_nodes(settings, store, node, cache)
    staging = Staging(store, backend, settings.upload, nodes.is_primary)
    uploads = UploadSweep(store, backend, staging.workers.is_alive, settings.s3.upload_max_age)
    staging.also(uploads.sweep)
    if cache:
        staging.each(cache.beat)
    ttls = LifetimeSweep(
        store, backend, staging.workers, rules_of=lambda name: rules_of(users, name))
    staging.every(settings.streams.sweep_seconds, "lifetimes", ttls.beat)
    claims = Claims(store, staging.workers, most=settings.streams.max_open)
    staging.also(claims.free_lost)
    staging.every(settings.streams.sweep_seconds, "streams", StreamSweep(
        backend, staging, claims, idle=settings.streams.idle_seconds).beat)
    return Services(
        settings, store, backend, mounts, users, authenticator, networks,
        S3Authenticator(settings.s3, keys, users, authenticator),
        staging, EtagCache(settings.s3.etag_cache), Lifetimes(store, staging.workers), claims,
        openapi.describe(APIS, __version__, aistore.described()), node, cache,
        Jobs(store, staging.workers, users, settings.jobs, node, may_run=nodes.is_primary),
        nodes, runtime_settings(store, nodes), Orders(store, node, process.started()))


def rules_of(users: Directory, name: str) -> PathRules:
    """Return the path rules that a user has by now, none for who is no user any more."""
    user = users.find(name)
    return user.principal.rules if user else PathRules()


def make_nodes(settings: Settings, store: Store, node: str, cache: ReadCache | None) -> Nodes:
    """Return the gateways that share the store, this one among them."""
    tls = bool(os.environ.get("GATEWAY_TLS_CERT"))
    url = settings.node.url or settings.web.public_url or listening_url(
        tls=tls, but_not=settings.s3.ports)
    return Nodes(settings.node, store, node, url=url.rstrip("/"), started=process.started(),
                 version=__version__, figures=GatewayFigures(cache))


def runtime_settings(store: Store, nodes: Nodes) -> RuntimeSettings:
    """Return the settings that admins change while the gateway runs."""
    return RuntimeSettings(store, nodes.own_id, (
        Changeable(("stats_time", "periodic.stats_time"), HEARTBEAT_ALLOWED, parse_heartbeat,
                   nodes.beat_every),
        Changeable(("log.level",), LOG_LEVEL.allowed, LOG_LEVEL.parse,
                   logging.getLogger("app").setLevel),
    ))


def make_mounts(settings: Settings, store: Store) -> Mounts:
    """Return the mounts over the backend that the settings name and the other clusters."""
    mounts = Mounts(store, make_backend(settings), other_clusters(settings.backend),
                    addresses(settings.backend), configured=configured_mounts(settings.backend))
    log_configured(mounts)
    return mounts


def count_lanes(mounts: Mounts) -> None:
    """Have the figures tell of the lanes beside WebHDFS, of all clusters."""
    figures = LaneFigures()
    for name in (OWN, *mounts.names):
        backend = mounts.cluster(name)
        if isinstance(backend, WebHdfsBackend) and backend.lanes is not None:
            backend.lanes.watched_by(figures)


def make_cache(
    settings: Settings, store: Store, mounts: Mounts, node: str,
) -> ReadCache | None:
    """Return the read cache, None where no directory is set for it."""
    if not settings.cache.mountpaths:
        return None
    own = "\n".join(sorted(settings.backend.url))

    def origin_of(number: int) -> str:
        # A mount's number may be another's later; the cluster of the same settings is not.
        mount = mounts.table().numbered(number) if number else None
        return f"{mount.cluster}\n{mount.source}\n{mount.since}" if mount else own

    return ReadCache(settings.cache, store, node, origin_of)


def make_backend(settings: Settings) -> Backend:
    """Return the backend that the settings name."""
    url = settings.backend.url[0]
    if not url.startswith("embedded:"):
        return WebHdfsBackend(settings.backend)
    directory = Path(url.removeprefix("embedded://")) if url != "embedded:" else (
        settings.data_dir / "hdfs")
    _log.warning("the backend is the local directory %s: it behaves like HDFS, but it is not a"
                 " cluster; set backend.url for one", directory)
    server = create_server(
        directory, superuser=settings.backend.embedded_superuser,
        trash_minutes=settings.backend.embedded_trash_minutes)
    return WebHdfsBackend(settings.backend, wsgi=server)


def _configure_logging(settings: Settings) -> None:
    if not logging.getLogger().handlers:
        logging.basicConfig(format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    logging.getLogger("app").setLevel(settings.log.level)
