"""Client certificates over the gateway's own TLS: users, strangers, and expired ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.deploy.front import Certificate, TlsGateway
from tests.gateway import wait_for
from tests.hadoop.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hadoop.certificates import Identity

pytestmark = pytest.mark.gunicorn


class Door(TlsGateway):
    """A gateway that asks for certificates of one authority, and takes passwords, too."""

    def ask(self, identity: Identity | None, auth: tuple[str, str] | None = None) -> int:
        cert = (str(identity.certificate), str(identity.key)) if identity else None
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                f"{self.url}/users/me", cert=cert, auth=auth, timeout=60,
                verify=str(self.certificate.file)).status_code


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Door]:
    directory = tmp_path_factory.mktemp("tls")
    made = Door(directory, Certificate(directory / "certificate"), workers=1, settings={
        "auth": {"ways": ["password", "certificate"]},
        "certificate": {"patterns": ["CN=([a-z]+)"], "hadoop_user": "alice",
                        "users": ["CN=retired=gone"]}})
    made._environment |= {"GATEWAY_TLS_CLIENT_CA": str(authority.file),
                          "GATEWAY_TLS_CLIENT_CERT": "optional"}
    with made:
        yield made


def test_a_certificate_of_the_authority_is_its_user(door: Door, authority: Authority) -> None:
    assert door.ask(authority.identity("frida")) == 200
    assert wait_for("the audit line", lambda: ("frida", "alice", "certificate") in {
        (line["user"], line["hadoopUser"], line["auth"]) for line in door.audit()})


def test_whom_no_rule_knows_is_nobody(door: Door, authority: Authority) -> None:
    assert door.ask(authority.identity("FRIDA")) == 401
    assert door.ask(authority.identity("retired")) == 401
    assert door.ask(None) == 401


def test_a_password_beside_a_certificate_counts(door: Door, authority: Authority) -> None:
    frida = authority.identity("frida")
    assert door.ask(frida, ("someone", "secret")) == 200
    assert wait_for("the audit line", lambda: ("someone", "password") in {
        (line["user"], line["auth"]) for line in door.audit()})
    assert door.ask(frida, ("someone", "wrong")) == 401


def test_another_authoritys_and_expired_ones_do_not_come_so_far(
    door: Door, authority: Authority, tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger")).identity("frida")
    expired = authority.identity("erik", days=0.5)
    for each in (stranger, expired):
        with pytest.raises(requests.ConnectionError):
            door.ask(each)
