"""Where this gateway listens, for those who ask it for its URL and set none."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what is recognised, not what is listened on


def listening_url(*, tls: bool, but_not: Collection[int] = ()) -> str:
    """Return the URL of the first port that this process listens on, none of `but_not`.

    Listening everywhere, it is reached by the host's name; on no port (a Unix socket), too.
    """
    scheme = "https" if tls else "http"
    found = [(host, port) for host, port in _listening() if port not in but_not]
    if not found:
        return f"{scheme}://{socket.gethostname()}"
    host, port = found[0]
    if host in _ANYWHERE:
        host = socket.gethostname()
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _listening() -> list[tuple[str, int]]:
    """Return host and port of the sockets that this process listens on, the oldest first."""
    found = []
    for descriptor in sorted(map(int, _descriptors())):
        try:
            copy = os.dup(descriptor)
            with socket.socket(fileno=copy) as each:
                if (each.family in (socket.AF_INET, socket.AF_INET6)
                        and each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)):
                    found.append(each.getsockname()[:2])
        except OSError:
            continue  # It is no socket, or gone by now.
    return found


def _descriptors() -> list[str]:
    folder = Path("/proc/self/fd")
    return [each.name for each in folder.iterdir()] if folder.exists() else []
