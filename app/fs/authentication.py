"""How the gateway says who asks, as the settings of a cluster want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fs.auth import SimpleAuth
from app.fs.kerberos import KerberosAuth
from app.fs.kerberos_login import Login
from app.fs.negotiation import Negotiation
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from app.fs.failover import UpstreamAuth
    from app.fs.transport import UpstreamSession
    from app.settings import BackendSettings


def upstream_auth(settings: BackendSettings, session: UpstreamSession) -> UpstreamAuth:
    """Return what names the user in calls; with Kerberos it begins to negotiate at once.

    Raises ConfigError where only half of what Kerberos needs is set, or GSSAPI is missing.
    """
    if not settings.principal and not settings.keytab:
        return SimpleAuth(settings.service_user)
    auth = KerberosAuth(
        Negotiation(login(settings), session, settings.read_timeout),
        principal=settings.principal, own_user=own_user(settings),
        connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout)
    for server in settings.url:
        auth.prepare(server)
    return auth


def login(settings: BackendSettings) -> Login:
    """Return the gateway's principal. Raises ConfigError."""
    for name, given, other in (("principal", settings.principal, "keytab"),
                               ("keytab", settings.keytab, "principal")):
        if not given:
            raise ConfigError(f"backend.{name}", 0, f"is needed where backend.{other} is set")
    return Login(settings.principal, settings.keytab, settings.service_principal)


def own_user(settings: BackendSettings) -> str:
    """Return what Hadoop calls the gateway's principal, unless it is told otherwise."""
    return settings.service_user or settings.principal.partition("@")[0].partition("/")[0]
