"""Where a redirect to a DataNode leads, and what of it is believed."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from app.fs.http_faults import BadAnswer
from app.fs.inprocess import ORIGIN

PREFIX = "/webhdfs/v1/"
SCHEMES = {"http": ("http", "https"), "https": ("https",)}
"""The schemes that a server of each scheme may lead to: never from TLS to none."""
REQUEST_LINE_LIMIT = 4096
"""Octets of a request line that a DataNode takes (netty's HttpRequestDecoder)."""
TEMPORARY_REDIRECT = 307
_QUERY = re.compile(r"[!-~]+")
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")


def data_url(server: str, location: str, quoted_path: str) -> str:
    """Return the URL that `location` means, with our own path in it. Raises BadAnswer.

    HDFS composes Unicode (NFC) in the path of its Location: there a decomposed name would be
    read and written under another name.
    """
    parts = urlsplit(location)
    if not (parts.path.startswith(PREFIX) and _QUERY.fullmatch(parts.query)):
        raise BadAnswer("HDFS redirects to what is no WebHDFS URL")
    if server == ORIGIN:
        return f"{ORIGIN}{quoted_path}?{parts.query}"
    if parts.scheme not in SCHEMES[server.partition(":")[0]] or not _is_authority(parts.netloc):
        raise BadAnswer("HDFS redirects to a server that is not to be trusted")
    return f"{parts.scheme}://{parts.netloc}{quoted_path}?{parts.query}"


def names_of(url: str) -> list[str]:
    """Return the host that a URL names, and its addresses, for HDFS's `excludedatanodes`.

    The NameNode finds a DataNode by its address alone, and redirects to its name.
    """
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return [host]
    return list(dict.fromkeys([host, *(str(one[4][0]) for one in found)]))


def is_too_long(method: str, url: str) -> bool:
    """Tell whether a DataNode would refuse the request line for this URL."""
    target = len(url) - url.find("/", url.find("//") + 2)
    return len(method) + target + len("  HTTP/1.1\r\n") > REQUEST_LINE_LIMIT


def _is_authority(text: str) -> bool:
    host, _, port = text.rpartition(":") if re.search(r":\d{1,5}$", text) else (text, "", "1")
    return bool(_HOST.fullmatch(host)) and 0 < int(port) < 65536  # noqa: PLR2004 - the last port
