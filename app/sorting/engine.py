"""Whether Spark is here, and what its process is made of."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.sort_errors import NoSpark

if TYPE_CHECKING:
    from app.settings import SortSettings

JOB = "app.sorting.spark_job"
_HERE = Path(__file__).resolve().parent
_PROBE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pyspark') is None)"
_PROBE_SECONDS = 30.0
_FOUND: set[str] = set()
_PASSED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "USER",
           "LOGNAME", "LD_LIBRARY_PATH")
_PASSED_PREFIXES = ("JAVA_", "SPARK_", "PYSPARK_", "HADOOP_", "YARN_", "KRB5", "LC_")


def python_of(settings: SortSettings) -> str:
    """Return the Python that has PySpark."""
    return settings.python or sys.executable


def require_spark(settings: SortSettings) -> None:
    """Raise NoSpark, which says what to install, unless PySpark and Java are there."""
    python = python_of(settings)
    if python not in _FOUND and not _has_pyspark(python, own=not settings.python):
        raise NoSpark(
            f"sorting needs PySpark, which {python} does not have: `{python} -m pip install"
            " 'pyspark>=4'`, or name a Python that has it in the setting sort.python")
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=f"{home}/bin" if home else None):
        raise NoSpark("sorting needs Java 17 or newer for Spark: install it, or set JAVA_HOME")
    _FOUND.add(python)


def _has_pyspark(python: str, *, own: bool) -> bool:
    if own:
        importlib.invalidate_caches()
        return importlib.util.find_spec("pyspark") is not None
    try:
        done = subprocess.run([python, "-c", _PROBE],  # noqa: S603 - the settings' own Python
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def pack(target: Path) -> None:
    """Write a zip with the modules that Spark's own process and its workers run."""
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("app/__init__.py", "")
        for module in (_HERE / "__init__.py", *sorted(_HERE.glob("spark_*.py"))):
            archive.write(module, f"app/sorting/{module.name}")


def environment(code: Path, python: str, *, local: bool) -> dict[str, str]:
    """Return the environment of Spark's process: nothing of the gateway's own settings."""
    kept = {name: value for name, value in os.environ.items()
            if name in _PASSED or name.startswith(_PASSED_PREFIXES)}
    kept["PYTHONPATH"] = str(code)
    kept["PYSPARK_DRIVER_PYTHON"] = python
    if local:
        # Nothing of Spark on this host is to be reached from elsewhere.
        kept |= {"PYSPARK_PYTHON": python, "SPARK_LOCAL_IP": "127.0.0.1"}
    return kept
