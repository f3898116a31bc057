"""`httpfs-proxy check` without a cluster: each defect, and the sentence that tells of it."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from app.auth import keys_writer
from app.checks.report import Report, State
from app.checks.storage import check_directory
from app.state.sqlite import SqliteStore
from tests.hadoop.certificates import Authority
from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checks.conftest import Checked


@contextmanager
def nobody() -> Iterator[None]:
    """Have no more rights than everybody."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_what_is_right_is_told(checked: Checked) -> None:
    said = checked(auth={"allow_plain_http": True})
    assert (said.code, said.wrong) == (0, [])
    for line in (f"ok     configuration: {checked.config}: every setting is understood",
                 f"ok     data_dir: {checked.directory}/data can be written to by",
                 f"ok     users: {checked.users}: no mistakes, 1 users, 1 of them active",
                 "ok     sign-in: the way 'password' can be used",
                 f"note   backend: files lie in the local directory {checked.directory}/data/hdfs"):
        assert line in said.text
    assert re.search(r"\nnothing wrong, 1 to look at, \d+ right\n$", said.text)
    quiet = checked(auth={"allow_plain_http": True}, arguments=("--quiet",))
    assert quiet.text.splitlines()[0].startswith("note   backend")


def test_a_configuration_that_cannot_be_read(checked: Checked) -> None:
    for text, fault in (("backend: [", "gateway.yaml:1: "), ("backnd: {}", "unknown setting"),
                        ("backend: {url: 'ftp://x'}", "'ftp://x' is not")):
        checked.config.write_text(text)
        said = checked.run()
        assert len(said.wrong) == 1
        assert fault in said.wrong[0]
        assert "`httpfs-proxy settings` prints every setting, explained" in said.text


def test_a_users_file_with_mistakes(checked: Checked) -> None:
    checked.users_are({"alice": {"hadoop_usr": "x"}, "bob": {"root": "relative"},
                       "carol": {"password": "plain"}})
    said = checked()
    assert len(said.wrong) == 3
    assert "unknown key 'hadoop_usr'; known are" in said.text
    assert "user 'bob': root:" in said.text
    assert "plain" not in said.text.replace("in plain words", ""), "a password was told"
    checked.users.write_text("users: {}")
    assert "note   users: there is nobody who may come in" in checked().text
    checked.users.unlink()
    assert f"there is no users file {checked.users} (setting auth.users_file)" in checked().text


def test_files_that_all_may_read(checked: Checked) -> None:
    checked.users.chmod(0o644)
    said = checked()
    assert f"everyone on this host can read {checked.users}, with its password hashes" in said.text
    assert f"chmod o-rwx {checked.users}" in said.text


def test_access_keys_that_another_master_key_sealed(checked: Checked) -> None:
    keys, master = checked.directory / "keys.yaml", checked.directory / "keys.master"
    made = keys_writer.create_key(keys, master, "alice")
    assert f"ok     access keys: {keys}: 1 keys, which the master key opens" in checked().text
    keys_writer.create_key(keys, master, "nobody")
    assert "there are keys of users that" in checked().notes[0]
    master.unlink()
    keys_writer.create_key(checked.directory / "k", master, "alice")
    said = checked()
    assert "does not open the secret of access key" in said.wrong[0]
    assert made.secret not in said.text


def test_where_the_gateways_own_lies(checked: Checked) -> None:
    file = checked.directory / "file"
    file.touch()
    said = checked(data_dir=str(file / "below"))
    assert f"WRONG  data_dir: {file}/below: {file} is no directory" in said.text
    said = checked(data_dir=str(checked.directory / "new" / "data"))
    assert f"{checked.directory}/new/data is not there yet: the gateway makes it" in said.text
    assert not said.wrong


def test_a_directory_that_may_not_be_written_to() -> None:
    report = Report()
    with TemporaryDirectory(dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o555)
        with nobody():
            check_directory(directory, "data_dir", report)
            check_directory(directory / "data", "data_dir", report)
    for found in report.findings:
        assert (found.state, found.about) == (State.WRONG, "data_dir")
        assert f"may not write to {directory}" in found.said
        assert "chown httpfs-proxy" in found.mend
    assert len(report.findings) == 2


def test_the_state_store(checked: Checked) -> None:
    state = checked.directory / "data" / "state.db"
    SqliteStore(state).close()
    assert f"ok     state store: {state} can be read and written" in checked().text
    state.write_bytes(b"something else")
    assert f"{state} is no database of SQLite" in checked().text
    port = free_port()
    for url in (f"redis://u:pass-word@127.0.0.1:{port}/0",
                f"postgresql://u:pass-word@127.0.0.1:{port}/db?sslmode=disable"):
        said = checked(state_url=url)
        assert f"WRONG  state store: {url.partition(':')[0]}:… cannot be used: " in said.text
        assert "mend its address, user or password in state_url" in said.text
        assert "pass-word" not in said.text
    said = checked(state_url="redis://u:pass-word@#/0")
    assert said.wrong
    assert "pass-word" not in said.text


def test_the_gateways_certificate(checked: Checked, authority: Authority) -> None:
    good = authority.identity("good", "files.example.net", days=100)
    said = checked(web={"public_url": "https://files.example.net"}, environment={
        "GATEWAY_TLS_CERT": str(good.certificate), "GATEWAY_TLS_KEY": str(good.key),
        "GATEWAY_TLS_CLIENT_CA": str(authority.file)})
    assert not said.wrong
    assert f"ok     TLS: {good.certificate}: certificate of 'CN=good', and its key" in said.text
    assert f"ok     TLS: {good.certificate}: it is for files.example.net" in said.text
    assert f"ok     TLS: {authority.file}: trusts 'CN=The authority'" in said.text


def test_a_certificate_and_key_that_do_not_belong_together(
    checked: Checked, authority: Authority,
) -> None:
    one, two = (authority.identity(name, "localhost") for name in ("one", "two"))
    said = checked(environment={
        "GATEWAY_TLS_CERT": str(one.certificate), "GATEWAY_TLS_KEY": str(two.key)})
    assert (f"WRONG  TLS: the key in {two.key} does not belong to the certificate in"
            f" {one.certificate}") in said.text


def test_certificates_that_are_not_good_now(checked: Checked, authority: Authority) -> None:
    old = authority.identity("old", "localhost", days=0.5)
    said = checked(environment={
        "GATEWAY_TLS_CERT": str(old.certificate), "GATEWAY_TLS_KEY": str(old.key)})
    assert f"WRONG  TLS: {old.certificate}: the certificate of 'CN=old' has expired on" in said.text
    assert "have it renewed" in said.text
    soon = authority.identity("soon", "localhost", days=10)
    said = checked(environment={
        "GATEWAY_TLS_CERT": str(soon.certificate), "GATEWAY_TLS_KEY": str(soon.key)})
    assert not said.wrong
    assert any("the certificate of 'CN=soon' expires on" in note for note in said.notes)


def test_names_that_the_certificate_does_not_have(checked: Checked, authority: Authority) -> None:
    star = authority.identity("star", "*.example.net", days=100)
    environment = {"GATEWAY_TLS_CERT": str(star.certificate), "GATEWAY_TLS_KEY": str(star.key)}
    said = checked(web={"public_url": "https://files.example.net:8443"}, environment=environment)
    assert not said.wrong
    said = checked(web={"public_url": "https://example.net"},
                   s3={"hosts": ["s3.other.net"]}, environment=environment)
    assert "it is not for 'example.net' (web.public_url)" in said.text
    assert "it is not for 's3.other.net' (s3.hosts)" in said.text
    bare = authority.identity("bare", days=100)
    said = checked(environment={
        "GATEWAY_TLS_CERT": str(bare.certificate), "GATEWAY_TLS_KEY": str(bare.key)})
    assert "the certificate has no subjectAltName" in said.text


def test_a_chain_in_the_wrong_order(checked: Checked, authority: Authority, tmp_path: Path) -> None:
    leaf = authority.identity("leaf", "localhost", days=100)
    stranger = Authority(tmp_path / "other", "stranger")
    chain = tmp_path / "chain.pem"

    def said(*parts: Path) -> str:
        chain.write_bytes(b"".join(part.read_bytes() for part in parts))
        return checked(environment={
            "GATEWAY_TLS_CERT": str(chain), "GATEWAY_TLS_KEY": str(leaf.key)}).text

    assert "WRONG" not in said(leaf.certificate, authority.file)
    assert "the certificate that belongs to the key is not the first" in said(
        authority.file, leaf.certificate)
    assert "'CN=The stranger', which does not vouch for it" in said(leaf.certificate, stranger.file)


def test_files_that_are_no_certificates(
    checked: Checked, authority: Authority, tmp_path: Path,
) -> None:
    sealed = authority.identity("sealed", "localhost", days=100, password="not to be told")
    text = checked(environment={"GATEWAY_TLS_CERT": str(sealed.certificate),
                                "GATEWAY_TLS_KEY": str(sealed.key)}).text
    assert f"WRONG  TLS: the key in {sealed.key} has a passphrase" in text
    text = checked(environment={"GATEWAY_TLS_CERT": str(sealed.key)}).text
    assert f"{sealed.key} holds no certificate in PEM" in text
    text = checked(environment={"GATEWAY_TLS_CERT": str(sealed.certificate)}).text
    assert f"{sealed.certificate} holds no private key in PEM" in text
    text = checked(environment={"GATEWAY_TLS_CERT": "/no/such"}).text
    assert "/no/such cannot be read: No such file" in text
    text = checked(environment={"GATEWAY_TLS_KEY": str(sealed.key)}).text
    assert "GATEWAY_TLS_CERT is not: the gateway does not start" in text
    sealed.key.chmod(0o644)


def test_a_backend_that_is_away(checked: Checked) -> None:
    port = free_port()
    said = checked(backend={
        "url": f"http://127.0.0.1:{port}",
        "clusters": [f"lab=http://no-such-host.invalid:{port}"], "mounts": ["/lab=lab:/data"]})
    assert f"WRONG  backend: http://127.0.0.1:{port}: no connection: Connection refused" in (
        said.text)
    assert "WRONG  cluster 'lab': http://no-such-host.invalid" in said.text
    assert "nobody knows a host 'no-such-host.invalid'" in said.text
    assert "/lab (lab:/data) could not be looked at: its cluster does not answer" in said.text


def test_what_is_wrong_with_tls_of_a_backend_in_files(
    checked: Checked, authority: Authority,
) -> None:
    one, two = authority.identity("one"), authority.identity("two")
    port = free_port()
    said = checked(backend={
        "url": f"https://localhost:{port}", "client_cert": str(one.certificate),
        "client_key": str(two.key), "ca_file": "/no/such"})
    assert "WRONG  backend: /no/such cannot be read" in said.text
    assert f"the key in {two.key} does not belong to the certificate in {one.certificate}" in (
        said.text)
    said = checked(backend={"url": f"https://localhost:{port}", "client_key": str(two.key)})
    assert "WRONG  backend: backend.client_key: is set, and 'backend.client_cert' is not" in (
        said.text)


def test_mounts_of_clusters_that_are_not_there(checked: Checked) -> None:
    said = checked(backend={"mounts": ["/lab=lab:/data"]})
    assert "WRONG  mounts: backend.mounts: '/lab' is of the cluster 'lab'" in said.text


def test_a_directory_of_users_that_is_away(checked: Checked) -> None:
    port = free_port()
    said = checked(auth={"ways": ["password", "ldap"]}, ldap={
        "urls": [f"ldap://127.0.0.1:{port}"], "start_tls": False, "timeout": 1,
        "bind_dn": "cn=gateway", "bind_password": "not to be told",
        "search_base": "ou=people,dc=example"})
    assert [line for line in said.wrong if line.startswith("WRONG  sign-in: the way 'ldap': LDAP")]
    assert "ok     sign-in: the way 'password' can be used" in said.text
    assert "not to be told" not in said.text


def test_tokens_without_who_signs_them(checked: Checked) -> None:
    said = checked(auth={"ways": ["jwt"]})
    assert len(said.wrong) == 1
    assert said.wrong[0].startswith("WRONG  sign-in: ")
    assert "jwt." in said.wrong[0]


def test_no_users_file_where_none_is_needed(checked: Checked) -> None:
    checked.users.unlink()
    said = checked(auth={"ways": ["certificate"]}, certificate={"patterns": ["CN=([a-z]+)"]})
    assert f"ok     users: there is no users file {checked.users}, and no way" in said.text
    assert not said.wrong


def test_kerberos_without_its_keytab(checked: Checked) -> None:
    port = free_port()
    said = checked(backend={"url": f"http://localhost:{port}", "principal": "gateway@EXAMPLE.COM",
                            "keytab": str(checked.directory / "no.keytab")})
    assert any(line.startswith("WRONG  backend: backend.keytab") for line in said.wrong)
    assert "see docs/secured-clusters.md" in said.text
    said = checked(backend={"url": f"http://localhost:{port}", "principal": "gateway@EXAMPLE.COM"})
    assert "WRONG  backend: backend.keytab: is needed where backend.principal is set" in said.text
