"""The page about clusters with Kerberos: its examples are read, its table has all messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from app.fs import kerberos_faults, kerberos_login
from app.settings import read

PAGE = Path(__file__).resolve().parents[2] / "docs" / "secured-clusters.md"
CODE = ("kerberos", "kerberos_faults", "kerberos_login", "keytab", "negotiation", "faults",
        "webhdfs")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


def messages() -> list[str]:
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [row[0].removeprefix("| ") for row in rows if row[0] not in ("| message", "| ---")]


def test_the_settings_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(block("yaml"))
    backend = read(file, {}).backend
    assert backend.principal.startswith("gateway/")
    assert backend.keytab
    assert backend.probe_user
    assert len(backend.url) == 2


def test_the_proxyuser_lines_are_hadoop_s() -> None:
    names = [name.text for name in fromstring(block("xml")).iter("name")]
    assert names == ["hadoop.proxyuser.gateway.hosts", "hadoop.proxyuser.gateway.groups"]


@pytest.mark.parametrize("message", messages())
def test_a_message_of_the_table_is_said_by_the_code(message: str) -> None:
    folder = Path(kerberos_faults.__file__).parent
    source = "".join((folder / f"{name}.py").read_text() for name in CODE)
    said = re.sub(r'"\s*\n?\s*f?"', "", source)
    said = said.replace("{self._cluster.auth.own_user}", "gateway").replace(
        "{self._settings.probe_user}", "alice")
    assert message in said


def test_the_table_has_what_the_kdc_and_servers_can_say() -> None:
    causes = {*kerberos_faults._CAUSES.values(), *(cause for _, cause in
                                                   kerberos_faults._SERVER_SAYS)}
    known = messages()
    assert [cause.said for cause in causes
            if not any(message in cause.said for message in known)] == []


def test_what_to_install_is_what_the_error_says() -> None:
    (packages,) = re.findall(r"apt-get install (.*)", block("sh"))
    for package in ("gcc", "python3-dev", "libkrb5-dev"):
        assert package in packages.split()
        assert package in kerberos_login.INSTALL
