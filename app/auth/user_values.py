"""The values in the users file; each function raises ValueError with a reason."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from app.auth.passwords import fault_in_hash
from app.core.errors import InvalidPath, printable
from app.core.paths import absolute

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from app.core.paths import HdfsPath

MAX_NAME_BYTES = 255


def check_user_name(given: Any) -> str:
    """Take what a client can send as the user-id of RFC 7617."""
    name = _text(given)
    if not name or ":" in name or any(not c.isprintable() for c in name):
        raise ValueError("a user name is not empty and has no ':' or control characters")
    if name != unicodedata.normalize("NFC", name):
        raise ValueError("a user name is written in Unicode Normalization Form C")
    return _short(name, "a user name")


def check_hadoop_user(given: Any) -> str:
    """Take a name that HDFS may know; which ones it takes is its own configuration."""
    name = _text(given)
    if not re.fullmatch(r"[^\s/:@,]+", name) or not name.isprintable():
        raise ValueError(
            f"'{printable(name)}' is no Hadoop user: a short name without spaces, '/', ':', '@'"
            " or ','")
    return _short(name, "a Hadoop user")


def check_root(given: Any) -> HdfsPath:
    """Take an absolute HDFS path."""
    try:
        return absolute(_text(given))
    except InvalidPath as error:
        raise ValueError(str(error)) from error


def check_role(given: Any) -> str:
    """Take one word."""
    if not isinstance(given, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", given):
        raise ValueError(f"{given!r} is no role: small letters, digits, '_' and '-'")
    return given


def check_roles(given: Any) -> frozenset[str]:
    """Take a list of words."""
    if not isinstance(given, list):
        raise ValueError(f"{given!r} is not a list of roles")  # noqa: TRY004 one kind of error
    return frozenset(map(check_role, given))


def check_networks(given: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    """Take a list of networks and addresses."""
    if not isinstance(given, list) or not given:
        raise ValueError(f"{given!r} is not a list of networks, like [10.0.0.0/8, 192.0.2.7]")
    return tuple(ip_network(_text(network)) for network in given)


def check_hash(given: Any) -> str:
    """Take the hash of a password; whatever else stands there may be one, and is not shown."""
    if not isinstance(given, str):
        raise ValueError("it is not text; put the hash in quotes")  # noqa: TRY004
    fault = fault_in_hash(given)
    if fault:
        raise ValueError(fault)
    return given


def check_flag(given: Any) -> bool:
    """Take true or false."""
    if not isinstance(given, bool):
        raise ValueError(f"{given!r} is neither true nor false")  # noqa: TRY004
    return given


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{given!r} is not text; put it in quotes")  # noqa: TRY004
    return given


def _short(name: str, what: str) -> str:
    if len(name.encode(errors="surrogatepass")) > MAX_NAME_BYTES:
        raise ValueError(f"{what} has at most {MAX_NAME_BYTES} bytes")
    return name
