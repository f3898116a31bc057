"""What can be set: each setting's type, default, allowed values and help text, by sections."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.sections.backend import BackendSettings
from app.sections.declaring import setting
from app.sections.dialects import FilesSettings, S3Settings, StreamsSettings, WebHdfsSettings
from app.sections.door import AuthSettings, WebSettings
from app.sections.identities import CertificateSettings, JwtSettings, LdapSettings
from app.sections.limits import LimitSettings
from app.sections.log import LogSettings
from app.sections.work import (
    CacheSettings,
    DownloadSettings,
    JobSettings,
    NodeSettings,
    SortSettings,
    UploadSettings,
)
from app.setting_types import Text

__all__ = [
    "AuthSettings",
    "BackendSettings",
    "CacheSettings",
    "CertificateSettings",
    "DownloadSettings",
    "FilesSettings",
    "JobSettings",
    "JwtSettings",
    "LdapSettings",
    "LimitSettings",
    "LogSettings",
    "NodeSettings",
    "S3Settings",
    "Settings",
    "SortSettings",
    "StreamsSettings",
    "UploadSettings",
    "WebHdfsSettings",
    "WebSettings",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    data_dir: Path = setting(Path("data"), Text(Path), (
        "Directory of the gateway's own state: the state store, the metrics of the workers and,"
        " where used, the embedded backend. Made with mode 0700 where missing."))
    state_url: str = setting("sqlite:", Text(), (
        "The state store: `sqlite:` is `state.db` in `data_dir`, `sqlite:///some/file` another"
        " file; it is shared by the workers of one host. Gateways on several hosts share"
        " `redis://user:password@host:6379/0` (`rediss://` with TLS; options `?prefix=httpfs-proxy`"
        " and `ssl_ca_certs=/file`) or `postgresql://user:password@host:5432/database` (options"
        " `?sslmode=verify-full`, `require` or `disable`, and `sslrootcert=/file`). A URL with a"
        " password is better set as GATEWAY_STATE_URL."))
    backend: BackendSettings = field(default_factory=BackendSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    ldap: LdapSettings = field(default_factory=LdapSettings)
    jwt: JwtSettings = field(default_factory=JwtSettings)
    certificate: CertificateSettings = field(default_factory=CertificateSettings)
    web: WebSettings = field(default_factory=WebSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    files: FilesSettings = field(default_factory=FilesSettings)
    s3: S3Settings = field(default_factory=S3Settings)
    streams: StreamsSettings = field(default_factory=StreamsSettings)
    webhdfs: WebHdfsSettings = field(default_factory=WebHdfsSettings)
    upload: UploadSettings = field(default_factory=UploadSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    node: NodeSettings = field(default_factory=NodeSettings)
    download: DownloadSettings = field(default_factory=DownloadSettings)
    sort: SortSettings = field(default_factory=SortSettings)
    log: LogSettings = field(default_factory=LogSettings)
    source: Path | None = None
