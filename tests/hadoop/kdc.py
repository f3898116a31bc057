"""A Kerberos of its own on loopback: MIT's KDC on a high port, its database below one directory."""

import os
import shutil
import signal as signals
import subprocess
from pathlib import Path
from typing import Self

from tests.hadoop.daemon import Daemon, free_port
from tests.hadoop.jars import HadoopError

REALM = "EXAMPLE.COM"
INSTALL = "install it (Debian, Ubuntu: apt-get install krb5-kdc krb5-admin-server faketime)"
START_SECONDS = 30.0
# `udp_preference_limit`: Java would wait for the answers that no UDP port of this KDC gives.
CLIENT = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
"""
SERVER = """\
[kdcdefaults]
    kdc_listen = ""
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {directory}/principals
        key_stash_file = {directory}/stash
        acl_file = {directory}/acl
        max_life = 10h
        supported_enctypes = aes256-cts-hmac-sha1-96:normal
        default_principal_flags = +preauth
    }}
[logging]
    kdc = FILE:{directory}/kdc.log
    default = FILE:{directory}/kdc.log
"""


class Kdc:
    """One realm, EXAMPLE.COM; `config` is the krb5.conf of those who use it.

    It can be killed and started again; what it answered stands in its log.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / "krb5.conf"
        self._log = self.directory / "kdc.log"
        words = {"realm": REALM, "port": free_port(), "directory": self.directory}
        self.config.write_text(CLIENT.format(**words))
        (self.directory / "kdc.conf").write_text(SERVER.format(**words))
        self._env = {**os.environ, "KRB5_CONFIG": str(self.config),
                     "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf")}
        self._daemon = self._made("")

    def __enter__(self) -> Self:
        self._run("kdb5_util", "create", "-s", "-P", "master")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *, clock: str = "") -> None:
        """Start it, the first time or again; return when it takes requests.

        `clock` is what its clock is ahead of the machine's, as faketime understands it ("+2h").
        """
        self._daemon = self._made(clock)
        before = self.log().count("commencing operation")
        self._daemon.start()
        self._daemon.await_ready(
            "taking requests", lambda: self.log().count("commencing operation") > before,
            seconds=START_SECONDS)

    def kill(self) -> None:
        """End it by SIGKILL: nobody gets a ticket any more."""
        self._daemon.stop()

    @property
    def running(self) -> bool:
        """Whether it is there, frozen or not."""
        return self._daemon.running

    def freeze(self) -> None:
        """Let it take connections, and answer nothing."""
        self._daemon.signal(signals.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._daemon.signal(signals.SIGCONT)

    def keytab(self, name: str, *principals: str) -> Path:
        """Return a keytab with fresh keys of these principals, who are made where they are not."""
        file = self.directory / name
        file.unlink(missing_ok=True)
        known = self._run("kadmin.local", "-q", "listprincs").splitlines()
        for principal in principals:
            if f"{principal}@{REALM}" not in known:
                self._run("kadmin.local", "-q", f"addprinc -randkey {principal}")
            self._run("kadmin.local", "-q", f"ktadd -k {file} {principal}")
        return file

    def change_key(self, principal: str) -> None:
        """Give a principal another key: keytabs made before are good for nothing."""
        self._run("kadmin.local", "-q", f"cpw -randkey {principal}")

    def delete(self, principal: str) -> None:
        """Forget a principal."""
        self._run("kadmin.local", "-q", f"delprinc -force {principal}")

    def log(self) -> str:
        """Return what the KDC has logged."""
        return self._log.read_text() if self._log.exists() else ""

    def issued(self, kind: str, client: str) -> int:
        """Return how many tickets a client was given: `kind` is AS_REQ or TGS_REQ."""
        return sum(f" {kind} " in line and "ISSUE:" in line and f" {client}@{REALM} for" in line
                   for line in self.log().splitlines())

    def _made(self, clock: str) -> Daemon:
        # Not by the command `faketime`: it would be between this and the KDC, and die alone.
        shifted = {"LD_PRELOAD": _faketime(), "FAKETIME": clock} if clock else {}
        return Daemon("kdc", [_program("krb5kdc"), "-n"], self.directory / "kdc.out",
                      {**self._env, **shifted})

    def _run(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            [_program(command), "-r", REALM, *arguments], env=self._env, text=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True)
        # kadmin.local ends with 0 whatever went wrong, and warns about what is meant so.
        wrong = [line for line in done.stderr.splitlines()
                 if "while" in line and not line.startswith("WARNING")]
        if done.returncode or wrong:
            raise HadoopError(f"{command} {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


def _faketime() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise HadoopError(f"no libfaketime: {INSTALL}")
    return str(found[0])


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise HadoopError(f"no {name}: {INSTALL}")
    return found
