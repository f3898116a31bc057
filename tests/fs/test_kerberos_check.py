"""What is said of wrong keytabs, principals, clocks and KDCs, by a real KDC and in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.errors import UpstreamFault, UpstreamUnavailable
from app.fs import kerberos_login
from app.fs.authentication import login
from app.fs.kerberos_check import problems
from app.fs.webhdfs import WebHdfsBackend
from app.settings import BackendSettings
from tests.hadoop.kdc import Kdc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRINCIPAL = "gateway/localhost@EXAMPLE.COM"
NOBODY = "http://localhost:9"
"""A server whose HTTP principal the KDC knows, and that is not there."""
KEY = "does not accept the key in the keytab"


@pytest.fixture(scope="module")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    with Kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        kdc.keytab("http.keytab", "HTTP/localhost")
        yield kdc


@pytest.fixture(autouse=True)
def configured(kdc: Kdc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have this process ask this KDC, with a ticket cache named that must not come to be."""
    monkeypatch.setenv("KRB5_CONFIG", str(kdc.config))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'login-cache'}")


def settings(keytab: Path, **more: Any) -> BackendSettings:
    chosen = {"url": (NOBODY,), "principal": PRINCIPAL, "keytab": str(keytab),
              "service_principal": "HTTP/_HOST", "connect_timeout": 5.0, "retry_deadline": 0.0}
    return BackendSettings(**(chosen | more))


def assert_told(chosen: BackendSettings, said: str, kind: type[Exception]) -> None:
    """Look at the check's one sentence, and at what a gateway with these settings answers."""
    (sentence,) = problems(chosen)
    assert said in sentence
    backend = WebHdfsBackend(chosen)
    with pytest.raises(kind, match=r"Kerberos|cannot be reached") as raised:
        backend.probe(5.0)
    assert said in str(raised.value) or kind is UpstreamUnavailable
    assert chosen.keytab not in str(raised.value)
    backend.close()


def test_nothing_is_said_without_kerberos() -> None:
    assert problems(BackendSettings(url=(NOBODY,))) == []


def test_all_is_well_but_for_the_server(kdc: Kdc, tmp_path: Path) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    (sentence,) = problems(settings(keytab))
    assert sentence.startswith(f"{NOBODY}: ")
    assert "refused" in sentence
    assert not (tmp_path / "login-cache").exists()


def test_half_of_the_settings(tmp_path: Path) -> None:
    (sentence,) = problems(settings(tmp_path, principal=""))
    assert "backend.principal: is needed where backend.keytab is set" in sentence


def test_a_keytab_that_is_not_there(tmp_path: Path) -> None:
    assert_told(settings(tmp_path / "nothing"), "the keytab does not exist", UpstreamFault)


def test_a_keytab_of_others(kdc: Kdc) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    chosen = settings(keytab, principal="another/localhost@EXAMPLE.COM")
    assert_told(chosen, "holds no key of another/localhost@EXAMPLE.COM", UpstreamFault)


def test_a_keytab_with_an_old_key(kdc: Kdc) -> None:
    keytab = kdc.keytab("old.keytab", "old/localhost")
    kdc.change_key("old/localhost")
    assert_told(settings(keytab, principal="old/localhost@EXAMPLE.COM"), KEY, UpstreamFault)


def test_a_principal_that_the_kdc_does_not_know(kdc: Kdc) -> None:
    keytab = kdc.keytab("gone.keytab", "gone/localhost")
    kdc.delete("gone/localhost")
    assert_told(settings(keytab, principal="gone/localhost@EXAMPLE.COM"),
                "the KDC does not know the gateway's principal", UpstreamFault)


def test_a_server_that_the_kdc_does_not_know(kdc: Kdc) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    assert_told(settings(keytab, url=("http://127.0.0.1:9",)),
                "does not know the HTTP principal of the server HTTP/127.0.0.1@EXAMPLE.COM",
                UpstreamFault)


def test_a_realm_that_krb5_conf_does_not_know(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    other = kdc.directory / "other.conf"
    other.write_text("[libdefaults]\ndefault_realm = EXAMPLE.COM\ndns_lookup_kdc = false\n")
    monkeypatch.setenv("KRB5_CONFIG", str(other))
    assert_told(settings(keytab), "no KDC is configured for the realm", UpstreamFault)


def test_clocks_that_differ(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    strict = kdc.directory / "strict.conf"
    # By default MIT's library follows the KDC's clock.
    strict.write_text(kdc.config.read_text().replace(
        "[libdefaults]", "[libdefaults]\n    kdc_timesync = 0"))
    monkeypatch.setenv("KRB5_CONFIG", str(strict))
    kdc.kill()
    kdc.start(clock="+2h")
    try:
        assert_told(settings(keytab), "the clocks of this host and of the KDC", UpstreamFault)
    finally:
        kdc.kill()
        kdc.start()


def test_no_kdc(kdc: Kdc) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    kdc.kill()
    try:
        assert_told(settings(keytab), "no KDC of the realm answers", UpstreamUnavailable)
    finally:
        kdc.start()


def test_tickets_that_a_server_refuses_are_got_again_where_they_are_old(
    kdc: Kdc, monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = login(settings(kdc.keytab("gateway.keytab", "gateway/localhost")))
    asking.prove("localhost")
    before = kdc.issued("AS_REQ", "gateway/localhost")
    assert not asking.forget()
    asking.prove("localhost")
    assert kdc.issued("AS_REQ", "gateway/localhost") == before
    monkeypatch.setattr(kerberos_login, "OLD_SECONDS", 0.0)
    assert asking.forget()
    asking.prove("localhost")
    assert kdc.issued("AS_REQ", "gateway/localhost") == before + 1


def test_a_keytab_that_others_may_read(kdc: Kdc) -> None:
    keytab = kdc.keytab("gateway.keytab", "gateway/localhost")
    keytab.chmod(0o640)
    exposed, _ = problems(settings(keytab))
    assert exposed.endswith("is open to others than its owner (0640): chmod 600 it")
