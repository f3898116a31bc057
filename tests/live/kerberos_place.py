"""Gateways before a cluster with Kerberos, and what is looked at of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.gateway import Gateway, default_users
from tests.hadoop.kerberos import GATEWAY, SUPERUSER, KerberosCluster

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app.sections import BackendSettings
    from tests.hadoop.kerberos_ha import KerberosHa

KNOWN = "knows the gateway as"
"""What the log says of each negotiation that succeeded."""
SECRETS = ("hadoop.auth=", "Negotiate ", "delegation=", "&s=", "x-hadoop-delegation")


def options(
    cluster: KerberosCluster | KerberosHa, url: str | Sequence[str], directory: Path,
    **backend: Any,
) -> dict[str, Any]:
    """Return the options of a Gateway over the cluster's server or servers at `url`.

    KRB5CCNAME names a cache that is not there: it must not be when the test is over.
    """
    settings = {"principal": GATEWAY, "keytab": str(cluster.keytab), "probe_user": "alice"}
    users = default_users(SUPERUSER)
    users["stranger"] = {"hadoop_user": "carol"}
    return {
        "backend": url, "superuser": SUPERUSER, "users": users,
        "settings": {"backend": settings | backend},
        "environment": {"KRB5_CONFIG": str(cluster.kdc.config),
                        "KRB5CCNAME": f"FILE:{directory / 'login-cache'}"},
    }


def gateway_over(
    cluster: KerberosCluster, url: str, directory: Path, *, workers: int = 2, **backend: Any,
) -> Gateway:
    """Return a gateway, not started."""
    return Gateway(directory, workers=workers, **options(cluster, url, directory, **backend))


def negotiations(gateway: Gateway) -> int:
    """Return how often a server has come to know a worker."""
    return gateway.logged().count(KNOWN)


def assert_nothing_secret(gateway: Gateway) -> None:
    """Look through all that the gateway has written, and for a ticket cache beside its own."""
    written = gateway.logged() + gateway.audit_file.read_text()
    assert [secret for secret in SECRETS if secret in written] == []
    assert not (gateway.directory / "login-cache").exists()


def ready(gateway: Gateway) -> tuple[int, str]:
    """Return status and text of /readyz."""
    answer = gateway.request("GET", "/readyz", user=None)
    return answer.status_code, answer.text


def settings(url: str, **more: Any) -> BackendSettings:
    """Return the settings of a backend in this process, with short patience."""
    from app.sections import BackendSettings  # noqa: PLC0415 - only those who need no gunicorn

    defaults = {"url": (url,), "service_principal": "HTTP/_HOST", "principal": GATEWAY,
                "retry_deadline": 0.5, "connect_timeout": 2.0}
    return BackendSettings(**(defaults | more))
