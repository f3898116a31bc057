"""What `make run` does: a first user with an access key, a configuration, and gunicorn over both.

Everything lies in one directory (DATA) and is made where it is missing; nothing that is there is
changed, so that the same command serves the same users and files again.

    DATA, PORT, BACKEND  where the state lies, the port on 127.0.0.1 (the next one is S3's), the
                         backend's URL (empty: as gateway.yaml says, at first the embedded one)
    DEMO_USER            the first user (someone); one that is missing is added
    DEMO_HDFS_USER       whom HDFS sees (the same name)
    DEMO_PASSWORD        that user's password; without it one is made up and shown once

The first time, loopback is opened to the clients of Alluxio and AIStore, which mostly send no
password: they are the user `loopback`, who is the first user's Hadoop user with the home directory
as `/`.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_USER = "someone"
LOOPBACK_USER = "loopback"
PASSWORD_BYTES = 18
LAST_PORT = 2**16 - 1

CONFIGURATION = """\
# Made by `make run`, and yours from now on: it is not written again.
# config/gateway.example.yaml explains every setting.
data_dir: {data}
backend:
  # `make run BACKEND=…` wins over this.
  url: "embedded:"
auth:
  users_file: {users}
{networks}s3:
  keys_file: {keys}
  master_key_file: {master}
"""
NETWORKS = f"""\
  # Clients of Alluxio and AIStore on this host need no password: remove the line where others use
  # it, too.
  networks: ["127.0.0.0/8={LOOPBACK_USER}", "::1={LOOPBACK_USER}"]
"""


def main() -> None:
    """Prepare, tell how to try it, and become gunicorn."""
    environment = os.environ
    data = Path(environment.get("DATA") or "data").resolve()
    port = _port(environment.get("PORT") or "8080")
    config = prepare_configuration(data)
    user, generated = prepare_user(config, data / "users.yaml", environment)
    if user:
        _tell(user, generated, f"http://127.0.0.1:{port}")
        _tell_s3(user, prepare_key(config, user), f"http://127.0.0.1:{port + 1}")
    _tell_networks(config, f"http://127.0.0.1:{port}")
    _serve(config, port, environment.get("BACKEND", ""))


def prepare_configuration(data: Path) -> Path:
    """Return the configuration file in `data`, made where it is missing.

    It maps loopback to a user only where there are no users yet: nothing is opened to those.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    config, users = data / "gateway.yaml", data / "users.yaml"
    if not config.exists():
        config.write_text(CONFIGURATION.format(
            data=_quoted(data), users=_quoted(users), keys=_quoted(data / "keys.yaml"),
            master=_quoted(data / "keys.master"), networks="" if users.exists() else NETWORKS))
    return config


def prepare_user(
    config: Path, users: Path, environment: Mapping[str, str],
) -> tuple[str, str]:
    """Add the first user where missing; return the name, and the password if it was made up.

    The name is empty when there are users and none was asked for: then anybody may be first.
    """
    asked = environment.get("DEMO_USER", "")
    if users.exists() and not asked:
        return "", ""
    name = asked or DEFAULT_USER
    if users.exists() and name in _names(users):
        return name, ""
    given = environment.get("DEMO_PASSWORD", "")
    password = given or secrets.token_urlsafe(PASSWORD_BYTES)
    hadoop_user = environment.get("DEMO_HDFS_USER") or name
    first = not users.exists()
    # Who is nobody special can make directories, which are S3's buckets, in their home only.
    print(_app("users", "add", "--config", config, name, "--hadoop-user", hadoop_user,
               "--bucket-root", f"/user/{hadoop_user}", typed=password + "\n"), end="")
    if first and name != LOOPBACK_USER and _mapped(config):
        # Alluxio's own examples write into `/`; nobody is told the password.
        print(_app("users", "add", "--config", config, LOOPBACK_USER, "--hadoop-user", hadoop_user,
                   "--root", f"/user/{hadoop_user}",
                   typed=secrets.token_urlsafe(PASSWORD_BYTES) + "\n"), end="")
    return name, "" if given else password


def prepare_key(config: Path, user: str) -> tuple[str, str] | None:
    """Make the first access key, for `user`; return id and secret, None where there are keys."""
    from app import settings  # noqa: PLC0415 - few runs get here

    if (ROOT / settings.read(config).s3.keys_file).exists():
        return None
    key_id, secret = _app("keys", "create", "--config", config, "--quiet", user).split()
    return key_id, secret


def _mapped(config: Path) -> tuple[str, ...]:
    """Return the networks that need no password for Alluxio and AIStore, with their users."""
    from app import settings  # noqa: PLC0415 - as long as nothing is wrong before
    from app.strict_yaml import ConfigError  # noqa: PLC0415

    try:
        return settings.read(config).auth.networks
    except ConfigError:
        return ()  # The gateway is about to say what is wrong.


def _app(*arguments: str | Path, typed: str = "") -> str:
    """Run a command of the gateway's own and return what it printed."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "app", *arguments], input=typed, text=True, check=True, cwd=ROOT,
        stdout=subprocess.PIPE)
    return done.stdout


def _names(users: Path) -> set[str]:
    from app.auth.users_file import read_users  # noqa: PLC0415 - few runs get here

    return set(read_users(users))


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        sys.exit(f"PORT={text} is not a port number")
    if int(text) == LAST_PORT:
        sys.exit(f"PORT={text} leaves no next port for S3")
    return int(text)


def _tell(user: str, generated: str, url: str) -> None:
    if generated:
        print(f"The password of {user} is {generated}  (shown this once)")
    password = f":{generated}" if generated else ""
    print(f"Try: curl -u '{user}{password}' '{url}/f/home-directory'", flush=True)


def _tell_s3(user: str, key: tuple[str, str] | None, url: str) -> None:
    command = f"aws --region us-east-1 --endpoint-url {url} s3 mb s3://first-bucket"
    if key is None:
        print(f"S3:  {command}", flush=True)
        return
    print(f"The first access key of {user} is {key[0]}, its secret {key[1]}  (shown this once)")
    print(f"S3:  AWS_ACCESS_KEY_ID={key[0]} AWS_SECRET_ACCESS_KEY={key[1]} {command}", flush=True)


def _tell_networks(config: Path, url: str) -> None:
    mapped = _mapped(config)
    if mapped:
        print(f"Alluxio: curl -X POST '{url}/api/v1/paths///get-status'  # no password from"
              f" {', '.join(mapped)}: see auth.networks in {config}")
        print(f"AIStore: curl '{url}/v1/buckets/*'  # nor here", flush=True)


def _serve(config: Path, port: int, backend: str) -> NoReturn:
    environment = {"GATEWAY_S3_PORTS": str(port + 1), **os.environ, "GATEWAY_CONFIG": str(config),
                   "GATEWAY_BIND": f"127.0.0.1:{port},127.0.0.1:{port + 1}"}
    if backend:
        environment["GATEWAY_BACKEND_URL"] = backend
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    os.chdir(ROOT)
    os.execve(gunicorn, [  # noqa: S606 - gunicorn takes this process's place, and its signals
        gunicorn, "--config", "deploy/gunicorn.conf.py", "app:create_app()"], environment)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
