"""Links to download from, read strictly: what two programs could read in two ways is refused.

The address guard must see the host that the connection will go to. So there is one reading here
(RFC 3986 without userinfo, zone ids, percent-encoded hosts or backslashes), the connection is made
from its parts, and the link itself is never parsed again.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin

from app.core.download_errors import InvalidLink

MAX_LINK = 4096
"""The longest link in characters."""
DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_MAX_HOST = 253
_LINK = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)"
                   r"(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
                        r"\ufeff\ufff9-\uffff\ud800-\udfff]")
"""Controls, all kinds of space, backslashes, invisible marks, halves of characters."""
_AMBIGUOUS = re.compile("[ßς]", re.IGNORECASE)
"""IDNA of 2003 and of 2008 make different hosts of these (UTS 46, 7.2)."""
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?"


class Link(NamedTuple):
    """Where to download from.

    `host` is in ASCII and lower case without a final dot, or an address as `ipaddress` writes it
    (without brackets); `target` is what a request line asks for: path and query, encoded.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address that the host is, None where it is a name."""
        return _address(self.host)

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials are for."""
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        """Return the link without its query, which may hold a secret."""
        return f"{self.scheme}://{self.authority}{self.target.partition('?')[0]}"

    def joined(self, location: str) -> Link:
        """Return where a redirect of this link leads. Raises InvalidLink."""
        _check_text(location)
        return parse_link(urljoin(f"{self.scheme}://{self.authority}{self.target}", location))


def parse_link(text: str) -> Link:
    """Return the parts of a link; without a scheme it is http, as for AIStore.

    Raises InvalidLink.
    """
    _check_text(text)
    found = _LINK.fullmatch(text if "://" in text.partition("?")[0] else f"http://{text}")
    if not found:
        raise InvalidLink(text, "it is no URL")
    scheme = found["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise InvalidLink(text, "only http and https can be downloaded from")
    if "@" in found["authority"]:
        # The text is not shown: it has a password in it.
        raise InvalidLink(f"{scheme}://…", "it has credentials in it; send them as a header")
    parts = _AUTHORITY.fullmatch(found["authority"])
    if not parts:
        raise InvalidLink(text, "host and port cannot be told apart")
    port = int(parts["port"] or DEFAULT_PORTS[scheme])
    if not 1 <= port <= _MAX_PORT:
        raise InvalidLink(text, "a port is from 1 to 65535")
    target = quote(found["path"] or "/", safe=_PATH_SAFE)
    query = quote(found["query"] or "", safe=_QUERY_SAFE)
    return Link(scheme, _host(parts["host"], text), port, target + query)


def object_name(text: str) -> str:
    """Return what an object is called whose link this is: the last part of its path, decoded.

    Raises InvalidLink where there is none.
    """
    path = parse_link(text).target.partition("?")[0]
    try:
        name = unquote(path, errors="strict").rpartition("/")[2]
    except UnicodeDecodeError:
        raise InvalidLink(text, "its last part is not UTF-8; name the object") from None
    if name in ("", ".", ".."):
        raise InvalidLink(text, "its path ends without a name for the object; name it")
    return name


def ascii_name(host: str) -> str | None:
    """Return a name of a host in ASCII and lower case without a final dot, None if it is none."""
    if _AMBIGUOUS.search(host):
        return None
    try:
        name = host.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        return None
    labels = name.split(".")
    plain = len(name) <= _MAX_HOST and all(map(_LABEL.fullmatch, labels))
    return name if plain and not _NUMBER.fullmatch(labels[-1]) else None


def _host(host: str, text: str) -> str:
    """Return a host as it is connected to. Raises InvalidLink."""
    if host.startswith("["):
        address = _address(host[1:-1])
        if not isinstance(address, IPv6Address) or address.scope_id is not None:
            raise InvalidLink(text, "what stands in brackets is an IPv6 address without a zone")
        return str(address)
    if isinstance(_address(host), IPv4Address):
        return host
    name = ascii_name(host)
    if name is None:
        raise InvalidLink(text, "its host is neither a name nor an address in its usual form"
                                " (four decimal numbers, or IPv6 in brackets)")
    return name


def _address(host: str) -> IPv4Address | IPv6Address | None:
    for kind in (IPv4Address, IPv6Address):
        try:
            return kind(host)
        except ValueError:
            continue
    return None


def _check_text(text: str) -> None:
    if len(text) > MAX_LINK:
        raise InvalidLink(text, f"it has more than {MAX_LINK} characters")
    if _FORBIDDEN.search(text):
        raise InvalidLink(text, "it has a space, a backslash or a character that nobody sees")
