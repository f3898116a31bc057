"""State stores over TLS: certificates and names are checked unless the URL says otherwise."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from app.core.errors import StorageFault
from app.state.postgres import PostgresStore
from app.state.redis import RedisStore
from tests.deploy.front import Certificate

from .servers import PASSWORD, PostgresServer, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

UNNAMED = "127.0.0.2"
"""An address that the servers listen on and their certificate does not name."""


class TlsRedis(RedisServer):
    def prepare(self) -> None:
        super().prepare()
        self.certificate = Certificate(self.directory)

    def command(self) -> list[str]:
        certificate = self.certificate
        return [*super().command(), "--port", "0", "--tls-port", str(self.port),
                "--bind", "127.0.0.1", UNNAMED, "--tls-auth-clients", "no",
                "--tls-cert-file", str(certificate.file), "--tls-key-file", str(certificate.key)]

    def answers(self) -> bool:
        store = RedisStore(self.secure())
        try:
            return store.get("space", "key") is None
        except StorageFault:
            return False
        finally:
            store.close()

    def secure(self, host: str = "127.0.0.1", *, trust: bool = True) -> str:
        url = self.url().replace("redis://", "rediss://").replace("127.0.0.1", host)
        return f"{url}&ssl_ca_certs={self.certificate.file}" if trust else url


class TlsPostgres(PostgresServer):
    def prepare(self) -> None:
        super().prepare()
        self.certificate = Certificate(self.directory)
        shutil.chown(self.certificate.key, (self.directory / "data").owner())

    def command(self) -> list[str]:
        return [*super().command(), "-c", "ssl=on",
                "-c", f"listen_addresses=127.0.0.1,{UNNAMED}",
                "-c", f"ssl_cert_file={self.certificate.file}",
                "-c", f"ssl_key_file={self.certificate.key}"]

    def secure(self, host: str = "127.0.0.1", *, mode: str = "", trust: bool = True) -> str:
        url = self.url().partition("?")[0].replace("127.0.0.1", host)
        options = [f"sslmode={mode}"] * bool(mode)
        options += [f"sslrootcert={self.certificate.file}"] * trust
        return "?".join([url, "&".join(options)] if options else [url])


@pytest.fixture(scope="module")
def redis() -> Iterator[TlsRedis]:
    with TlsRedis() as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[TlsPostgres]:
    with TlsPostgres() as server:
        yield server


def test_a_checked_connection_serves_and_is_kept(redis: TlsRedis, postgres: TlsPostgres) -> None:
    for store in (RedisStore(redis.secure()), PostgresStore(postgres.secure()),
                  PostgresStore(postgres.secure(mode="verify-full"))):
        store.put("space", "key", {"n": 1})
        kept = [idle.connection for idle in store._pool._idle]
        for _ in range(3):
            assert store.get("space", "key") == {"n": 1}
        assert [idle.connection for idle in store._pool._idle] == kept
        store.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    redis: TlsRedis, postgres: TlsPostgres,
) -> None:
    for store in (RedisStore(redis.secure(trust=False)),
                  PostgresStore(postgres.secure(trust=False))):
        with pytest.raises(StorageFault, match="certificate verify failed") as caught:
            store.get("space", "key")
        assert PASSWORD not in str(caught.value)


def test_another_hosts_certificate_is_refused(redis: TlsRedis, postgres: TlsPostgres) -> None:
    for store in (RedisStore(redis.secure(UNNAMED)), PostgresStore(postgres.secure(UNNAMED))):
        with pytest.raises(StorageFault, match="IP address mismatch"):
            store.get("space", "key")


def test_sslmode_require_encrypts_and_checks_nothing(postgres: TlsPostgres) -> None:
    url = postgres.secure(UNNAMED, mode="require", trust=False)
    store = PostgresStore(url)
    store.put("space", "key", {})
    with postgres.client_of(url) as client:
        assert client.run(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE application_name = 'httpfs-proxy' AND datname = current_database()",
        ) == [[True]]
    store.close()


def test_a_server_without_tls_gets_no_password() -> None:
    with PostgresServer() as plain:
        store = PostgresStore(plain.url().partition("?")[0])
        with pytest.raises(StorageFault, match="Server refuses SSL"):
            store.get("space", "key")
