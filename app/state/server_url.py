"""The URL of a state store on a server: `scheme://user:password@host:port/database?option=value`.

Whatever is wrong with one, the message shows nothing of it but its scheme: where a password was
not percent-encoded, any part may hold a piece of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from app.strict_yaml import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENCODE = ("; characters of a user, password or database other than letters, digits and -._~"
           " must be percent-encoded")


class ServerUrl(NamedTuple):
    """The parts of a URL, decoded; what is absent is empty."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    database: str
    options: Mapping[str, str]

    @property
    def shown(self) -> str:
        """What logs and messages may show."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        """Return the URL without who comes with which password."""
        return f"<{self.shown}>"


def wrong(problem: str) -> ConfigError:
    """Return the error to raise about the setting."""
    return ConfigError("setting state_url", 0, problem)


def parse(url: str, *, port: int, options: tuple[str, ...]) -> ServerUrl:
    """Return the parts of `url`; `port` is the default, `options` are those known.

    Raises ConfigError, which shows nothing secret.
    """
    scheme = url.partition(":")[0]
    try:
        parts = urlsplit(url)
        given_port = parts.port
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        # The texts of these errors quote the URL.
        raise wrong(f"the {scheme}: URL cannot be read{_ENCODE}") from None
    if "#" in url or url.count("@") > 1:
        raise wrong(f"the {scheme}: URL has a # or a second @{_ENCODE}")
    if not parts.hostname:
        raise wrong(f"the {scheme}: URL names no host{_ENCODE}")
    given = dict(query)
    if len(given) != len(query) or not given.keys() <= set(options):
        raise wrong(f"a {scheme}: URL takes the options {', '.join(options)}, each once, and no"
                    f" other{_ENCODE}")
    return ServerUrl(
        parts.scheme, parts.hostname, given_port or port, unquote(parts.username or ""),
        unquote(parts.password or ""), unquote(parts.path.removeprefix("/")), given)
