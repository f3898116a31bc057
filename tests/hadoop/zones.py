"""A cluster with a KMS, for encryption zones, and DataNodes enough for erasure coding."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Self

from tests.hadoop import configuration
from tests.hadoop.cluster import Cluster
from tests.hadoop.daemon import free_port
from tests.hadoop.jars import HadoopError, kms_jars
from tests.hadoop.launch import FAST_START, START_SECONDS
from tests.hadoop.probe import CALL_SECONDS, webhdfs

if TYPE_CHECKING:
    from pathlib import Path

CODING = "XOR-2-1-1024k"
KEY = "zone-key"
KMS = "org.apache.hadoop.crypto.key.kms.server.KMSWebServer"
CRYPTO_ADMIN = "org.apache.hadoop.hdfs.tools.CryptoAdmin"
_EVERY_USE = ("MANAGEMENT", "GENERATE_EEK", "DECRYPT_EEK", "READ")


class ZoneCluster(Cluster):
    """A `Cluster` of three DataNodes without HttpFS, and a KMS with one key that all may use."""

    def __init__(self, directory: Path) -> None:
        self._kms_port = free_port()
        conf = directory.resolve() / "conf"
        log4j = (conf / "log4j.properties").as_uri()
        flags = (f"-Dkms.config.dir={conf}", f"-Dlog4j.configuration={log4j}")
        super().__init__(
            directory, datanodes=3, httpfs=False,
            jvm={**FAST_START, "kms": (*FAST_START["datanode"], *flags)}, conf={
                "hadoop.security.key.provider.path":
                    f"kms://http@127.0.0.1:{self._kms_port}/kms"})
        self.kms_url = f"http://127.0.0.1:{self._kms_port}/kms/v1"
        self._kms = self._launcher.daemon("kms", "kms", KMS, beside=kms_jars())

    def __enter__(self) -> Self:
        self._write_kms()
        self._launcher.make_folders()
        try:
            self._kms.start()
            super().__enter__()
            self._kms.await_ready("answering", self._make_key, seconds=START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End every process, the KMS too."""
        super().stop()
        self._kms.stop()

    def kill_kms(self) -> None:
        """End the KMS."""
        self._kms.stop()

    def start_kms(self) -> None:
        """Start the killed KMS with the keys that it had, and wait until it answers."""
        self._kms.start()
        self._kms.await_ready("answering", self._answers, seconds=START_SECONDS)

    def code(self, path: str) -> None:
        """Have what is written below a directory from now on be erasure-coded."""
        for where, operation in (("/", "ENABLEECPOLICY"), (path, "SETECPOLICY")):
            webhdfs(self.namenode_url, "PUT", where, op=operation, ecpolicy=CODING,
                    **{"user.name": self.superuser})

    def encrypt(self, path: str) -> None:
        """Make an empty directory an encryption zone, with a trash of its own."""
        command = self.tool(CRYPTO_ADMIN, "-createZone", "-keyName", KEY, "-path", path)
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env={"HADOOP_USER_NAME": self.superuser})
        if done.returncode:
            raise HadoopError(f"{path} has not become a zone: {done.stdout}{done.stderr}")

    def _make_key(self) -> bool:
        """Make the key; tell whether the KMS is there and has done so."""
        document = json.dumps({"name": KEY, "length": 128}).encode()
        return self._ask_kms("keys", document)

    def _answers(self) -> bool:
        return self._ask_kms(f"key/{KEY}/_metadata")

    def _ask_kms(self, what: str, document: bytes | None = None) -> bool:
        request = urllib.request.Request(
            f"{self.kms_url}/{what}?user.name={self.superuser}", data=document,
            headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=CALL_SECONDS) as answer:
                return bool(answer.read())
        except OSError:
            return False

    def _write_kms(self) -> None:
        folder = self.directory / "conf"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kms.password").write_text("changeit")
        configuration.write_file(folder / "kms-site.xml", {
            "hadoop.kms.http.host": "127.0.0.1",
            "hadoop.kms.http.port": str(self._kms_port),
            "hadoop.kms.key.provider.uri": f"jceks://file@{self.directory}/kms.keystore",
            "hadoop.security.keystore.java-keystore-provider.password-file": "kms.password",
        })
        configuration.write_file(folder / "kms-acls.xml", {
            f"default.key.acl.{use}": "*" for use in _EVERY_USE})
