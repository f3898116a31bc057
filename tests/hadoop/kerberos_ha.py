"""Two NameNodes, one active and one standby, that nobody talks to without a ticket.

It is `ha` with what `kerberos` sets: servers are called by the name `localhost`, and whoever asks
them for their state, or tells them to take over, has a ticket of nn/localhost.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.hadoop.configuration import NAMESERVICE
from tests.hadoop.ha import HaCluster
from tests.hadoop.jars import HadoopError
from tests.hadoop.kdc import Kdc
from tests.hadoop.kerberos import HTTP, SUPERUSER, secured
from tests.hadoop.launch import FAST_START, Launcher

ASKING_SECONDS = "5"


class KerberosHa(HaCluster):
    """One HDFS with Kerberos on, NameNode 0 active after the start; make users by a gateway.

    The gateway's principal may act for alice, bob and the superuser; its keys are in `keytab`.
    """

    def __init__(self, directory: Path, kdc: Kdc) -> None:
        super().__init__(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.kdc = kdc
        self.superuser = SUPERUSER
        self.keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
        self._keytab = kdc.keytab("hadoop.keytab", "nn/localhost", "dn/localhost", HTTP)
        secret = self.directory / "signature.secret"
        secret.write_text("what cookies are signed with")
        self._conf = {**secured(self._keytab, secret), **self._by_name()}
        java = f"-Djava.security.krb5.conf={kdc.config}"
        self._launcher = Launcher(
            self.directory, SUPERUSER, {role: (*flags, java) for role, flags in FAST_START.items()})
        self._own = {"KRB5_CONFIG": str(kdc.config),
                     "KRB5CCNAME": f"FILE:{self.directory / 'tickets'}"}

    @property
    def namenode_urls(self) -> list[str]:
        """The HTTP addresses of the NameNodes."""
        return [f"http://localhost:{port}" for port in self._http_ports]

    def start(self) -> None:
        """Get a ticket, and do as without Kerberos."""
        self._run("kinit", "-k", "-t", str(self._keytab), "nn/localhost")
        super().start()

    def _by_name(self) -> dict[str, str]:
        found = {}
        for name, rpc, http in zip(self._names, self._rpc_ports, self._http_ports, strict=True):
            found[f"dfs.namenode.rpc-address.{NAMESERVICE}.{name}"] = f"localhost:{rpc}"
            found[f"dfs.namenode.http-address.{NAMESERVICE}.{name}"] = f"localhost:{http}"
        return found

    def _make_tmp(self) -> None:
        """Do without it: who changes anything needs to be mapped to the superuser."""

    def _tell(self, *command: str) -> None:
        with patch.dict(os.environ, self._own):
            super()._tell(*command)

    def _bean(self, i: int, name: str) -> Mapping[str, Any]:
        said = self._run(
            "curl", "--negotiate", "--user", ":", "--silent", "--max-time", ASKING_SECONDS,
            f"{self.namenode_urls[i]}/jmx?qry=Hadoop:service=NameNode,name={name}", may_fail=True)
        try:
            beans = json.loads(said)["beans"]
        except (ValueError, KeyError):
            return {}
        return beans[0] if beans else {}

    def _run(self, program: str, *arguments: str, may_fail: bool = False) -> str:
        found = shutil.which(program)
        if found is None:
            raise HadoopError(f"no {program}: install krb5-user and curl")
        done = subprocess.run([found, *arguments], env={**os.environ, **self._own}, text=True,
                              check=False, capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode and not may_fail:
            raise HadoopError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout
