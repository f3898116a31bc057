"""Where the clients find S3, and a way to run them without any settings of the machine's own.

`Endpoint` is one gateway over the real HDFS with a port whose root is S3. What a client says it
stored is looked at through WebHDFS, past the gateway.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import requests

from tests.gateway import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.gateway import Gateway
    from tests.hadoop.cluster import Cluster

REGION = "us-east-1"
HADOOP_USER = "alice"
GATEWAY_USER = "someone"
MIB = 1 << 20
PATIENCE = 300.0


class Endpoint(NamedTuple):
    """S3 at `url`, for the holder of a key; `prefixed` is the same at /api/v1/s3.

    `root` is the HDFS directory whose directories are the buckets. `certificate` is None over
    plain HTTP.
    """

    gateway: Gateway
    cluster: Cluster
    url: str
    prefixed: str
    root: str
    key_id: str
    secret: str
    certificate: Path | None
    home: Path

    @property
    def secure(self) -> bool:
        """Whether it is reached by TLS."""
        return self.certificate is not None

    @property
    def address(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def variables(self) -> dict[str, str]:
        """Return the environment that Amazon's own tools, and those like them, look at."""
        trusted = {"AWS_CA_BUNDLE": str(self.certificate)} if self.certificate else {}
        return {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret,
                "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true", **trusted}

    def run(
        self, *command: str | Path, variables: Mapping[str, str] | None = None,
        wanted: int = 0, feed: bytes | None = None, **options: Any,
    ) -> str:
        """Run a client in a clean environment and return what it printed; `wanted` is its status.

        Both outputs come together in the message of the AssertionError.
        """
        done = subprocess.run(
            [str(word) for word in command], env=self._clean(variables), cwd=self.home,
            input=feed, capture_output=True, timeout=PATIENCE, check=False, **options)
        told: str = done.stdout.decode(errors="replace")
        assert done.returncode == wanted, (
            f"{' '.join(map(str, command))}\nended with {done.returncode}, not {wanted}\n"
            f"{told[-8000:]}\n{done.stderr.decode(errors='replace')[-8000:]}")
        return told

    def _clean(self, variables: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
        return {**kept, "HOME": str(self.home), "LANG": "C.UTF-8", "TZ": "UTC",
                **(self.variables() if variables is None else variables)}

    # --- past the gateway

    def webhdfs(self, method: str, path: str, operation: str, **parameters: str) -> Any:
        """Ask the NameNode as the Hadoop user; `path` is below the bucket root."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, f"{self.cluster.namenode_url}/webhdfs/v1{self.root}{quote(path)}",
                params={"op": operation, "user.name": HADOOP_USER, **parameters}, timeout=60)

    def stored(self, path: str) -> bytes | None:
        """Return what HDFS holds at `/bucket/key`, None where there is nothing."""
        answer = self.webhdfs("GET", path, "OPEN")
        return None if answer.status_code == 404 else bytes(answer.content)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory below the bucket root, the hidden ones included."""
        statuses = self.webhdfs("GET", path, "LISTSTATUS").json()["FileStatuses"]["FileStatus"]
        return [status["pathSuffix"] for status in statuses]

    def make_directory(self, path: str) -> None:
        """Make a directory below the bucket root."""
        assert self.webhdfs("PUT", path, "MKDIRS", permission="755").json() == {"boolean": True}

    def delete(self, path: str) -> None:
        """Delete whatever there is, without trash."""
        assert self.webhdfs("DELETE", path, "DELETE", recursive="true").ok


def create_key(gateway: Gateway, user: str) -> tuple[str, str]:
    """Return a new access key of a gateway's user, and its secret."""
    done = subprocess.run(
        [sys.executable, "-m", "app", "keys", "create", user, "--quiet",
         "--config", str(gateway.config_file)],
        cwd=REPOSITORY, capture_output=True, text=True, check=True)
    key_id, secret = done.stdout.split()
    return key_id, secret


def content(seed: str, size: int) -> bytes:
    """Return bytes that look random and are the same each time."""
    return hashlib.shake_256(seed.encode()).digest(size)


def fill(directory: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a new directory, and return it.

    They are an hour old: S3 tells times in whole seconds, and who compares times would take a file
    for newer than the object that was made of it in the same second.
    """
    hour_ago = time.time() - 3600
    for name, data in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, (hour_ago, hour_ago))
    return directory


def tree(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory."""
    return {str(file.relative_to(directory)): file.read_bytes()
            for file in directory.rglob("*") if file.is_file()}
