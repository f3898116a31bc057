"""What an LDAP directory says of a name: the entry, its groups, whether it is in force."""

from __future__ import annotations

import logging
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from app.auth.ldap_servers import LdapServers, described, library
from app.auth.mapping import Told, fill
from app.core.auth_errors import WayUnavailable
from app.core.errors import NotAuthenticated
from app.sections.identity_kinds import placeholders
from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.sections.identities import LdapSettings

_DAY = 86400
_AD_DISABLED = 0x2
_FOR_GOOD = "000001010000Z"
_STATE = ("userAccountControl", "nsAccountLock", "loginDisabled", "pwdAccountLockedTime",
          "shadowExpire")
_STAMPS = ("pwdChangedTime", "pwdLastSet")

log = logging.getLogger(__name__)


class Person(NamedTuple):
    """An entry: what it tells, and what changes in it with the password ("" where nothing does)."""

    dn: str
    told: Told
    stamp: str


class LdapPeople:
    """Looks people up; `wanted` are the attributes that templates name.

    Raises ConfigError for settings that cannot be used.
    """

    def __init__(
        self, settings: LdapSettings, wanted: Iterable[str], *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._ldap = library()
        self.servers = LdapServers(settings)
        self._settings = settings
        self._wanted = sorted(set(wanted))
        self._clock = wall_clock
        ldap = self._ldap
        self._refusals = (
            ldap.INVALID_CREDENTIALS, ldap.INAPPROPRIATE_AUTH, ldap.UNWILLING_TO_PERFORM,
            ldap.CONSTRAINT_VIOLATION, ldap.INSUFFICIENT_ACCESS, ldap.NO_SUCH_OBJECT,
            ldap.INVALID_DN_SYNTAX)
        _check(settings)
        self.looks_up = bool(settings.bind_dn or not settings.user_dn)
        """Whether names can be looked up without their passwords."""

    def find(self, name: str) -> Person | None:
        """Return the person of this name, in any case. Raises WayUnavailable."""

        def work(connection: Any) -> Person | None:
            self._bind_service(connection)
            return self._person(connection, name)

        return self.servers.run(work) if is_plain(name) else None

    def prove(self, name: str, password: str) -> Person | None:
        """Return whose password this is.

        None: nobody's of this name, as far as can be told. Raises NotAuthenticated for a wrong
        password, WayUnavailable.
        """
        # With an empty one, a server says yes to whomever (RFC 4513, 5.1.2).
        if not password or not is_plain(name):
            return None

        def work(connection: Any) -> Person | NotAuthenticated | None:
            if not self.looks_up:
                return (self._person(connection, name)
                        if self._accepts(connection, self._dn(name), password) else None)
            self._bind_service(connection)
            person = self._person(connection, name)
            if person is None or self._accepts(connection, person.dn, password):
                return person
            return NotAuthenticated("the user name or the password is wrong")

        found = self.servers.run(work)
        if isinstance(found, NotAuthenticated):
            raise found
        return found

    def _bind_service(self, connection: Any) -> None:
        if not self._settings.bind_dn:
            return
        try:
            connection.simple_bind_s(self._settings.bind_dn, service_password(self._settings))
        except (self._ldap.INVALID_CREDENTIALS, OSError) as error:
            log.error(  # noqa: TRY400 the reason is all that helps
                "THE SERVICE ACCOUNT %s CANNOT LOG IN at the LDAP server: %s",
                self._settings.bind_dn, described(error))
            raise WayUnavailable("who this is cannot be found out: the LDAP servers do not take"
                                 " the gateway's own password") from error

    def _accepts(self, connection: Any, dn: str, password: str) -> bool:
        try:
            connection.simple_bind_s(dn, password)
        except self._refusals as error:
            log.info("the LDAP server refuses %s: %s", dn, described(error))
            return False
        return True

    def _person(self, connection: Any, name: str) -> Person | None:
        settings, ldap = self._settings, self._ldap
        whom = fill(settings.user_filter, {"user": ldap.filter.escape_filter_chars(name)})
        base, scope = settings.search_base, ldap.SCOPE_SUBTREE
        if settings.user_dn:
            base, scope = self._dn(name), ldap.SCOPE_BASE
        named = (settings.name_attribute, settings.group_attribute, *self._wanted, *_STATE,
                 *_STAMPS)
        found = self._search(connection, base, scope, whom, [one for one in named if one], most=2)
        if len(found) > 1:
            log.warning("the LDAP directory knows several users %r, so none of them comes in", name)
        return self._read(connection, *found[0], name) if len(found) == 1 else None

    def _read(
        self, connection: Any, dn: str, entry: dict[str, list[str]], name: str,
    ) -> Person | None:
        """Return the person of an entry, if its name is this one, but for case."""
        spelled = next((text for text in entry.get(self._settings.name_attribute.lower(), [])
                        if folded(text) == folded(name)), None)
        if spelled is None:
            return None
        values = {one: entry[one.lower()][0] for one in self._wanted
                  if len(entry.get(one.lower(), [])) == 1}
        values |= {one: spelled for one in self._wanted
                   if one.lower() == self._settings.name_attribute.lower()}
        groups = list(entry.get(self._settings.group_attribute.lower(), []))
        groups += self._groups(connection, dn, spelled)
        told = Told(unicodedata.normalize("NFC", spelled), values,
                    [each for group in groups for each in (group, self._short(group))],
                    is_active(entry, self._clock()))
        return Person(dn, told, "".join(entry.get(one.lower(), [""])[0] for one in _STAMPS))

    def _groups(self, connection: Any, dn: str, name: str) -> list[str]:
        """Return the DNs of the groups that a search finds."""
        settings, escape = self._settings, self._ldap.filter.escape_filter_chars
        if not settings.group_base:
            return []
        whose = fill(settings.group_filter, {"dn": escape(dn), "user": escape(name)})
        return [found for found, _ in self._search(
            connection, settings.group_base, self._ldap.SCOPE_SUBTREE, whose, ["1.1"])]

    def _search(
        self, connection: Any, base: str, scope: int, query: str, attributes: list[str], *,
        most: int = 0,
    ) -> list[tuple[str, dict[str, list[str]]]]:
        """Return DNs and entries, attributes in small letters, values that are no text left out."""
        try:
            found = connection.search_ext_s(
                base, scope, query, attributes, timeout=self._settings.timeout, sizelimit=most)
        except self._ldap.SIZELIMIT_EXCEEDED:
            if not most:
                raise
            return [("", {})] * most
        except (self._ldap.NO_SUCH_OBJECT, self._ldap.INVALID_DN_SYNTAX):
            return []
        # Where there is no DN it is a referral.
        return [(dn, {key.lower(): _texts(values) for key, values in entry.items()})
                for dn, entry in found if dn is not None]

    def _dn(self, name: str) -> str:
        return fill(self._settings.user_dn, {"user": self._ldap.dn.escape_dn_chars(name)})

    def _short(self, group: str) -> str:
        """Return the first value of a group's DN, but none that could be another's whole DN."""
        try:
            value = str(self._ldap.dn.str2dn(group)[0][0][1])
        except (self._ldap.DECODING_ERROR, IndexError):
            return group
        return group if "=" in value else value


def is_plain(name: str) -> bool:
    """Tell whether LDAP finds `name` for this text alone, but for case.

    LDAP's own comparison ignores blanks and compatible forms (RFC 4518), which would give many
    spellings to one name, and to each its own lockout.
    """
    text = folded(name)
    return bool(name) and name.isprintable() and text == " ".join(
        unicodedata.normalize("NFKC", text).split())


def folded(name: str) -> str:
    """Return what names are compared by."""
    return unicodedata.normalize("NFC", name).casefold()


def is_active(entry: dict[str, list[str]], now: float) -> bool:
    """Tell whether an entry says nothing of being disabled; `now` is seconds since the epoch."""
    first = {key: entry[key.lower()][0] for key in _STATE if entry.get(key.lower())}
    expires = first.get("shadowExpire", "-1")
    return not (
        _number(first.get("userAccountControl", "0")) & _AD_DISABLED
        or first.get("nsAccountLock", "").lower() == "true"
        or first.get("loginDisabled", "").lower() == "true"
        or first.get("pwdAccountLockedTime") == _FOR_GOOD
        or 0 <= _number(expires) <= now // _DAY)


def service_password(settings: LdapSettings) -> str:
    """Return the password of the service account. Raises OSError."""
    if not settings.bind_password_file:
        return str(settings.bind_password)
    return Path(settings.bind_password_file).read_text("utf-8").rstrip("\r\n")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1 if text else 0


def _texts(values: list[bytes]) -> list[str]:
    texts = []
    for value in values:
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            continue
    return texts


def _check(settings: LdapSettings) -> None:
    if not (settings.user_dn or settings.search_base):
        raise ConfigError("ldap.search_base", 0, "users are found by ldap.search_base or"
                          " ldap.user_dn; neither is set")
    for name, known in (("user_dn", {"user"}), ("user_filter", {"user"}),
                        ("group_filter", {"user", "dn"})):
        unknown = set(placeholders(getattr(settings, name))) - known
        if unknown:
            raise ConfigError(f"ldap.{name}", 0, f"'{{{min(unknown)}}}' is no placeholder here")
    if settings.bind_dn:
        try:
            password = service_password(settings)
        except (OSError, ValueError) as error:
            raise ConfigError(settings.bind_password_file, 0, (
                f"cannot be read (setting ldap.bind_password_file): {error}")) from error
        if not password:
            raise ConfigError("ldap.bind_dn", 0, "the service account has no password: set"
                              " GATEWAY_LDAP_BIND_PASSWORD or ldap.bind_password_file")
