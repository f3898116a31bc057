"""Names and passwords of a real slapd: who comes in, who does not, and what an attacker finds."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ldap
import ldap.dn
import pytest

from app.auth.authenticator import Authenticator
from app.auth.directory import Directory
from app.auth.guard import Guard
from app.auth.ldap_people import is_active, is_plain
from app.auth.ldap_servers import RETRY_SECONDS
from app.auth.ldap_way import LdapWay
from app.auth.lockout import SPACE
from app.auth.password_way import PasswordWay
from app.auth.ways import Evidence
from app.core.auth_errors import WayUnavailable
from app.core.errors import NotAuthenticated, TooManyAttempts
from app.sections.identities import LdapSettings
from app.sections.identity_kinds import Secret
from app.settings import AuthSettings
from app.state.sqlite import SqliteStore
from app.strict_yaml import ConfigError

from .conftest import Clock, Gate, basic
from .slapd import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = "192.0.2.1"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """Yield a server with alice (who administers), bob (who reads), and carol."""
    with Slapd(tmp_path_factory.mktemp("slapd")) as server:
        alice, bob, carol = (server.person(name, f"{name}'s") for name in ("alice", "bob", "carol"))
        server.group("admins", alice)
        server.group("readers", bob)
        server.group("staff", alice, bob, carol)
        yield server


class Door:
    """An authenticator over LDAP with clocks set by hand; other ways may stand before it."""

    def __init__(self, slapd: Slapd, directory: Path, before: Gate | None = None,
                 **settings: Any) -> None:
        self.clock = Clock()
        self.wall_clock = Clock()
        self.store = SqliteStore(directory / "ldap-state.db", clock=self.wall_clock)
        auth = AuthSettings()
        self.guard = Guard(auth, self.store, clock=self.clock, wall_clock=self.wall_clock)
        self.way = LdapWay(ldap_settings(slapd, **settings), self.guard, auth.cache_seconds,
                           clock=self.clock)
        self.way._people.servers._clock = self.clock
        ways = [self.way]
        if before:
            ways.insert(0, PasswordWay(before.users, self.guard, passwords=before.passwords))
        self.directory = Directory(ways)
        self.authenticator = Authenticator(ways, self.guard, self.directory, auth.realm)

    def enter(self, name: str, password: str, source: str = HERE) -> Any:
        return self.authenticator.identify(Evidence(basic(name, password), source))

    def refuse(self, name: str, password: str, source: str = HERE) -> NotAuthenticated:
        with pytest.raises(NotAuthenticated) as caught:
            self.enter(name, password, source)
        return caught.value

    @property
    def counted(self) -> int:
        """The failures counted for names, not for addresses."""
        return sum(record["failures"] for key, record in self.store.scan(SPACE)
                   if key.startswith("user:"))


def ldap_settings(slapd: Slapd, **changed: Any) -> LdapSettings:
    given: dict[str, Any] = {
        "urls": (slapd.url,), "ca_file": str(slapd.authority.file), "bind_dn": SERVICE,
        "bind_password": Secret(SERVICE_PASSWORD), "search_base": PEOPLE, "timeout": 10.0,
        **changed}
    return LdapSettings(**given)


@pytest.fixture
def door(slapd: Slapd, tmp_path: Path) -> Door:
    return Door(slapd, tmp_path, root="/data/{uid}", hadoop_user="hdfs-{user}",
                roles=("admins=admin",), read_only_groups=(f"CN=Readers, {GROUPS}",))


@contextmanager
def changed(slapd: Slapd, name: str, **attributes: str) -> Iterator[None]:
    dn = f"uid={name},{PEOPLE}"
    slapd.change(dn, **attributes)
    try:
        yield
    finally:
        slapd.change(dn, **dict.fromkeys(attributes))


# --- who comes in


def test_the_right_password_makes_a_principal_of_templates_and_groups(door: Door) -> None:
    who = door.enter("alice", "alice's")
    assert who.way == "ldap"
    assert (who.principal.name, who.principal.hadoop_user) == ("alice", "hdfs-alice")
    assert who.principal.root == "/data/alice"
    assert who.principal.roles == {"admin"}
    assert not who.principal.read_only
    assert door.enter("bob", "bob's").principal.read_only


@pytest.mark.parametrize("settings", [
    {"user_dn": f"uid={{user}},{PEOPLE}", "bind_dn": "", "bind_password": Secret(), "search_base":
     ""},
    {"user_dn": f"uid={{user}},{PEOPLE}"},
    {"group_attribute": "", "group_base": GROUPS},
    {"urls": "starttls"},
], ids=["as-oneself", "by-dn", "groups-searched", "starttls"])
def test_every_way_to_ask_finds_the_same(
    slapd: Slapd, tmp_path: Path, settings: dict[str, Any],
) -> None:
    if settings.get("urls") == "starttls":
        settings = {"urls": (slapd.plain_url,)}
    roles = ("admins=admin",) if "group_base" in settings else ()
    door = Door(slapd, tmp_path, **settings, roles=roles)
    assert door.enter("alice", "alice's").principal.roles == ({"admin"} if roles else set())
    assert door.enter("carol", "carol's").principal.name == "carol"
    door.refuse("carol", "alice's")


def test_a_name_is_the_directorys_spelling(door: Door) -> None:
    assert door.enter("ALICE", "alice's").principal.name == "alice"
    assert door.directory.find("ALICE") is None
    assert door.directory.find("alice") is not None


def test_only_members_of_groups_come_in_where_it_is_said(slapd: Slapd, tmp_path: Path) -> None:
    door = Door(slapd, tmp_path, groups=("readers",))
    assert door.enter("bob", "bob's").principal.name == "bob"
    door.refuse("alice", "alice's")
    assert door.directory.find("alice") is None


# --- attacks


def test_a_group_that_is_called_like_anothers_dn_is_not_that_group(
    slapd: Slapd, tmp_path: Path,
) -> None:
    admins, carol = f"cn=admins,{GROUPS}", f"uid=carol,{PEOPLE}"
    impostor = f"cn={ldap.dn.escape_dn_chars(admins)},{GROUPS}"
    slapd.add(impostor, ["groupOfNames"], cn=admins, member=carol)
    try:
        door = Door(slapd, tmp_path, roles=(f"{admins}=admin", "staff=auditor"))
        assert door.enter("alice", "alice's").principal.roles == {"admin", "auditor"}
        assert door.enter("carol", "carol's").principal.roles == {"auditor"}
    finally:
        slapd.remove(impostor)


def test_an_empty_password_is_never_sent(door: Door, slapd: Slapd, tmp_path: Path) -> None:
    """Our slapd says yes to a DN without a password: that is an anonymous bind."""
    as_oneself = Door(slapd, tmp_path, user_dn=f"uid={{user}},{PEOPLE}", bind_dn="")
    for each in (door, as_oneself):
        each.refuse("alice", "")


@pytest.mark.parametrize("name", [
    "*", "a*", "alice)(uid=*", "*)(objectClass=*", "alice)(|(uid=*", "\\2a", "alice\\00", "(", ")",
    "alice,ou=people", "alice+cn=alice", f"alice,{PEOPLE}", "cn=gateway", " alice", "alice ",
    "\uff41lice", "ali\u00adce", "",
])
def test_a_name_is_no_part_of_a_filter_or_dn(
    slapd: Slapd, tmp_path: Path, door: Door, name: str,
) -> None:
    by_dn = Door(slapd, tmp_path, user_dn=f"uid={{user}},{PEOPLE}", bind_dn="")
    for each in (door, by_dn):
        each.refuse(name, "alice's")
        assert each.way.find(name) is None


def test_names_that_need_escapes_are_themselves(slapd: Slapd, tmp_path: Path) -> None:
    names = ["o'neil (ops)*", "comma, name", "plus+sign", "#hash", "back\\slash", "jürgen"]
    people = [slapd.person(name, "secret") for name in names]
    try:
        by_dn = Door(slapd, tmp_path, user_dn=f"uid={{user}},{PEOPLE}", bind_dn="",
                     hadoop_user="someone")
        searched = Door(slapd, tmp_path, hadoop_user="someone")
        for name in names:
            assert by_dn.enter(name, "secret").principal.name == name
            assert searched.enter(name, "secret").principal.name == name
    finally:
        for person in people:
            slapd.remove(person)


@pytest.mark.parametrize("value", ["..", "a/b", ".", "x:y"])
def test_nobody_climbs_out_of_their_directory(
    slapd: Slapd, tmp_path: Path, value: str, caplog: pytest.LogCaptureFixture,
) -> None:
    door = Door(slapd, tmp_path, root="/data/{departmentNumber}/x")
    with changed(slapd, "carol", departmentNumber=value):
        door.refuse("carol", "carol's")
        assert "does not come in" in caplog.text
    with changed(slapd, "carol", departmentNumber="sales"):
        assert door.enter("carol", "carol's").principal.root == "/data/sales/x"


def test_guesses_are_counted_over_all_spellings(door: Door) -> None:
    for name in ("carol", "Carol", "cAROL", "CAROL", "caroL"):
        door.refuse(name, "guess", f"198.51.100.{len(name)}")
    with pytest.raises(TooManyAttempts):
        door.enter("carol", "carol's", "192.0.2.77")


def test_wrong_unknown_and_disabled_are_told_alike_and_counted(
    door: Door, slapd: Slapd,
) -> None:
    with changed(slapd, "carol", shadowExpire="1"):
        said = {str(door.refuse(name, password)) for name, password in (
            ("alice", "wrong"), ("nobody", "wrong"), ("carol", "carol's"))}
    assert len(said) == 1
    assert door.counted == 3


# --- what is remembered, and what is seen


def test_a_verified_password_is_remembered(door: Door, slapd: Slapd) -> None:
    door.enter("alice", "alice's")
    slapd.stop()
    try:
        door.clock.now += 200
        assert door.enter("alice", "alice's").principal.name == "alice"
        assert door.directory.find("alice") is not None
    finally:
        slapd.start()


@pytest.mark.parametrize("change", ["disabled", "groups", "gone"])
def test_a_change_is_seen_within_the_refresh(
    door: Door, slapd: Slapd, change: str,
) -> None:
    person = slapd.person("dave", "dave's")
    group = slapd.group("others", person)
    roles = {"others"} & set()
    try:
        assert door.enter("dave", "dave's").principal.roles == roles
        if change == "disabled":
            slapd.change(person, shadowExpire="1")
        elif change == "groups":
            slapd.change(f"cn=admins,{GROUPS}", member=person)
        else:
            slapd.remove(group)
            slapd.remove(person)
        door.clock.now += 31
        found = door.directory.find("dave")
        if change == "groups":
            assert found
            assert found.principal.roles == {"admin"}
            assert door.enter("dave", "dave's").principal.roles == {"admin"}
        else:
            assert found is None or not found.active
            door.refuse("dave", "dave's")
    finally:
        slapd.change(f"cn=admins,{GROUPS}", member=f"uid=alice,{PEOPLE}")
        if change != "gone":
            slapd.remove(group)
            slapd.remove(person)


# --- away, and back


def test_away_is_not_wrong_and_not_counted(door: Door, slapd: Slapd) -> None:
    slapd.stop()
    try:
        for password in ("alice's", "wrong"):
            with pytest.raises(WayUnavailable):
                door.enter("alice", password)
        with pytest.raises(WayUnavailable):
            door.directory.find("alice")
        assert list(door.store.scan(SPACE)) == []
        assert any("cannot be asked" in problem or "can be asked" in problem
                   for problem in door.way.problems())
    finally:
        slapd.start()
    door.clock.now += RETRY_SECONDS
    assert door.enter("alice", "alice's").principal.name == "alice"
    assert door.way.problems() == []


def test_the_next_server_is_asked(slapd: Slapd, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"ldaps://localhost:{silent.getsockname()[1]}"
        door = Door(slapd, tmp_path, urls=("ldaps://localhost:1", url, slapd.url), timeout=1.0)
        assert door.enter("alice", "alice's").principal.name == "alice"


@pytest.mark.parametrize("start_tls", [True, False], ids=["starttls", "plain"])
@pytest.mark.parametrize("said", [
    b"", b"\x30", b"\x30\x0c\x02", b"\x30\x84\xff\xff\xff\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x30\x04\x02\x01\x01\x78", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00",
    b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00 and more",
], ids=range(8))
@pytest.mark.parametrize("ends", [True, False], ids=["ends", "stays"])
def test_a_server_that_speaks_no_ldap_holds_nobody(
    slapd: Slapd, tmp_path: Path, said: bytes, *, start_tls: bool, ends: bool,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve() -> None:
            with server.accept()[0] as client:
                client.recv(4096)
                client.sendall(said)
                if not ends:
                    over.wait(60)

        over = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        door = Door(slapd, tmp_path, urls=(url,), start_tls=start_tls, timeout=0.5)
        with pytest.raises(WayUnavailable):
            door.enter("alice", "alice's")
        over.set()
        thread.join(60)


def test_who_is_in_the_users_file_needs_no_server(
    gate: Gate, slapd: Slapd, tmp_path: Path,
) -> None:
    door = Door(slapd, tmp_path, before=gate)
    slapd.stop()
    try:
        assert door.enter("alice", "right").way == "password"
        with pytest.raises(WayUnavailable):
            door.enter("bob", "bob's")
    finally:
        slapd.start()
    door.clock.now += RETRY_SECONDS
    assert door.enter("bob", "bob's").way == "ldap"
    door.refuse("alice", "alice's")


def test_a_server_with_another_certificate_is_not_told_a_password(
    slapd: Slapd, tmp_path: Path,
) -> None:
    (tmp_path / "other").mkdir()
    with Slapd(tmp_path / "other", "ldap.example.net") as other:
        for settings in ({"urls": (other.url,), "ca_file": str(other.authority.file)},
                         {"urls": (other.url,)}, {"urls": (other.plain_url,)}):
            with pytest.raises(WayUnavailable):
                Door(slapd, tmp_path, **settings).enter("alice", "alice's")


# --- settings


@pytest.mark.parametrize(("settings", "told"), [
    ({"urls": ()}, "needs a server"),
    ({"urls": ("ldap://ldap.example.net",), "start_tls": False}, "readable on the way"),
    ({"ca_file": "/nowhere.pem"}, "no such file"),
    ({"search_base": ""}, "neither is set"),
    ({"user_filter": "(uid={name})"}, "no placeholder"),
    ({"bind_password": Secret()}, "has no password"),
    ({"bind_password_file": "/nowhere"}, "cannot be read"),
])
def test_settings_that_cannot_work_are_refused(
    slapd: Slapd, tmp_path: Path, settings: dict[str, Any], told: str,
) -> None:
    with pytest.raises(ConfigError, match=told):
        Door(slapd, tmp_path, **settings)


def test_plain_ldap_is_for_loopback(slapd: Slapd, tmp_path: Path) -> None:
    door = Door(slapd, tmp_path, urls=(slapd.plain_url,), start_tls=False)
    assert door.enter("alice", "alice's").principal.name == "alice"


def test_the_service_password_is_nowhere_to_be_read(
    slapd: Slapd, tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "password"
    file.write_text(f"{SERVICE_PASSWORD}\n")
    door = Door(slapd, tmp_path, bind_password_file=str(file))
    assert door.enter("alice", "alice's").principal.name == "alice"
    file.write_text("not it\n")
    with pytest.raises(WayUnavailable) as caught:
        door.enter("bob", "bob's")
    assert "CANNOT LOG IN" in caplog.text
    shown = caplog.text + repr(caught.value) + repr(ldap_settings(slapd))
    for secret in ("not it", SERVICE_PASSWORD, "bob's"):
        assert secret not in shown


@pytest.mark.parametrize(("entry", "active"), [
    ({}, True), ({"useraccountcontrol": ["512"]}, True), ({"useraccountcontrol": ["514"]}, False),
    ({"nsaccountlock": ["TRUE"]}, False), ({"loginDisabled".lower(): ["FALSE"]}, True),
    ({"pwdaccountlockedtime": ["000001010000Z"]}, False), ({"shadowexpire": ["-1"]}, True),
    ({"shadowexpire": ["10"]}, False), ({"shadowexpire": ["30000"]}, True),
])
def test_what_says_that_an_account_is_disabled(
    entry: dict[str, list[str]], active: bool,
) -> None:
    assert is_active(entry, 86400 * 20_000) is active


@pytest.mark.parametrize(("name", "plain"), [
    ("alice", True), ("Alice", True), ("jürgen", True), ("a b", True), ("a  b", False),
    (" a", False), ("\uff41", False), ("a\u200b", False), ("", False), ("ß", True),
])
def test_names_with_one_spelling(name: str, plain: bool) -> None:
    assert is_plain(name) is plain
