"""Settings come from a file and the environment, and are refused with a reason."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from app import settings
from app.settings_docs import default_of, example_yaml, markdown_tables
from app.strict_yaml import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.example.yaml"
DECLARED = [(prefix, each) for prefix, section in settings.sections().items()
            for each in fields(section) if each.metadata]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.yaml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_need_no_file() -> None:
    read = settings.read(environment={})
    assert read.source is None
    assert read.data_dir == Path("data")
    assert read.backend.url == ("embedded:",)
    assert read.web.metrics_from == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    with pytest.raises(FrozenInstanceError):
        read.data_dir = Path("elsewhere")  # type: ignore[misc]


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(file: Path) -> None:
    file.write_text("backend:\n  read_timeout: 7.5\n  connect_timeout: 3\nlog:\n")
    read = settings.read(file, {"GATEWAY_BACKEND_CONNECT_TIMEOUT": "4",
                                "GATEWAY_AUTH_ALLOW_PLAIN_HTTP": "yes",
                                "GATEWAY_WEB_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
                                "GATEWAY_BACKEND_URL": "http://a:1;http://b:2/"})
    assert read.source == file
    assert read.backend.read_timeout == 7.5
    assert read.backend.connect_timeout == 4
    assert read.auth.allow_plain_http is True
    assert read.web.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert read.backend.url == ("http://a:1", "http://b:2")
    assert read.log == settings.LogSettings()


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/gateway.yaml").write_text("state_url: 'sqlite:///default'")
    (tmp_path / "named.yaml").write_text("state_url: 'sqlite:///named'")
    assert settings.read(environment={}).state_url == "sqlite:///default"
    named = {"GATEWAY_CONFIG": str(tmp_path / "named.yaml")}
    assert settings.read(environment=named).state_url == "sqlite:///named"
    with pytest.raises(ConfigError, match="cannot be read"):
        settings.read(environment={"GATEWAY_CONFIG": "missing.yaml"})


@pytest.mark.parametrize(("text", "line", "problem"), [
    ("bakend: {}", 1, "unknown setting 'bakend' in the file; known are: data_dir, "),
    ("auth:\n  cache: 1", 2, "unknown setting 'cache' in auth; known are: users_file, "),
    ("auth: 1", 1, "'auth' must be a map"),
    ("- a", 1, "'the file' must be a map"),
    ("\nbackend:\n  kind: hdfs", 3, "'backend.kind': 'hdfs' is none of auto, namenode, httpfs"),
    ("backend: {url: ftp://x}", 1, "'ftp://x' is not `http(s)://host:port`"),
    ("backend: {url: [http://a:1, 'embedded:']}", 1, "'embedded:' is not"),
    ("backend: {url: ['http://a:1', 'https://b:2']}", 1, "by https, or by http, and not some"),
    ("backend: {url: []}", 1, "[] is not"),
    ("backend: {pool_size: 0}", 1, "0 is not a whole number from 1"),
    ("backend: {pool_size: 1.5}", 1, "1.5 is not a whole number"),
    ("backend: {read_timeout: soon}", 1, "'soon' is not a number of seconds"),
    ("backend: {read_timeout: -1}", 1, "-1 is not a number of seconds"),
    ("auth: {allow_plain_http: maybe}", 1, "'maybe' is neither true nor false"),
    ("files: {file_permission: 0664}", 1, "436 is not 1 to 4 octal digits in quotes"),
    ("files: {file_permission: '888'}", 1, "'888' is not 1 to 4 octal digits"),
    ("web: {trusted_proxies: 1}", 1, "1 is not a list of IP addresses"),
    ("web: {trusted_proxies: [10.0.0.1/8]}", 1, "has host bits set"),
    ("web: {gzip_level: 10}", 1, "10 is not a whole number from 1 to 9"),
    ("data_dir: [a]", 1, "['a'] is not text"),
    ("data_dir: a\ndata_dir: b", 2, "'data_dir' is here twice"),
])
def test_a_wrong_value_is_told_with_its_line(
    file: Path, text: str, line: int, problem: str,
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings.read(file, {})
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert problem in str(caught.value)


def test_a_wrong_environment_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="environment variable GATEWAY_BACKEND_POOL_SIZE: 'x'"):
        settings.read(environment={"GATEWAY_BACKEND_POOL_SIZE": "x"})


@pytest.mark.parametrize(("prefix", "declared"), DECLARED)
def test_each_setting_has_a_sound_default_and_a_help_text(prefix: str, declared: object) -> None:
    metadata = declared.metadata  # type: ignore[attr-defined]
    metadata["kind"].parse(declared.default)  # type: ignore[attr-defined]
    assert len(metadata["help"]) > 5
    assert metadata["help"].endswith(".")


def test_the_committed_example_is_what_the_settings_say() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example_yaml(), (
        "run `httpfs-proxy settings > config/gateway.example.yaml`")


def test_the_example_is_the_defaults() -> None:
    assert replace(settings.read(EXAMPLE, {}), source=None) == settings.read(environment={})


def test_the_tables_show_every_setting() -> None:
    rows = [line for line in markdown_tables().splitlines() if line.startswith("| `")]
    assert len(rows) == len(DECLARED)
    for row, (prefix, declared) in zip(rows, DECLARED, strict=True):
        name = f"{prefix}.{declared.name}" if prefix else declared.name
        assert row.startswith(f"| `{name}` | `{default_of(declared)}` | ")
        assert row.count("|") - row.count("\\|") == 5


def test_a_variable_that_names_no_setting_is_an_error() -> None:
    with pytest.raises(ConfigError, match="GATEWAY_BACKEND_READTIMEOUT: there is no such setting"):
        settings.read(environment={"GATEWAY_BACKEND_READTIMEOUT": "3"})


def test_bounds_of_replication_must_leave_room(file: Path) -> None:
    file.write_text("files:\n  replication_min: 5\n  replication_max: 2\n")
    with pytest.raises(ConfigError, match=r"gateway.yaml:2: .*replication_min"):
        settings.read(file, environment={})
