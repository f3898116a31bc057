"""How long a file or directory is to live, as one xattr of it says.

HDFS knows no ttl, so the record moves with the file as an xattr. HDFS's users may write xattrs
themselves: what is no record of this shape is as good as none.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = "user.httpfs-proxy.lifetime"
NO_TTL = -1
MAX_TIME = 2**63 - 1
"""The largest number of milliseconds that Alluxio's clients can say (a Java long)."""
_MAX_RECORD = 1024


class TtlAction(StrEnum):
    """What happens when the ttl is over."""

    DELETE = "DELETE"
    FREE = "FREE"


class Lifetime(NamedTuple):
    """What is kept with a file or directory beside HDFS's own attributes.

    `ttl` is in milliseconds from `since` (epoch milliseconds); any negative number is none. The
    default is what Alluxio 2.9.4 tells where nothing was set.
    """

    ttl: int = NO_TTL
    action: TtlAction = TtlAction.FREE
    since: int = 0
    pinned: bool = False

    @property
    def due(self) -> int | None:
        """When the ttl is over, in epoch milliseconds; None without a ttl."""
        return None if self.ttl < 0 else self.since + self.ttl


def lifetime_of(xattrs: Mapping[str, bytes]) -> Lifetime:
    """Return what the xattrs of a file say; nonsense says nothing."""
    return decode(xattrs.get(RECORD))[0]


def encode(lifetime: Lifetime, key: str = "") -> bytes:
    """Return the value of the xattr; `key` tells this record from any other of the same content."""
    return json.dumps({**lifetime._asdict(), "key": key}, separators=(",", ":")).encode()


def decode(raw: bytes | None) -> tuple[Lifetime, str]:
    """Return what the value of the xattr says, and its key; nonsense is `(Lifetime(), "")`."""
    if not raw or len(raw) > _MAX_RECORD:
        return Lifetime(), ""
    try:
        return _parsed(json.loads(raw))
    except (KeyError, TypeError, ValueError, RecursionError):
        return Lifetime(), ""


def _parsed(data: dict[str, Any]) -> tuple[Lifetime, str]:
    ttl, since, pinned, key = (data[name] for name in ("ttl", "since", "pinned", "key"))
    if [type(value) for value in (ttl, since, pinned, key)] != [int, int, bool, str]:
        raise TypeError(data)
    if not (NO_TTL <= ttl <= MAX_TIME and 0 <= since <= MAX_TIME):
        raise ValueError(data)
    return Lifetime(ttl, TtlAction(data["action"]), since, pinned), key
