"""What views stand on, put together once by the factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from app.auth.tokens import Tokens
from app.fs.mounting import Mounting
from app.fs.objects import ObjectStore
from app.fs.ruled_file_system import file_system_of
from app.fs.stream_handles import FileStreams
from app.fs.translator import UserFileSystem

if TYPE_CHECKING:
    from app.auth.authenticator import Authenticator
    from app.auth.directory import Directory
    from app.auth.networks import NetworkUsers
    from app.auth.s3 import S3Authenticator
    from app.cache.read_cache import ReadCache
    from app.core.identity import Principal
    from app.fs.etags import EtagCache
    from app.fs.lifetimes import Lifetimes
    from app.fs.mounts import Mounts
    from app.fs.port import Backend, FileSystem
    from app.fs.staging import Staging
    from app.fs.stream_claims import Claims
    from app.jobs.jobs import Jobs
    from app.nodes.nodes import Nodes
    from app.nodes.orders import Orders
    from app.nodes.runtime import RuntimeSettings
    from app.settings import Settings
    from app.state.store import Store


class Services(NamedTuple):
    """The parts of one running gateway."""

    settings: Settings
    store: Store
    backend: Backend
    mounts: Mounts
    users: Directory
    authenticator: Authenticator
    networks: NetworkUsers
    s3: S3Authenticator
    staging: Staging
    etags: EtagCache
    lifetimes: Lifetimes
    claims: Claims
    description: dict[str, Any]
    node_id: str
    cache: ReadCache | None
    jobs: Jobs
    nodes: Nodes
    runtime: RuntimeSettings
    orders: Orders

    @property
    def tokens(self) -> Tokens:
        """The personal access tokens."""
        return Tokens(self.store, self.settings.auth.token_max_days)

    def fs_of(self, principal: Principal) -> FileSystem:
        """Return the port as `principal` may use it: no other way leads past their path rules."""
        return file_system_of(principal, self.backend.as_user(principal.hadoop_user))

    def files_of(self, principal: Principal) -> UserFileSystem:
        """Return the file system as `principal` may use it."""
        return UserFileSystem(
            principal, self.fs_of(principal), self.staging)

    def objects_of(self, principal: Principal) -> ObjectStore:
        """Return the buckets and objects as `principal` may use them."""
        return ObjectStore(
            principal, self.fs_of(principal), self.staging, self.etags,
            file_permission=self.settings.files.file_permission,
            bucket_permission=self.settings.s3.bucket_permission)

    def mounting_of(self, principal: Principal) -> Mounting:
        """Return mounting as `principal` may do it."""
        return Mounting(principal, self.mounts, self.backend)

    def streams_of(self, principal: Principal) -> FileStreams:
        """Return the streams of `principal`."""
        return FileStreams(
            principal, self.fs_of(principal), self.staging, self.claims,
            self.lifetimes, idle=self.settings.streams.idle_seconds)
