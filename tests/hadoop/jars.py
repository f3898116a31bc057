"""Fetch the jars and web applications of Hadoop into the cache of the repository, once."""

import fcntl
import functools
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HADOOP_VERSION = "3.4.2"
HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache"

# Hadoop asks the class path for a folder per web application, and the released jars of NameNode
# and DataNode hold none; an empty application is enough for WebHDFS and for /jmx.
EMPTY_WEB_APPLICATION = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<web-app version="2.4" xmlns="http://java.sun.com/xml/ns/j2ee"/>\n'
)
# Java 23 and later refuse Subject.getSubject, on which all of Hadoop 3.4's logins stand.
JAVA_VERSIONS = range(11, 23)
JAVA_WANTED = (
    f"Hadoop {HADOOP_VERSION} runs on Java {JAVA_VERSIONS.start} to {JAVA_VERSIONS.stop - 1}"
)
INSTALL_JAVA = "install it (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)"
INSTALL_MAVEN = "install Maven (Debian, Ubuntu: apt-get install maven)"


class HadoopError(Exception):
    """The Hadoop of the tests could not be prepared, started, reached or stopped."""


def java() -> str:
    """Return the path of a Java that Hadoop runs on: JAVA_HOME's, else the one on PATH."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home, "bin", "java")) if home else "java"
    found = shutil.which(command)
    if found is None:
        raise HadoopError(f"no Java at {command!r}: {JAVA_WANTED}; {INSTALL_JAVA}")
    java_version(found)
    return found


@functools.cache
def java_version(command: str) -> str:
    """Return what a Java says that it is, 17.0.2 or so, if Hadoop runs on it."""
    asked = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(?:1\.)?((\d+)[^"]*)"', asked.stderr)
    if match is None or int(match[2]) not in JAVA_VERSIONS:
        said = asked.stderr.strip().partition("\n")[0]
        raise HadoopError(f"{command} says {said!r}: {JAVA_WANTED}; {INSTALL_JAVA}")
    return match[1]


def jars(cache: Path | None = None) -> Path:
    """Return the folder with `lib/*.jar` and `webapps/`, fetched through Maven the first time."""
    return kept(cache, "hadoop", _hadoop)


def kms_jars(cache: Path | None = None) -> Path:
    """Return the folder with what a KMS needs beside `jars`, fetched in the same way."""
    return kept(cache, "hadoop-kms", _kms)


def kept(cache: Path | None, name: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of this name and version, filled by the first who asks for it."""
    root = (cache or CACHE).resolve()
    ready = root / f"{name}-{HADOOP_VERSION}"
    if ready.is_dir():
        return ready
    root.mkdir(parents=True, exist_ok=True)
    with (
        _lock(root / f"{name}-{HADOOP_VERSION}.lock"),
        tempfile.TemporaryDirectory(dir=root, prefix=f"{name}-") as building,
    ):
        if not ready.is_dir():
            build(Path(building, "new"))
            # The rename is what publishes: a killed build leaves nothing that looks finished.
            Path(building, "new").rename(ready)
    return ready


def copy_dependencies(pom: Path, target: Path) -> None:
    """Have Maven copy every jar that `pom` asks for into `target`."""
    maven = shutil.which("mvn")
    if maven is None:
        raise HadoopError(f"no mvn on PATH to fetch Hadoop {HADOOP_VERSION} with: {INSTALL_MAVEN}")
    command = [
        *(maven, "--quiet", "--batch-mode", "--file", str(pom)),
        f"-Dhadoop.version={HADOOP_VERSION}",
        f"-DoutputDirectory={target}",
        "dependency:copy-dependencies",
    ]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise HadoopError(
            f"Maven could not fetch what {pom} asks for "
            f"(it needs its repository or a filled local one):\n{done.stdout[-4000:]}"
        )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _hadoop(building: Path) -> None:
    copy_dependencies(HERE / "pom.xml", building / "lib")
    for application in ("hdfs", "datanode"):
        folder = building / "webapps" / application / "WEB-INF"
        folder.mkdir(parents=True)
        (folder / "web.xml").write_text(EMPTY_WEB_APPLICATION)
    (building / "webapps" / "static").mkdir()
    _unpack_webapps(building, "hadoop-hdfs-httpfs")


def _kms(building: Path) -> None:
    copy_dependencies(HERE / "kms-pom.xml", building / "lib")
    _unpack_webapps(building, "hadoop-kms")


def _unpack_webapps(building: Path, name: str) -> None:
    with zipfile.ZipFile(building / "lib" / f"{name}-{HADOOP_VERSION}.jar") as jar:
        jar.extractall(building, [entry for entry in jar.namelist()
                                  if entry.startswith("webapps/")])
