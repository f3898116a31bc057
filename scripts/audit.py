"""Looks the locked packages up among the known vulnerabilities, by pip-audit.

    python scripts/audit.py [--if-reachable] LOCK ...

Exits 0 when nothing is known of any package, 1 when something is, and 3 when no advisory service
could be asked: then nothing is known at all, and that is said; with --if-reachable that is 0, for
where there is no way to the internet. A package that the service does not know is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SERVICES = ("pypi", "osv")
UNREACHABLE = 3
LONGEST_SECONDS = 300


def main(arguments: list[str]) -> int:
    """Audit each lock and return the worst outcome."""
    soft = "--if-reachable" in arguments
    outcomes: list[int] = []
    for lock in arguments:
        if not lock.startswith("--"):
            outcomes.append(UNREACHABLE if UNREACHABLE in outcomes else audit(lock))
    if 1 in outcomes:
        return 1
    return UNREACHABLE if UNREACHABLE in outcomes and not soft else 0


def audit(lock: str) -> int:
    """Print what is known of the packages of one lock; return 0, 1 or UNREACHABLE."""
    for service in SERVICES:
        packages = asked(service, lock)
        known = [package for package in packages if "vulns" in package]
        if not known:
            continue
        unknown = [package["name"] for package in packages if "vulns" not in package]
        found = [(package, each) for package in known for each in package["vulns"]]
        for package, each in found:
            fixed = ", ".join(each["fix_versions"]) or "no version"
            print(f"{lock}: {package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
        print(f"{lock}: {len(known)} packages looked up at {service}, {len(found)} vulnerabilities"
              + (f"; not known there: {', '.join(unknown)}" if unknown else ""))
        return 1 if found else 0
    print(f"{lock}: NOT AUDITED, none of {', '.join(SERVICES)} could be asked")
    return UNREACHABLE


def asked(service: str, lock: str) -> list[dict[str, Any]]:
    """Return what pip-audit tells of each package; nothing where it does not come to an answer."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip",
               "--progress-spinner", "off", "--format", "json", "--vulnerability-service", service,
               "--requirement", lock]
    try:
        done = subprocess.run(  # noqa: S603 - our own words, and a file that our Makefile names
            command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []
    return dependencies


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
