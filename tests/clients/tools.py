"""The clients that the tests run: fetched or built into the cache of the repository, once.

Everything is pinned: Python packages by the hashes of requirements/client-*.txt, Go modules by
those of go.sum, jars by their versions alone. Two runs that start at once share one build, and a
build that was killed is begun anew. Nothing is skipped where the network is missing: ToolError says
what was wanted.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hadoop.jars import copy_dependencies, java

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CACHE = REPOSITORY / ".cache" / "clients"
LOCKS = REPOSITORY / "requirements"
READY = ".ready"
TAIL = 4000
COPY_A_JAR = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


class ToolError(Exception):
    """A client could not be fetched or built."""


def environment(name: str) -> Path:
    """Return the `bin` of a virtual environment with what requirements/client-NAME.txt locks."""
    lock = LOCKS / f"client-{name}.txt"

    def build(target: Path) -> None:
        wheels = target / "wheels"
        venv.create(target, symlinks=True, clear=True)
        # The lock holds every dependency; what has no wheel is built by our own setuptools.
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        _run([*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--require-hashes",
              "--requirement", str(lock), "--wheel-dir", str(wheels)],
             f"the Python packages of {lock.name}")
        _run([*pip, "--python", str(target / "bin" / "python"), "install", "--quiet", "--no-deps",
              "--no-index", *map(str, sorted(wheels.iterdir()))], f"installing {lock.name}")
        shutil.rmtree(wheels)

    return _once(name, build, lock.read_bytes(), sys.version.encode()) / "bin"


def rclone() -> Path:
    """Return rclone, built from its released source with the few backends that are used here."""
    source = HERE / "rclone"
    files = [source / name for name in ("main.go", "go.mod", "go.sum")]

    def build(target: Path) -> None:
        target.mkdir()
        # The compiler comes as a package, so that its version is the same everywhere.
        go = next(environment("go").parent.glob("lib/*/site-packages/go/bin/go"))
        _run([str(go), "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
              "-o", str(target / "rclone"), "."], "rclone's Go modules", directory=source,
             extra={"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"})

    return _once("rclone", build, *(file.read_bytes() for file in files)) / "rclone"


def s3a_jars() -> Path:
    """Return the folder of Hadoop's jars with S3A and DistCp."""
    pom = HERE / "s3a" / "pom.xml"
    return _once("s3a", lambda target: copy_dependencies(pom, target), pom.read_bytes())


def generated(name: str, description: bytes, version: str, package: str) -> Path:
    """Return a folder with the Python package that openapi-generator makes of a description.

    Each description and version of the generator has a package of its own, made once.
    """
    def build(target: Path) -> None:
        target.mkdir()
        told = target / "openapi.json"
        told.write_bytes(description)
        # In AIStore's of 2020 operations of different tags have the same name.
        _run([java(), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
              "-jar", str(openapi_generator(version)), "generate", "--skip-validate-spec",
              "--input-spec", str(told), "--generator-name", "python", "--package-name", package,
              "--output", str(target)], f"the client {name}")

    return _once(name, build, description, version.encode(), package.encode())


def openapi_generator(version: str) -> Path:
    """Return the jar of openapi-generator of this version."""
    name = "openapi-generator-cli"
    wanted = f"org.openapitools:{name}:{version}"

    def build(target: Path) -> None:
        _run(["mvn", "--quiet", "--batch-mode", COPY_A_JAR, f"-Dartifact={wanted}",
              f"-DoutputDirectory={target}"], f"openapi-generator {version}")

    return _once(f"openapi-generator-{version}", build, wanted.encode()) / f"{name}-{version}.jar"


def trust_store(certificate: Path) -> Path:
    """Return a Java trust store (its password is `changeit`) beside `certificate` that holds it."""
    store = certificate.with_suffix(".p12")
    if not store.exists():
        _run([str(Path(java()).resolve().with_name("keytool")), "-importcert", "-noprompt",
              "-storetype", "PKCS12", "-storepass", "changeit", "-file", str(certificate),
              "-keystore", str(store)], "a trust store")
    return store


def _once(name: str, build: Callable[[Path], None], *inputs: bytes) -> Path:
    """Return the folder that `build` filled from these inputs, building it the first time."""
    digest = hashlib.sha256(b"\0".join(inputs)).hexdigest()[:12]
    target = CACHE / f"{name}-{digest}"
    if (target / READY).exists():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    with _lock(CACHE / f"{name}.lock"):
        if not (target / READY).exists():
            for old in CACHE.glob(f"{name}-*"):
                shutil.rmtree(old)
            build(target)
            (target / READY).touch()
    return target


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run(
    command: Sequence[str], what: str, *, directory: Path | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    done = subprocess.run(
        command, cwd=directory, env={**os.environ, **(extra or {})}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise ToolError(f"{what} could not be had (the first run needs the network):\n"
                        f"{' '.join(command)}\n{done.stdout[-TAIL:]}")
