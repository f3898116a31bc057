"""What can go wrong with Kerberos, in words that say what to look at.

The codes are those of <krb5/krb5.h>. A message is for everybody, /readyz included: it names no
file; `detail` is for the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from requests import exceptions

from app.core.errors import printable

if TYPE_CHECKING:
    from gssapi.raw.misc import GSSError

BASE = -1765328384
"""ERROR_TABLE_BASE_krb5."""
_DETAIL_LIMIT = 500


class KerberosFault(exceptions.RequestException):
    """No call can be made as the gateway's principal; nothing of it was sent.

    `passing`: it may be over by itself, so that a caller may come again. `of_server`: another
    server of the cluster may do better.
    """

    def __init__(
        self, said: str, detail: str = "", *, passing: bool = False, of_server: bool = False,
    ) -> None:
        super().__init__(said)
        self.detail = detail
        self.passing = passing
        self.of_server = of_server

    def again(self) -> KerberosFault:
        """Return the same fault to be raised elsewhere."""
        return KerberosFault(
            str(self), self.detail, passing=self.passing, of_server=self.of_server)


class _Cause(NamedTuple):
    said: str
    passing: bool = False
    of_server: bool = False


_CLOCKS = _Cause("the clocks of this host and of the KDC differ by more than Kerberos allows"
                 " (5 minutes by default)")
_KEY = _Cause("the KDC does not accept the key in the keytab: it is not, or no longer, that of the"
              " principal")
_EXPIRED = _Cause("the gateway's principal has expired or is locked in the KDC")
_TYPES = _Cause("the KDC and the keytab have no encryption type in common")
_NO_REALM = _Cause("no KDC is configured for the realm (krb5.conf)")
_CAUSES: dict[int, _Cause] = {
    BASE + 1: _EXPIRED,
    BASE + 6: _Cause("the KDC does not know the gateway's principal"),
    BASE + 7: _Cause("the KDC does not know the HTTP principal of the server", of_server=True),
    BASE + 12: _Cause("the KDC's policy refuses the gateway's principal"),
    BASE + 14: _TYPES,
    BASE + 18: _EXPIRED,
    BASE + 23: _Cause("the key of the gateway's principal has expired in the KDC"),
    BASE + 24: _KEY,
    BASE + 31: _KEY,
    BASE + 33: _CLOCKS,
    BASE + 37: _CLOCKS,
    BASE + 148: _CLOCKS,
    BASE + 151: _TYPES,
    BASE + 154: _NO_REALM,
    BASE + 156: _Cause("no KDC of the realm answers", passing=True),
    BASE + 220: _NO_REALM,
    BASE + 224: _Cause("krb5.conf names no default realm, and the principal none"),
}
_SERVER_SAYS: tuple[tuple[str, _Cause], ...] = (
    ("Clock skew", _Cause("the clocks of this host and of the server differ by more than Kerberos"
                          " allows (5 minutes by default)", of_server=True)),
    ("replay", _Cause("the server takes the gateway's proof for a repeated one", passing=True,
                      of_server=True)),
    ("Checksum failed", _Cause("the server's keytab is not that of its HTTP principal",
                               of_server=True)),
    ("key is not available", _Cause("the server's keytab lacks the present key of its HTTP"
                                    " principal", of_server=True)),
    ("No rules applied", _Cause("hadoop.security.auth_to_local of the cluster has no rule for the"
                                " gateway's principal", of_server=True)),
    ("Invalid server principal", _Cause("the server is configured for another HTTP principal than"
                                        " that of its host's name", of_server=True)),
)


def from_gss(error: GSSError, *, server: str = "") -> KerberosFault:
    """Return the fault for what GSSAPI raised while a ticket was asked for (for `server`)."""
    # Two numbers with words after each: those after the last are Kerberos's own.
    detail = printable(error.gen_message().rpartition("): ")[2])[:_DETAIL_LIMIT]
    # GSSAPI has unsigned codes, Kerberos signed ones.
    cause = _CAUSES.get(int(error.min_code) - (1 << 32))
    if cause is None:
        return KerberosFault("Kerberos failed; the log has its words", detail,
                             of_server=bool(server))
    said = f"{cause.said} {server}" if cause.of_server else cause.said
    return KerberosFault(said, detail, passing=cause.passing, of_server=cause.of_server)


def from_server(server: str, status: int, message: str) -> KerberosFault:
    """Return the fault for a server's refusal of a ticket; `message` is its answer's."""
    detail = f"{status}: {printable(message)[:_DETAIL_LIMIT]}"
    for words, cause in _SERVER_SAYS:
        if words in message:
            return KerberosFault(f"{server}: {cause.said}", detail, passing=cause.passing,
                                 of_server=True)
    return KerberosFault(f"{server} does not accept the gateway's Kerberos ticket (status"
                         f" {status})", detail, of_server=True)
