"""What clusters are grown from, made once and kept in the cache: they start at half the price.

A JVM of Hadoop loads, parses and verifies seven thousand classes before it does anything, and to
format a file system takes one more of them. So the first who asks has each role's classes archived
(Java's class data sharing), and an empty file system formatted; what uses them is as it was.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal as signals
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from tests.hadoop.daemon import wait_until
from tests.hadoop.jars import jars, java, java_version, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.hadoop.cluster import Cluster

ROLES = ("namenode", "datanode", "httpfs")
# Earlier ones archive what is on a list, and nothing at their end.
FIRST_JAVA = 13
END_SECONDS = 120.0
CONTENT = b"what is written and read once"


def class_data(role: str) -> list[str]:
    """Return the flags with which a JVM of this role has its classes from an archive, if any.

    The class path has to begin with `class_path()`. Java leaves an archive alone that does not fit.
    """
    version = java_version(java())
    if role not in ROLES or int(version.partition(".")[0]) < FIRST_JAVA:
        return []
    library = jars() / "lib"
    # Java wants the very jars of the archive, by path and time.
    marks = f"{version} {library} {library.stat().st_mtime_ns}"
    name = f"hadoop-classes-{hashlib.sha256(marks.encode()).hexdigest()[:12]}"
    return [f"-XX:SharedArchiveFile={_archive(kept(None, name, _archive_classes), role)}"]


def class_path() -> list[str]:
    """Return the jars of Hadoop, always in the same order."""
    return [str(jar) for jar in sorted((jars() / "lib").glob("*.jar"))]


def plant(name: str, formatted: Callable[[Path], None], folders: Sequence[Path]) -> None:
    """Make `folders` those of NameNodes of one new file system.

    The first time `formatted` makes one, for all of this `name`, in an empty directory; each
    file system has a cluster's and a block pool's name of its own.
    """
    source = kept(None, f"hadoop-{name}", formatted) / "current"
    number, now = secrets.randbelow(1 << 31), time.time_ns() // 1_000_000
    own = {"clusterID": f"CID-{uuid.uuid4()}", "blockpoolID": f"BP-{number}-127.0.0.1-{now}"}
    for folder in folders:
        target = folder / "current"
        shutil.copytree(source, target)
        lines = (target / "VERSION").read_text().splitlines()
        (target / "VERSION").write_text("".join(
            f"{key}={own.get(key, value)}\n" for key, _, value in (
                line.partition("=") for line in lines if not line.startswith("#"))))


def _archive(folder: Path, role: str) -> Path:
    return folder / f"{role}.jsa"


def _archive_classes(building: Path) -> None:
    """Run a cluster for a moment; as its JVMs end, each archives the classes that it had."""
    from tests.hadoop.cluster import Cluster  # noqa: PLC0415 - it is grown from what is here
    from tests.hadoop.launch import FAST_START  # noqa: PLC0415

    building.mkdir()
    flags = {role: (*FAST_START[role], f"-XX:ArchiveClassesAtExit={_archive(building, role)}")
             for role in ROLES}
    with tempfile.TemporaryDirectory() as directory, \
            Cluster(Path(directory), jvm=flags, seeded=False) as cluster:
        _use(cluster)
        for pid in cluster.pids.values():
            os.kill(pid, signals.SIGTERM)
        wait_until("the archives of classes", lambda: not cluster.pids, seconds=END_SECONDS)


def _use(cluster: Cluster) -> None:
    """Have every daemon do what it is asked for most."""
    folder = f"/webhdfs/v1{cluster.make_user('seed')}"
    user = {"user.name": "seed"}
    with requests.Session() as session:
        session.trust_env = False
        for door in (cluster.namenode_url, cluster.httpfs_url):
            written = session.put(
                f"{door}{folder}/file", data=CONTENT,
                params={**user, "op": "CREATE", "overwrite": "true", "data": "true"},
                headers={"Content-Type": "application/octet-stream"})
            read = session.get(f"{door}{folder}/file", params={**user, "op": "OPEN"})
            listed = session.get(f"{door}{folder}", params={**user, "op": "LISTSTATUS"})
            assert (written.status_code, read.content, listed.status_code) == (201, CONTENT, 200)
