"""The gateway's settings: declared once, with help texts, read once, frozen.

A setting's declaration (in `app.sections`) is its type, default, allowed values and help
text; the loader, the example file, the documentation's tables and the error messages are made from
it. Values come from the YAML file named by GATEWAY_CONFIG (else `config/gateway.yaml` where it
exists), each can be overridden by an environment variable: `backend.read_timeout` by
GATEWAY_BACKEND_READ_TIMEOUT.
"""

from __future__ import annotations

import os
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.sections import (
    AuthSettings,
    BackendSettings,
    CacheSettings,
    CertificateSettings,
    DownloadSettings,
    FilesSettings,
    JobSettings,
    JwtSettings,
    LdapSettings,
    LimitSettings,
    LogSettings,
    NodeSettings,
    S3Settings,
    Settings,
    SortSettings,
    StreamsSettings,
    UploadSettings,
    WebHdfsSettings,
    WebSettings,
)
from app.strict_yaml import ConfigError, Document, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.setting_types import Kind

__all__ = [
    "CONFIG_VARIABLE",
    "DEFAULT_FILE",
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
    "read",
    "sections",
]

CONFIG_VARIABLE = "GATEWAY_CONFIG"
DEFAULT_FILE = Path("config/gateway.yaml")


def read(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the validated settings. Raises ConfigError for the first value that is wrong.

    `file` defaults to the one that GATEWAY_CONFIG names (which must exist), then to
    `config/gateway.yaml` (which need not).
    """
    environment = os.environ if environment is None else environment
    named = file or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE)
                     else None)
    source = named or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    document = load(source) if source else Document(Path("defaults"), {})
    _refuse_unknown_variables(environment)
    settings = Settings(**_section(Settings, document, (), environment), source=source)
    if settings.files.replication_min > settings.files.replication_max:
        raise document.error("'files.replication_min' is larger than 'files.replication_max'",
                             "files", "replication_min")
    return settings


def sections() -> dict[str, type]:
    """Return the dotted prefix of each section ("" is the top) and its dataclass."""
    found: dict[str, type] = {"": Settings}
    for each in fields(Settings):
        factory: Any = each.default_factory
        if factory is not MISSING:
            found[each.name] = factory
    return found


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raise ConfigError for a variable that names a section and no setting in it: a typo."""
    known = {f"GATEWAY_{prefix}_{declared.name}".upper()
             for prefix, cls in sections().items() if prefix for declared in fields(cls)}
    prefixes = tuple(f"GATEWAY_{prefix}_".upper() for prefix in sections() if prefix)
    for variable in environment:
        if variable.startswith(prefixes) and variable not in known:
            raise ConfigError(f"environment variable {variable}", 0, "there is no such setting")


def _section(
    cls: type, document: Document, keys: tuple[str, ...], environment: Mapping[str, str],
) -> dict[str, Any]:
    data: Any = document.data
    for key in keys:
        data = data.get(key) if data else {}
    data = {} if data is None else data
    where = ".".join(keys) or "the file"
    if not isinstance(data, dict):
        raise document.error(f"'{where}' must be a map of settings", *keys)
    nested = {name: section for name, section in sections().items() if name and not keys}
    known = [f.name for f in fields(cls) if f.metadata or f.name in nested]
    for key in data:
        if key not in known:
            raise document.error(f"unknown setting '{key}' in {where}; known are: "
                                 + ", ".join(known), *keys, key)
    values: dict[str, Any] = {}
    for declared in fields(cls):
        name = declared.name
        if name in nested:
            values[name] = nested[name](
                **_section(nested[name], document, (*keys, name), environment))
        elif declared.metadata:
            values[name] = _value(declared, document, data, (*keys, name), environment)
    return values


def _value(
    declared: Any, document: Document, data: dict[str, Any], keys: tuple[str, ...],
    environment: Mapping[str, str],
) -> Any:
    kind: Kind = declared.metadata["kind"]
    variable = "GATEWAY_" + "_".join(keys).upper()
    given: Any = environment.get(variable)
    try:
        if given is not None:
            return kind.parse(given)
        if declared.name in data:
            return kind.parse(data[declared.name])
        return kind.parse(declared.default)
    except ValueError as error:
        dotted = ".".join(keys)
        if given is not None:
            raise ConfigError(f"environment variable {variable}", 0, str(error)) from error
        raise document.error(f"'{dotted}': {error}", *keys) from error
