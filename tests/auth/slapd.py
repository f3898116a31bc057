"""A real slapd on loopback with its own configuration, data and certificate."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import ldap
from passlib.hash import ldap_salted_sha1

from tests.hadoop.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "dc=example,dc=net"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
SERVICE = f"cn=gateway,{BASE}"
SERVICE_PASSWORD = "service secret"
ADMIN = f"cn=admin,{BASE}"
ADMIN_PASSWORD = "admin secret"
START_SECONDS = 30

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
pidfile {directory}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
allow bind_anon_cred
access to attrs=userPassword by self =xw by anonymous auth by * none
access to * by dn.exact="{service}" read by self read by * none
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {admin_hash}
directory {directory}/data
overlay memberof
memberof-refint TRUE
"""


class Slapd:
    """An LDAP server with people, groups and a service account; `ldaps` and `ldap` on two ports."""

    def __init__(self, directory: Path, *hosts: str) -> None:
        self.directory = directory
        self.authority = Authority(directory / "ca", "ldap-authority")
        self._identity = self.authority.identity("ldap", *(hosts or ("localhost",)))
        self.tls_port, self.port = _free_port(), _free_port()
        self.url = f"ldaps://localhost:{self.tls_port}"
        self.plain_url = f"ldap://localhost:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "data").mkdir()
        (directory / "slapd.conf").write_text(_CONFIG.format(
            directory=directory, authority=self.authority.file, base=BASE, admin=ADMIN,
            admin_hash=ldap_salted_sha1.hash(ADMIN_PASSWORD), service=SERVICE,
            certificate=self._identity.certificate, key=self._identity.key))

    def __enter__(self) -> Self:
        self.start()
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it answers."""
        program = shutil.which("slapd", path="/usr/sbin:/usr/bin:/sbin")
        assert program, "slapd is not installed"
        with (self.directory / "slapd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-d", "0", "-f", self.directory / "slapd.conf",
                 "-h", f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"],
                stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.directory / "slapd.log").read_text()
            assert time.monotonic() < deadline, "slapd does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; it can be started again."""
        if self._process:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def person(self, uid: str, password: str = "secret", **attributes: str) -> str:
        """Add a person; return the DN."""
        dn = f"uid={ldap.dn.escape_dn_chars(uid)},{PEOPLE}"
        entry = {"uid": uid, "cn": uid, "sn": uid, "uidNumber": "1", "gidNumber": "1",
                 "homeDirectory": "/", **attributes}
        self.add(dn, ["inetOrgPerson", "posixAccount", "shadowAccount"],
                 userPassword=ldap_salted_sha1.hash(password), **entry)
        return dn

    def group(self, name: str, *members: str) -> str:
        """Add a group of these DNs; return its DN."""
        dn = f"cn={name},{GROUPS}"
        self.add(dn, ["groupOfNames"], cn=name, member=list(members))
        return dn

    def add(self, dn: str, classes: list[str], **attributes: str | list[str]) -> None:
        """Add an entry."""
        entry = {"objectClass": classes, **attributes}
        with self._admin() as connection:
            connection.add_s(dn, [
                (name, [one.encode() for one in ([value] if isinstance(value, str) else value)])
                for name, value in entry.items()])

    def change(self, dn: str, **attributes: str | None) -> None:
        """Set attributes of an entry, or remove them."""
        with self._admin() as connection:
            connection.modify_s(dn, [
                (ldap.MOD_REPLACE, name, [value.encode()] if value is not None else None)
                for name, value in attributes.items()])

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        with self._admin() as connection:
            connection.delete_s(dn)

    def _fill(self) -> None:
        self.add(BASE, ["dcObject", "organization"], dc="example", o="Example")
        for name in ("people", "groups"):
            self.add(f"ou={name},{BASE}", ["organizationalUnit"], ou=name)
        self.add(SERVICE, ["applicationProcess", "simpleSecurityObject"], cn="gateway",
                 userPassword=ldap_salted_sha1.hash(SERVICE_PASSWORD))

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        connection = ldap.initialize(f"ldap://127.0.0.1:{self.port}")
        connection.simple_bind_s(ADMIN, ADMIN_PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_ext_s()

    def _answers(self) -> bool:
        try:
            connection = ldap.initialize(f"ldap://127.0.0.1:{self.port}")
            connection.whoami_s()
            connection.unbind_ext_s()
        except ldap.SERVER_DOWN:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
