"""What keeps the gateway from acting for its users, and the lines of Hadoop's that let it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.fs.faults import RemoteFault

if TYPE_CHECKING:
    from app.core.errors import GatewayError

_NOT_ALLOWED = re.compile(r"User: ?\[?([^\s\]]+?)\]? is not allowed to impersonate")
_FROM_WHERE = re.compile(r"Unauthorized connection for super-user: ?(\S+?)\s+from IP:? ?/?(\S+)")
_PROPERTY = "  <property><name>{name}</name><value>{value}</value></property>"


def refused(error: GatewayError) -> tuple[str, str] | None:
    """Return who may not act for others, and from which address ("": from anywhere)."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RemoteFault):
            if found := _FROM_WHERE.search(cause.message):
                return found[1], found[2]
            if found := _NOT_ALLOWED.search(cause.message):
                return found[1], ""
        cause = cause.__cause__
    return None


def lines_for(who: str, address: str, *, httpfs: bool) -> str:
    """Return what to add to which file, so that `who` at `address` may act for others.

    `httpfs` says that HttpFS itself refused.
    """
    file, prefix = ("httpfs-site.xml of HttpFS", "httpfs") if httpfs else (
        "core-site.xml of the NameNodes", "hadoop")
    then = ("then restart HttpFS" if httpfs
            else "then: hdfs dfsadmin -refreshSuperUserGroupsConfiguration")
    return "\n".join([
        f"add to {file} (and narrow `*` to the groups that your users are in):",
        _PROPERTY.format(name=f"{prefix}.proxyuser.{who}.hosts", value=address or "*"),
        _PROPERTY.format(name=f"{prefix}.proxyuser.{who}.groups", value="*"),
        then,
    ])
