"""Who asks, as a cluster without Kerberos wants to hear it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.core.errors import InvalidParameter
from app.hadoop.ipc import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

USER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*[$]?")
"""What the NameNode takes. HttpFS takes more and cuts it: `alice@example.com` becomes alice."""
SUPERUSER = "hdfs"


def require_user_name(name: str) -> None:
    """Raise InvalidParameter for what is no name of a Hadoop user."""
    if not USER_NAME.fullmatch(name):
        raise InvalidParameter("Hadoop user", name, USER_NAME.pattern)


class SimpleAuth:
    """`user.name=` as the user, or as `service_user` on behalf of them (`doas=`)."""

    def __init__(self, service_user: str = "") -> None:
        self._service_user = service_user
        self.own_user = service_user or SUPERUSER

    def query(self, hadoop_user: str) -> str:
        """Return the query parameters. Raises InvalidParameter for what is no user name."""
        who = self.identity(hadoop_user)
        if not who.real_user:
            return f"user.name={quote(hadoop_user, safe='')}"
        return f"user.name={quote(who.real_user, safe='')}&doas={quote(hadoop_user, safe='')}"

    def identity(self, hadoop_user: str) -> Identity:
        """Return the same for Hadoop's RPC. Raises InvalidParameter for what is no user name."""
        for name in (hadoop_user, self._service_user or hadoop_user):
            require_user_name(name)
        service = self._service_user
        return Identity(hadoop_user, "" if service == hadoop_user else service)

    def headers(self, _server: str, _seconds: float | None = None) -> None:
        """Return none: the query says it all."""
        return

    def refused(self, _server: str, _sent: Mapping[str, str] | None) -> bool:
        """Tell that asking again would be no better."""
        return False

    def unproven(self, _server: str) -> str:
        """Return nothing: no server forgets who asks."""
        return ""

    def accepted(self, _server: str, _sent: Mapping[str, str] | None) -> None:
        """Note nothing."""
