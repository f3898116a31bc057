"""A cluster that speaks HTTPS alone: NameNode, DataNode and HttpFS, each with Hadoop's own TLS.

NameNode and DataNode demand a client's certificate, which Hadoop's HttpFS leaves to its callers.
All certificates are for `localhost`: by the address 127.0.0.1 nobody who checks names gets in.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Self

from tests.hadoop import configuration, probe
from tests.hadoop.certificates import STORE_PASSWORD, Authority, Identity, keystore
from tests.hadoop.cluster import Cluster
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from pathlib import Path


class HttpsCluster(Cluster):
    """A `Cluster` whose `namenode_url`, `datanode_urls` and `httpfs_url` are https.

    `authority` vouches for the servers and for the clients that they let in; `client` is one.
    """

    def __init__(self, directory: Path) -> None:
        self.authority = Authority(directory / "tls")
        self.server = self.authority.identity("server", "localhost")
        self.client = self.authority.identity("client")
        namenode, datanode, httpfs = free_port(), free_port(), free_port()
        super().__init__(directory, httpfs_port=httpfs, conf={
            "dfs.http.policy": "HTTPS_ONLY",
            "dfs.namenode.https-address": f"127.0.0.1:{namenode}",
            "dfs.datanode.https.address": f"127.0.0.1:{datanode}",
            "dfs.datanode.hostname": "localhost",
            "dfs.client.https.need-auth": "true",
            "hadoop.ssl.require.client.cert": "true",
            "hadoop.ssl.server.conf": "ssl-server.xml",
            "httpfs.ssl.enabled": "true",
        })
        self.namenode_url = f"https://localhost:{namenode}"
        self.httpfs_url = f"https://localhost:{httpfs}"
        self._datanode_url = f"https://localhost:{datanode}"

    def __enter__(self) -> Self:
        self._write_ssl()
        for url in (self.namenode_url, self.httpfs_url, self._datanode_url):
            probe.trust(url, trusting(self.authority, self.client))
        return super().__enter__()

    @property
    def datanode_urls(self) -> list[str]:
        """The HTTPS address that the NameNode redirects to."""
        return [self._datanode_url]

    def _write_ssl(self) -> None:
        folder = self.directory / "conf"
        folder.mkdir(parents=True, exist_ok=True)
        configuration.write_file(folder / "ssl-server.xml", {
            "ssl.server.keystore.location": str(keystore(self.server)),
            "ssl.server.keystore.type": "pkcs12",
            "ssl.server.keystore.password": STORE_PASSWORD,
            "ssl.server.keystore.keypassword": STORE_PASSWORD,
            "ssl.server.truststore.location": str(self.authority.truststore()),
            "ssl.server.truststore.type": "pkcs12",
            "ssl.server.truststore.password": STORE_PASSWORD,
        })


def trusting(authority: Authority, client: Identity) -> ssl.SSLContext:
    """Return what trusts an authority alone, and shows the certificate of `client`."""
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(client.certificate, client.key)
    return context
