"""The gateway as a principal of Kerberos: tickets by a keytab, and proofs made of them.

Tickets are kept in this process's memory alone: the ticket cache of the login user, or what
KRB5CCNAME names, is neither read nor written. Everything here may wait for a KDC, in C: call it
where that stops nobody, and one at a time, or each of several gets a ticket of its own.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.fs.kerberos_faults import KerberosFault, from_gss
from app.fs.keytab import BadKeytab, principals
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from gssapi import Credentials, SecurityContext

KRB5 = "1.2.840.113554.1.2.2"
SPNEGO = "1.3.6.1.5.5.2"
INSTALL = ("Kerberos needs the package gssapi and MIT's library: pip install"
           " 'httpfs-proxy[kerberos]', and on Debian, where pip has to compile it, before that"
           " apt-get install gcc python3-dev libkrb5-dev")
OLD_SECONDS = 120.0
"""After which tickets may be older than the key of the server that refuses them."""
_cache_numbers = itertools.count(1)


class Proof:
    """One negotiation with one server: `token` is for it, `finish` takes what it answers."""

    def __init__(self, context: SecurityContext, token: bytes, server: str) -> None:
        self.token = token
        self._context = context
        self._server = server

    def finish(self, answered: bytes) -> None:
        """Return if the server has proved its name as well, else raise KerberosFault."""
        from gssapi.raw.misc import GSSError  # noqa: PLC0415 - installed where this runs
        try:
            self._context.step(answered)
        except GSSError as error:
            raise from_gss(error, server=self._server) from None
        if not self._context.complete:
            raise KerberosFault(f"the server did not prove to be {self._server}", of_server=True)


class Login:
    """A principal and its keytab; `service` is the principal of servers, with _HOST for a host.

    Raises ConfigError where GSSAPI is not installed. What is wrong with the keytab or the KDC is
    told by each `prove`: it may be right the next time.
    """

    def __init__(self, principal: str, keytab: str, service: str) -> None:
        self._gssapi = _gssapi()
        self.principal = principal
        self._keytab = Path(keytab)
        realm = f"@{principal.partition('@')[2]}" if "@" in principal else ""
        self._service = service if "@" in service else service + realm
        self._cache = self._new_cache()
        self._cache_since = time.monotonic()

    def prove(self, host: str) -> Proof:
        """Return the beginning of a negotiation with the server at `host`. Raises KerberosFault."""
        server = self._service.replace("_HOST", host.lower())
        credentials = self.credentials()
        try:
            # SPNEGO renumbers the errors of the mechanism below it, so that is asked first; the
            # ticket it gets is used by both.
            self._begin(server, credentials, KRB5)
            context, token = self._begin(server, credentials, SPNEGO)
        except self._gssapi.exceptions.GSSError as error:
            raise from_gss(error, server=server) from None
        return Proof(context, token, server)

    def credentials(self) -> Credentials:
        """Return credentials with a ticket that is good for now. Raises KerberosFault."""
        gssapi = self._gssapi
        try:
            name = gssapi.Name(self.principal, gssapi.NameType.kerberos_principal)
            self._require_key(str(name.canonicalize(_oid(gssapi, KRB5))))
            made: Credentials = gssapi.Credentials(
                name=name, usage="initiate", mechs=[_oid(gssapi, KRB5), _oid(gssapi, SPNEGO)],
                store={"client_keytab": f"FILE:{self._keytab}", "ccache": self._cache})
        except gssapi.exceptions.GSSError as error:
            raise from_gss(error) from None
        return made

    def forget(self) -> bool:
        """Have new tickets got, as a server did not accept these, unless these are new.

        Tell whether they were old: GSSAPI cannot free a cache, so that a server that never
        accepts any must not have a new one made each time.
        """
        now = time.monotonic()
        if now - self._cache_since < OLD_SECONDS:
            return False
        self._cache, self._cache_since = self._new_cache(), now
        return True

    def _begin(self, server: str, credentials: Credentials, mechanism: str) -> tuple[Any, bytes]:
        gssapi = self._gssapi
        # Named as a principal, and not as a service at a host, no DNS has a say in it.
        context = gssapi.SecurityContext(
            name=gssapi.Name(server, gssapi.NameType.kerberos_principal), creds=credentials,
            mech=_oid(gssapi, mechanism), usage="initiate",
            flags=[gssapi.RequirementFlag.mutual_authentication])
        return context, context.step() or b""

    def _require_key(self, principal: str) -> None:
        try:
            known = principals(self._keytab)
        except BadKeytab as error:
            raise KerberosFault(str(error), str(self._keytab)) from None
        if principal not in known:
            raise KerberosFault(
                f"the keytab holds no key of {principal}",
                f"{self._keytab} holds keys of: {', '.join(sorted(known)) or 'nobody'}")

    @staticmethod
    def _new_cache() -> str:
        return f"MEMORY:httpfs-proxy-{next(_cache_numbers)}"


def _gssapi() -> Any:
    try:
        import gssapi  # noqa: PLC0415 - an extra, for those who have Kerberos
    except ImportError as error:
        raise ConfigError("backend.principal", 0, f"{INSTALL} ({error})") from error
    return gssapi


def _oid(gssapi: Any, dotted: str) -> Any:
    return gssapi.OID.from_int_seq(dotted)
