"""JSON Web Tokens: whose are taken, which forgeries are not, and where the keys come from."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from app.auth.authenticator import Authenticator
from app.auth.directory import Directory
from app.auth.guard import Guard
from app.auth.jwt_keys import AGAIN_SECONDS, UrlKeys, parse
from app.auth.jwt_way import JwtWay
from app.auth.password_way import PasswordWay
from app.auth.ways import Evidence
from app.core.auth_errors import InvalidToken, WayUnavailable
from app.core.errors import NotAuthenticated
from app.sections.identities import JwtSettings
from app.settings import AuthSettings
from app.state.sqlite import SqliteStore
from app.strict_yaml import ConfigError
from tests.gateway import wait_for

from .conftest import Clock, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HERE = "192.0.2.1"
ISSUER = "https://id.example.net/realms/data"
AUDIENCE = "httpfs-proxy"
RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    algorithm = (jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey)
                 else jwt.algorithms.ECAlgorithm)
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "4711", "preferred_username": "dora",
            "groups": ["staff", "admins"], "iat": now, "nbf": now, "exp": now + 300, **changed}
    return {name: value for name, value in made.items() if value is not None}


def token(key: Any = RSA, algorithm: str = "RS256", headers: dict[str, Any] | None = None,
          **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm, headers)


def octets(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class World:
    """A way over a file with two keys, alone, or behind the users file."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.file = directory / "keys.pem"
        self.file.write_text(pem(RSA) + pem(EC))
        self.clock = Clock()
        self.store = SqliteStore(directory / "jwt-state.db", clock=self.clock)
        self.settings = JwtSettings(**{
            "issuer": ISSUER, "audience": (AUDIENCE,), "keys_file": str(self.file), **settings})
        self.way = JwtWay(self.settings, self.store)
        self.way._seen._known._clock = self.clock
        self.way._seen._clock = self.clock

    def enter(self, text: str) -> Any:
        user = self.way.authenticate(Evidence(f"Bearer {text}", HERE))
        assert user
        return user.principal

    def refuse(self, text: str) -> str:
        with pytest.raises(InvalidToken) as caught:
            self.enter(text)
        return str(caught.value)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, hadoop_user="hdfs-{user}", root="/data/{sub}", roles=("admins=admin",),
                 read_only_groups=("guests",))


# --- who comes in


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
def test_a_token_makes_a_principal(world: World, key: Any, algorithm: str) -> None:
    who = world.enter(token(key, algorithm))
    assert (who.name, who.hadoop_user, who.root) == ("dora", "hdfs-dora", "/data/4711")
    assert who.roles == {"admin"}
    assert not who.read_only


def test_groups_and_names_may_lie_deeper(tmp_path: Path) -> None:
    world = World(tmp_path, user_claim="profile.login", groups_claim="realm_access.roles",
                  roles=("admins=admin",), read_only_groups=("guests",))
    who = world.enter(token(profile={"login": "erik"}, realm_access={"roles": ["guests"]}))
    assert (who.name, who.read_only, who.roles) == ("erik", True, frozenset())
    assert "no claim" in world.refuse(token(profile="erik"))


def test_only_members_come_in_where_it_is_said(tmp_path: Path) -> None:
    world = World(tmp_path, groups=("staff",))
    assert world.enter(token()).name == "dora"
    world.refuse(token(groups=["others"]))
    world.refuse(token(groups="staffers"))


def test_the_clocks_may_differ_a_little(world: World) -> None:
    now = int(time.time())
    world.enter(token(exp=now - 10))
    world.enter(token(nbf=now + 10, iat=now + 10))
    assert "expired" in world.refuse(token(exp=now - 60))
    world.refuse(token(nbf=now + 60))


# --- forgeries


@pytest.mark.parametrize("changed", [
    {"iss": "https://evil.example.net"}, {"iss": None}, {"aud": "another"}, {"aud": None},
    {"aud": []}, {"exp": None}, {"exp": "tomorrow"},
    {"exp": float("inf")}, {"preferred_username": None},
    {"preferred_username": ""}, {"preferred_username": 7}, {"preferred_username": "a:b"},
    {"preferred_username": "a\nb"}, {"sub": "../.."}, {"sub": ".."}, {"sub": None},
    {"cnf": {"jkt": "x"}},
], ids=str)
def test_claims_that_are_not_right(world: World, changed: dict[str, Any]) -> None:
    if "sub" in changed and changed["sub"] is None:
        changed = {"sub": None}
    world.refuse(token(**changed))


def unsigned(algorithm: str) -> str:
    return f"{octets({'alg': algorithm, 'typ': 'JWT'})}.{octets(claims())}."


def with_public_key_as_secret(digest: str = "sha256", name: str = "HS256") -> str:
    text = f"{octets({'alg': name, 'typ': 'JWT'})}.{octets(claims())}"
    return f"{text}.{octets(hmac.digest(pem(RSA).encode(), text.encode(), digest))}"


@pytest.mark.parametrize("forged", [
    unsigned("none"), unsigned("None"), unsigned("nOnE"), unsigned("RS256"), unsigned(""),
    with_public_key_as_secret(), with_public_key_as_secret("sha512", "HS512"),
    token(OTHER), token(OTHER, headers={"kid": "../../keys.pem"}),
    token(OTHER, headers={"jwk": jwk(OTHER, "mine")}),
    token(OTHER, headers={"jku": "https://evil.example.net/keys", "kid": "mine"}),
    token(OTHER, headers={"x5u": "https://evil.example.net/cert"}),
    token(RSA, "RS512"), token(RSA, "PS256"),
    token(headers={"crit": ["exp"], "exp": 1}), token(headers={"typ": "logout+jwt"}),
    token().rpartition(".")[0] + ".", token().rpartition(".")[0],
    token() + "A", "x", "", "a.b.c", "....", "é.é.é", token().replace(".", "..", 1),
    octets({"alg": "RS256"}) + "." + octets(b"[]") + "." + octets(b"x"),
    octets(b"[" * 4000) + ".e30.e30",
])
def test_forgeries_are_not_taken(world: World, forged: str) -> None:
    world.refuse(forged)


def test_another_payload_under_a_good_signature(world: World) -> None:
    head, _, signature = token().split(".")
    world.refuse(f"{head}.{octets(claims(preferred_username='root'))}.{signature}")


def test_too_long_is_not_read(world: World) -> None:
    assert "more than" in world.refuse(token(groups=["g" * 10_000]))


def test_a_secret_in_a_key_set_signs_nothing(tmp_path: Path) -> None:
    secret = hashlib.sha256(b"known to many").digest()
    file = tmp_path / "set.json"
    file.write_text(json.dumps({"keys": [
        {"kty": "oct", "kid": "s", "k": octets(secret)}, jwk(RSA, "r", use="enc"),
        jwk(EC, "e", use="sig")]}))
    world = World(tmp_path, keys_file=str(file), algorithms=("RS256", "ES256"))
    world.refuse(jwt.encode(claims(), secret, "HS256", {"kid": "s"}))
    world.refuse(token(headers={"kid": "r"}))
    assert world.enter(token(EC, "ES256", {"kid": "e"})).name == "dora"
    world.refuse(token(EC, "ES256", {"kid": "another"}))


def test_an_email_counts_when_it_is_verified(tmp_path: Path) -> None:
    world = World(tmp_path, user_claim="email", hadoop_user="{sub}")
    assert world.enter(token(email="d@example.net", email_verified=True)).name == "d@example.net"


def test_an_email_that_is_not_verified_is_anybodys(tmp_path: Path) -> None:
    world = World(tmp_path, user_claim="email", hadoop_user="{sub}")
    assert "not verified" in world.refuse(token(email="d@example.net"))


# --- beside other ways


def test_a_name_of_the_users_file_is_not_the_providers(gate: Gate, world: World) -> None:
    guard = Guard(gate.settings, gate.store)
    ways = [PasswordWay(gate.users, guard, passwords=gate.passwords), world.way]
    both = Authenticator(ways, guard, Directory(ways), "a realm")
    assert both.identify(Evidence(f"Bearer {token()}", HERE)).way == "jwt"
    with pytest.raises(NotAuthenticated, match="another user's"):
        both.identify(Evidence(f"Bearer {token(preferred_username='alice')}", HERE))


def test_the_challenge_says_what_is_wrong(world: World) -> None:
    guard = Guard(AuthSettings(), world.store)
    alone = Authenticator([world.way], guard, Directory([world.way]), 'a "realm"')
    assert alone.challenges(NotAuthenticated("no")) == ['Bearer realm="a \\"realm\\""']
    told = alone.challenges(InvalidToken('it "is" not\nright: é'))[0]
    assert told == ('Bearer realm="a \\"realm\\"", error="invalid_token",'
                    " error_description=\"it 'is' not'right: '\"")


def test_a_remembered_token_ends_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = token(exp=int(time.time()) + 300)
    who = world.enter(text)
    decoded: list[str] = []
    decode = jwt.decode
    monkeypatch.setattr(jwt, "decode", lambda *args, **options: decoded.append(args[0]) or decode(
        *args, **options))
    assert world.enter(text) == who
    assert decoded == []
    world.way._tokens._clock = lambda: time.time() + 331
    world.enter(text)
    assert decoded == [text]
    assert text not in repr(vars(world.way._tokens))


def test_who_came_is_known_for_a_while(world: World, tmp_path: Path) -> None:
    assert world.way.find("dora") is None
    who = world.enter(token())
    another = World(tmp_path, roles=("staff=auditor",), known_seconds=86400.0)
    found = another.way.find("dora")
    assert found
    assert found.principal.roles == {"auditor"}
    assert world.way.find("dora").principal == who  # type: ignore[union-attr]
    world.clock.now += 86401
    assert world.way.find("dora") is None


def test_nobody_is_known_where_that_is_turned_off(tmp_path: Path) -> None:
    world = World(tmp_path, known_seconds=0)
    world.enter(token())
    assert world.way.find("dora") is None
    assert list(world.store.scan("seen-jwt")) == []


# --- keys


def test_a_file_is_read_again(world: World) -> None:
    world.refuse(token(OTHER))
    world.file.write_text(pem(OTHER))
    wait_for("the new key", lambda: _taken(world, token(OTHER)))
    world.refuse(token(RSA))
    world.file.write_text("nothing")
    world.way._keys._watched._look(wait=True)  # type: ignore[attr-defined]
    assert world.enter(token(OTHER)).name == "dora"


def _taken(world: World, text: str) -> bool:
    try:
        world.enter(text)
    except InvalidToken:
        return False
    return True


@pytest.mark.parametrize("text", [
    "", "nothing", "{}", "[]", '{"keys": []}', '{"keys": {}}', '{"keys": [7]}',
    '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', '{"keys": [{"kty": "RSA", "n": "AQ"}]}',
    RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    pem(rsa.generate_private_key(65537, 1024)), "[" * 100_000, "{" * 100_000,
], ids=range(13))
def test_what_has_no_key_to_use(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@pytest.mark.parametrize("settings", [
    {"issuer": ""}, {"audience": ()}, {"keys_file": ""}, {"jwks_url": "https://a.example/keys"},
    {"keys_file": "", "jwks_url": "http://id.example.net/keys"},
    {"keys_file": "", "jwks_url": "ftp://localhost/keys"},
    {"keys_file": "", "jwks_url": "https:///keys"}, {"keys_file": "/nowhere"},
    {"ca_file": "/nowhere"},
], ids=str)
def test_settings_that_cannot_work(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        World(tmp_path, **settings)


class Provider:
    """Serves a key set on loopback, counts who asks, and can be away or slow."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.hold = threading.Event()
        self.hold.set()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                provider.hold.wait(30)
                body = json.dumps({"keys": provider.keys}).encode()
                self.send_response(provider.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.keys = [jwk(RSA, "one")]
    yield made
    made.hold.set()
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


@pytest.fixture
def keys(provider: Provider) -> tuple[UrlKeys, Clock]:
    clock = Clock()
    return UrlKeys(JwtSettings(jwks_url=provider.url, timeout=20.0), clock=clock), clock


def ids(keys: UrlKeys, kid: str) -> list[str]:
    return [key.kid for key in keys.known(kid)]


def test_keys_are_fetched_once_for_all(
    keys: tuple[UrlKeys, Clock], provider: Provider,
) -> None:
    provider.hold.clear()
    found: list[list[str]] = []
    crowd = [threading.Thread(target=lambda: found.append(ids(keys[0], "one")))
             for _ in range(10)]
    for each in crowd:
        each.start()
    wait_for("the first to ask", lambda: provider.asked)
    provider.hold.set()
    for each in crowd:
        each.join(60)
    assert found == [["one"]] * 10
    assert provider.asked == 1


def test_a_new_key_is_found_at_once_but_not_for_every_stranger(
    keys: tuple[UrlKeys, Clock], provider: Provider,
) -> None:
    known, clock = keys
    assert ids(known, "one") == ["one"]
    for i in range(50):
        assert ids(known, f"made up {i}") == ["one"]
    assert provider.asked == 1
    provider.keys.append(jwk(OTHER, "two"))
    clock.now += AGAIN_SECONDS
    assert ids(known, "two") == ["one", "two"]
    assert provider.asked == 2


def test_keys_are_renewed_beside_the_requests(
    keys: tuple[UrlKeys, Clock], provider: Provider,
) -> None:
    known, clock = keys
    ids(known, "one")
    provider.keys = [jwk(OTHER, "two")]
    provider.hold.clear()
    clock.now += 301
    assert ids(known, "one") == ["one"]
    provider.hold.set()
    wait_for("the new keys", lambda: ids(known, "") == ["two"])
    assert provider.asked == 2


@pytest.mark.parametrize("break_", [
    lambda provider: setattr(provider, "status", 500),
    lambda provider: setattr(provider, "status", 302),
    lambda provider: setattr(provider, "keys", []),
    lambda provider: setattr(provider, "keys", [{"kty": "oct", "k": "x" * 2**21}]),
], ids=["error", "redirect", "empty", "huge"])
def test_the_last_good_keys_stay(
    keys: tuple[UrlKeys, Clock], provider: Provider, break_: Callable[[Provider], None],
) -> None:
    known, clock = keys
    ids(known, "one")
    break_(provider)
    clock.now += 301
    assert ids(known, "two") == ["one"]
    assert provider.asked == 2


def test_away_from_the_start_is_not_wrong(
    keys: tuple[UrlKeys, Clock], provider: Provider,
) -> None:
    known, clock = keys
    provider.status = 503
    for _ in range(3):
        with pytest.raises(WayUnavailable):
            known.known("one")
    assert provider.asked == 1
    provider.status = 200
    clock.now += AGAIN_SECONDS
    assert ids(known, "one") == ["one"]
