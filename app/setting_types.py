"""The kinds of values that settings have: each parses, refuses with a reason, and explains."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, Protocol

from app.core.limits import LEAST_RATE

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(Protocol):
    """A kind of value: `allowed` says in words what `parse` takes."""

    allowed: str

    def parse(self, given: Any) -> Any:
        """Return the value. Raises ValueError with a sentence that says what is allowed."""


class Text:
    """A string, or what `make` (Path, …) makes of one."""

    allowed = "text"

    def __init__(self, make: Callable[[str], Any] = str) -> None:
        self._make = make

    def parse(self, given: Any) -> Any:
        """Take text and numbers, not lists, maps or null."""
        if isinstance(given, dict | list | bool) or given is None:
            raise ValueError(f"{given!r} is not text")
        return self._make(str(given))


class Choice:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.allowed = ", ".join(f"`{word}`" for word in words)

    def parse(self, given: Any) -> str:
        """Take one of the words, in its spelling."""
        if given not in self.words:
            raise ValueError(f"{given!r} is none of {', '.join(self.words)}")
        return str(given)


class Flag:
    """True or false."""

    allowed = "`true` or `false`"

    def parse(self, given: Any) -> bool:
        """Take a YAML boolean, and its words from the environment."""
        if isinstance(given, bool):
            return given
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(given).lower() not in words:
            raise ValueError(f"{given!r} is neither true nor false")
        return words[str(given).lower()]


class AtLeast:
    """A whole number within bounds."""

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least = least
        self.most = most
        self.allowed = f"a whole number from {least}" + ("" if most is None else f" to {most}")

    def parse(self, given: Any) -> int:
        """Take a whole number, from the environment also as text."""
        if isinstance(given, bool) or not re.fullmatch(r"-?\d{1,18}", str(given)):
            raise ValueError(f"{given!r} is not {self.allowed}")
        number = int(str(given))
        if number < self.least or (self.most is not None and number > self.most):
            raise ValueError(f"{number} is not {self.allowed}")
        return number


class Seconds:
    """A duration in seconds."""

    def __init__(self, least: float) -> None:
        self.least = least
        self.allowed = f"seconds, at least {least:g}"

    def parse(self, given: Any) -> float:
        """Take a number, whole or not."""
        if isinstance(given, bool) or not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", str(given)):
            raise ValueError(f"{given!r} is not a number of {self.allowed}")
        number = float(str(given))
        if number < self.least:
            raise ValueError(f"{given!r} is not a number of {self.allowed}")
        return number


class PerSecond:
    """How many of something a second."""

    allowed = "a number, a second; 0 is no limit"

    def parse(self, given: Any) -> float:
        """Take a number, whole or not."""
        if isinstance(given, bool) or not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", str(given)):
            raise ValueError(f"{given!r} is not {self.allowed}")
        return float(str(given))


class Rate(AtLeast):
    """A bandwidth in bytes a second, 0 for no limit."""

    def __init__(self) -> None:
        super().__init__(0)
        self.allowed = f"0 (no limit), or bytes a second from {LEAST_RATE}"

    def parse(self, given: Any) -> int:
        """Take a whole number."""
        number = super().parse(given)
        if 0 < number < LEAST_RATE:
            raise ValueError(f"{number} is not {self.allowed}")
        return number


class Permission:
    """An octal mode, written in quotes so that YAML leaves it alone."""

    allowed = "1 to 4 octal digits in quotes"

    def parse(self, given: Any) -> str:
        """Take text of octal digits; a YAML number is refused, as 0664 means 436 there."""
        if not isinstance(given, str) or not re.fullmatch(r"[0-7]{1,4}", given):
            raise ValueError(f"{given!r} is not {self.allowed}")
        return given


class Networks:
    """A list of addresses and networks."""

    allowed = "a list of IP addresses and networks (`10.0.0.0/8`)"

    def parse(self, given: Any) -> tuple[IPv4Network | IPv6Network, ...]:
        """Take a list, or text with commas between."""
        items = given.replace(",", " ").split() if isinstance(given, str) else given
        if not isinstance(items, list | tuple):
            raise ValueError(f"{given!r} is not {self.allowed}")  # noqa: TRY004
        return tuple(ip_network(str(item)) for item in items)


class Words:
    """A list of words that each match a pattern."""

    def __init__(self, allowed: str, pattern: str) -> None:
        self.allowed = allowed
        self._pattern = re.compile(pattern)

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take a list, or text with commas between."""
        items = given.replace(",", " ").split() if isinstance(given, str) else given
        if not isinstance(items, list | tuple):
            raise ValueError(f"{given!r} is not {self.allowed}")  # noqa: TRY004
        for item in items:
            if not isinstance(item, str) or not self._pattern.fullmatch(item):
                raise ValueError(f"{item!r} is not of {self.allowed}")
        return tuple(items)


class NetworkUsers(Words):
    """A list of networks with a user each: `network=user`."""

    def __init__(self) -> None:
        super().__init__("a list of `network=user`", r"[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?=\S{1,255}")

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take what stands for a network each, and no network twice."""
        items = super().parse(given)
        seen: set[IPv4Network | IPv6Network] = set()
        for item in items:
            network = ip_network(item.partition("=")[0])
            if network in seen:
                raise ValueError(f"{network} has two users")
            if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
                raise ValueError(f"{network} is IPv4: write it as such")
            seen.add(network)
        return items


class Hosts(Words):
    """A list of host names, with `*.` before them or not, and addresses; each may have a port."""

    def __init__(self) -> None:
        super().__init__(
            "a list of host names",
            r"((\*\.)?[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:]{2,39}\])(:[0-9]{1,5})?")

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take what matches; addresses of IPv6 must be some, ports from 1 to 65535."""
        items = super().parse(given)
        for item in items:
            host, _, port = item.rpartition(":") if item[-1] != "]" else (item, "", "")
            if host and port:
                AtLeast(1, 65535).parse(port)
            if item.startswith("["):
                IPv6Address((host or item).strip("[]"))
        return items


class Ports:
    """A list of TCP ports."""

    allowed = "a list of port numbers from 1 to 65535"

    def parse(self, given: Any) -> tuple[int, ...]:
        """Take a list, one number, or text with commas between."""
        items = given.replace(",", " ").split() if isinstance(given, str) else given
        items = items if isinstance(items, list | tuple) else [items]
        return tuple(AtLeast(1, 65535).parse(item) for item in items)


class Urls:
    """One URL of a backend, or several of one HA cluster."""

    allowed = "`http(s)://host:port` (one or a list) or `embedded:///directory`"

    _HTTP = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?")

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take one URL or a list; a list must be all http(s)."""
        items = re.split(r"[,;\s]+", given.strip()) if isinstance(given, str) else given
        if not isinstance(items, list | tuple) or not items:
            raise ValueError(f"{given!r} is not {self.allowed}")
        urls = tuple(str(item) for item in items)
        if len(urls) == 1 and (urls[0] == "embedded:" or re.match(r"embedded:///.", urls[0])):
            return urls
        for url in urls:
            if not self._HTTP.fullmatch(url):
                raise ValueError(f"'{url}' is not {self.allowed}")
        if len({url.partition(":")[0] for url in urls}) > 1:
            # An https server leads to https alone; of a cluster with both nobody could say that.
            raise ValueError("the servers of one cluster are called by https, or by http, and not"
                             f" some by either: {', '.join(urls)}")
        return tuple(url.rstrip("/") for url in urls)


class Rpc:
    """`auto`, `off`, or where NameNodes take RPC."""

    allowed = "`auto`, `off`, or a list of `host:port`"

    _ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}")

    def parse(self, given: Any) -> tuple[str, ...]:
        """Take a word, a list, or text with commas between; YAML's false is `off`, too."""
        if given is False:
            return ("off",)
        items = re.split(r"[,;\s]+", given.strip()) if isinstance(given, str) else given
        if not isinstance(items, list | tuple) or not items:
            raise ValueError(f"{given!r} is not {self.allowed}")
        found = tuple(str(item) for item in items)
        if found in (("auto",), ("off",)):
            return found
        for item in found:
            if not self._ADDRESS.fullmatch(item):
                raise ValueError(f"'{item}' is not {self.allowed}")
            AtLeast(1, 65535).parse(item.rpartition(":")[2])
        return found
