"""A NameNode, a DataNode and an HttpFS that nobody talks to without a ticket.

Principals are of the host `localhost`; servers are called by that name, as Kerberos wants it.
Everything lives below one directory, as in `cluster`.
"""

from pathlib import Path
from typing import Self

import requests

from tests.hadoop import configuration
from tests.hadoop.daemon import Daemon, free_port
from tests.hadoop.kdc import REALM, Kdc
from tests.hadoop.launch import (
    FAST_START,
    HTTPFS,
    NAMENODE,
    START_SECONDS,
    Launcher,
)

SUPERUSER = "hdfs"
GATEWAY = f"gateway/localhost@{REALM}"
HTTP = "HTTP/localhost"
RULES = f"""
RULE:[2:$1/$2@$0](nn/localhost@{REALM})s/.*/{SUPERUSER}/
RULE:[2:$1/$2@$0](dn/localhost@{REALM})s/.*/{SUPERUSER}/
DEFAULT
"""


class KerberosCluster:
    """One HDFS with Kerberos on, and an HttpFS in front of it.

    The gateway's principal may act for alice, bob and the superuser; its keys are in `keytab`.
    `validity` is for how many seconds the NameNode takes its own cookies; HttpFS does for hours.
    """

    def __init__(self, directory: Path, kdc: Kdc, *, validity: int = 5) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.kdc = kdc
        self._validity = validity
        self._rpc_port, self._http_port, self._httpfs_port, self._data_port = (
            free_port() for _ in range(4))
        self.namenode_url = f"http://localhost:{self._http_port}"
        self.httpfs_url = f"http://localhost:{self._httpfs_port}"
        self.secret = self.directory / "signature.secret"
        self.keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
        self._keytab = kdc.keytab(
            "hadoop.keytab", "nn/localhost", "dn/localhost", "httpfs/localhost", HTTP)
        java = f"-Djava.security.krb5.conf={kdc.config}"
        jvm = {role: (*flags, java) for role, flags in FAST_START.items()}
        self._launcher = Launcher(self.directory, SUPERUSER, jvm)
        self._daemons: list[Daemon] = []

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process."""
        for daemon in self._daemons:
            daemon.stop()

    def restart_httpfs(self, secret: str) -> None:
        """Kill HttpFS and start it with another secret: it knows none of its cookies again."""
        httpfs = self._daemons[2]
        httpfs.stop()
        self.secret.write_text(secret)
        httpfs.start()
        self._await_httpfs()

    def _prepare(self) -> None:
        self.secret.write_text("what cookies are signed with")
        configuration.write(
            self.directory / "conf", self._site(), self._httpfs_site(), {})
        self._launcher.make_folders()
        self._daemons = [
            self._launcher.daemon("namenode", "namenode", NAMENODE),
            self._launcher.datanode(0, self._data_port),
            self._launcher.daemon("httpfs", "httpfs", HTTPFS),
        ]

    def _site(self) -> dict[str, str]:
        return {
            **configuration.site(
                self.directory, rpc_port=self._rpc_port, namenode_port=self._http_port,
                impersonators=("httpfs",)),
            **self._by_name(),
            **secured(self._keytab, self.secret),
            "hadoop.http.authentication.token.validity": str(self._validity),
        }

    def _by_name(self) -> dict[str, str]:
        return {
            "fs.defaultFS": f"hdfs://localhost:{self._rpc_port}",
            "dfs.namenode.http-address": f"localhost:{self._http_port}",
        }

    def _httpfs_site(self) -> dict[str, str]:
        return {
            **configuration.httpfs_site(httpfs_port=self._httpfs_port, proxy_users=("gateway",)),
            "httpfs.http.hostname": "localhost",
            **_web("hadoop.http.authentication", self._keytab, self.secret),
            "hadoop.http.authentication.token.validity": "36000",
            "httpfs.hadoop.authentication.type": "kerberos",
            "httpfs.hadoop.authentication.kerberos.principal": f"httpfs/localhost@{REALM}",
            "httpfs.hadoop.authentication.kerberos.keytab": str(self._keytab),
        }

    def _launch(self) -> None:
        namenode, datanode, httpfs = self._daemons
        httpfs.start()
        self._launcher.format(self.directory / "name")
        namenode.start()
        namenode.await_ready(
            "RPC up", lambda: namenode.has_logged("NameNode RPC up at"), seconds=START_SECONDS)
        datanode.start()
        # Its beans want a ticket, too; a file system without blocks has no safe mode.
        datanode.await_ready(
            "blocks reported", lambda: datanode.has_logged("Successfully sent block report"),
            seconds=START_SECONDS)
        self._await_httpfs()

    def _await_httpfs(self) -> None:
        def answers() -> bool:
            with requests.Session() as session:
                session.trust_env = False
                try:
                    asked = session.get(f"{self.httpfs_url}/webhdfs/v1/?op=GETHOMEDIRECTORY",
                                        timeout=5)
                except requests.RequestException:
                    return False
            return asked.status_code == 401

        self._daemons[2].await_ready("answering", answers, seconds=START_SECONDS)


def secured(keytab: Path, secret: Path) -> dict[str, str]:
    """Return what has a NameNode and its DataNodes talk to nobody without a ticket.

    `keytab` has the keys of nn/, dn/ and HTTP/localhost, `secret` what signs cookies.
    """
    return {
        "hadoop.security.authentication": "kerberos",
        "hadoop.security.authorization": "true",
        "hadoop.security.auth_to_local": RULES,
        "hadoop.proxyuser.gateway.hosts": "*",
        "hadoop.proxyuser.gateway.users": f"alice,bob,{SUPERUSER}",
        "dfs.block.access.token.enable": "true",
        "dfs.datanode.hostname": "localhost",
        # A DataNode of production has a port below 1024, or TLS and SASL.
        "ignore.secure.ports.for.testing": "true",
        **_principals("dfs.namenode", "kerberos.principal", "keytab.file", "nn", keytab),
        **_principals("dfs.datanode", "kerberos.principal", "keytab.file", "dn", keytab),
        **_web("dfs.web.authentication", keytab, secret),
        **_web("hadoop.http.authentication", keytab, secret),
    }


def _web(prefix: str, keytab: Path, secret: Path) -> dict[str, str]:
    return {
        f"{prefix}.type": "kerberos",
        f"{prefix}.kerberos.principal": f"{HTTP}@{REALM}",
        f"{prefix}.kerberos.keytab": str(keytab),
        f"{prefix}.signature.secret.file": str(secret),
        f"{prefix}.simple.anonymous.allowed": "false",
    }


def _principals(prefix: str, name: str, file: str, user: str, keytab: Path) -> dict[str, str]:
    return {f"{prefix}.{name}": f"{user}/localhost@{REALM}", f"{prefix}.{file}": str(keytab)}
