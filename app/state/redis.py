"""The state store in Redis, for gateways on several hosts.

Each record is a string that Redis itself expires. Beside them, `index:<space>` is a sorted set of
a space's keys in their order, so that a scan asks for nothing else; and `expiries` tells when
which record is over, so that every write takes a few dead names out of the indexes. Each write is
one script, so it happens whole, and alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import redis

from app.state.pool import ANSWER_SECONDS, CONNECT_SECONDS, Pool
from app.state.server_url import ServerUrl, parse, wrong
from app.state.swapping import SwappingStore, key_bytes, key_text
from app.state.values import milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

PORT = 6379
PREFIX = "httpfs-proxy"
SCAN_PAGE = 500
_OPTIONS = ("prefix", "ssl_ca_certs")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")

_WRITE = """
local record, index, expiries = KEYS[1], KEYS[2], KEYS[3]
local rule, before, after, ttl, name, key, prefix = unpack(ARGV)
local present = redis.call('GET', record)
if rule == 'add' and present then return 0 end
if rule == 'swap' and present ~= before then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', index, 0, key)
if ttl == '' then
  redis.call('SET', record, after)
  redis.call('ZREM', expiries, name)
else
  redis.call('SET', record, after, 'PX', ttl)
  redis.call('ZADD', expiries, string.format('%.0f', now + ttl), name)
end
local over = redis.call(
  'ZRANGEBYSCORE', expiries, '-inf', string.format('%.0f', now), 'LIMIT', 0, 8)
for _, dead in ipairs(over) do
  if redis.call('EXISTS', prefix .. ':record:' .. dead) == 0 then
    local colon = string.find(dead, ':', 1, true)
    local last = colon + tonumber(string.sub(dead, 1, colon - 1))
    local space = string.sub(dead, colon + 1, last)
    redis.call('ZREM', prefix .. ':index:' .. space, string.sub(dead, last + 1))
    redis.call('ZREM', expiries, dead)
  end
end
return 1
"""
_REMOVE = """
local record, index, expiries = KEYS[1], KEYS[2], KEYS[3]
local rule, before, name, key = unpack(ARGV)
local present = redis.call('GET', record)
if not present or (rule == 'swap' and present ~= before) then return 0 end
redis.call('DEL', record)
redis.call('ZREM', index, key)
redis.call('ZREM', expiries, name)
return 1
"""
_PAGE = """
local found = {}
for _, key in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  found[#found + 1] = key
  found[#found + 1] = redis.call('GET', ARGV[3] .. key)
end
return found
"""


class RedisStore(SwappingStore):
    """A `Store` in the Redis that `url` names; it is connected to at the first call."""

    def __init__(self, url: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        server = parse(url, port=PORT, options=_OPTIONS)
        prefix = server.options.get("prefix", PREFIX)
        if not _PREFIX.fullmatch(prefix):
            raise wrong("the prefix of Redis keys has 1 to 64 letters, digits and ._-")
        if server.database and not re.fullmatch(r"\d{1,5}", server.database, re.ASCII):
            raise wrong("the database of a Redis is a number")
        self._prefix = prefix.encode()
        self._pool = Pool[Any](_Driver(server, answer_seconds), answer_seconds=answer_seconds)

    def close(self) -> None:
        """Close the idle connections of this process; the store can be used again."""
        self._pool.close()

    def _read(self, space: str, key: str) -> str | None:
        text = self._ask("GET", self._names(space, key)[0], repeatable=True)
        return None if text is None else text.decode()

    def _put(self, space: str, key: str, text: str, ttl: float | None) -> None:
        self._write("put", space, key, text, ttl)

    def _add(self, space: str, key: str, text: str, ttl: float | None) -> bool:
        return self._write("add", space, key, text, ttl)

    def _swap(self, space: str, key: str, before: str, after: str, ttl: float | None) -> bool:
        return self._write("swap", space, key, after, ttl, before=before)

    def _write(
        self, rule: str, space: str, key: str, text: str, ttl: float | None, *, before: str = "",
    ) -> bool:
        *keys, name = self._names(space, key)
        lasts = "" if ttl is None else milliseconds(ttl)
        return bool(self._ask("EVAL", _WRITE, 3, *keys, rule, before, text, lasts, name,
                              key_bytes(key), self._prefix, repeatable=False))

    def _remove(self, space: str, key: str, before: str | None) -> bool:
        *keys, name = self._names(space, key)
        rule = "delete" if before is None else "swap"
        return bool(self._ask("EVAL", _REMOVE, 3, *keys, rule, before or "", name,
                              key_bytes(key), repeatable=False))

    def _page(
        self, space: str, after: bytes,
    ) -> tuple[Sequence[tuple[str, str]], bytes | None]:
        record, index, _, _ = self._names(space, "")
        found = self._ask("EVAL", _PAGE, 1, index, after or b"-", SCAN_PAGE, record,
                          repeatable=True)
        keys, texts = found[::2], found[1::2]
        # A name without a record has expired since, and leaves the index with a later write.
        page = [(key_text(key), text.decode())
                for key, text in zip(keys, texts, strict=True) if text is not None]
        return page, b"(" + keys[-1] if len(keys) == SCAN_PAGE else None

    def _names(self, space: str, key: str) -> tuple[bytes, bytes, bytes, bytes]:
        """Return the names of record, index and expiries, and the record's in the latter."""
        place = key_bytes(space)
        name = b"%d:%b%b" % (len(place), place, key_bytes(key))
        return (self._prefix + b":record:" + name, self._prefix + b":index:" + place,
                self._prefix + b":expiries", name)

    def _ask(self, *command: str | bytes | int, repeatable: bool) -> Any:
        def ask(connection: Any) -> Any:
            connection.send_command(*command)
            return connection.read_response()

        return self._pool.run(ask, repeatable=repeatable)


class _Driver:
    """Connections of the `redis` package, without its own retries: it repeats any command."""

    def __init__(self, server: ServerUrl, answer_seconds: float) -> None:
        self.shown = server.shown
        self._options: dict[str, Any] = {
            "host": server.host, "port": server.port, "db": int(server.database or "0"),
            "username": server.user or None, "password": server.password or None,
            "socket_connect_timeout": min(CONNECT_SECONDS, answer_seconds),
            "socket_timeout": answer_seconds, "socket_keepalive": True, "protocol": 2,
            "driver_info": None,
        }
        self._class: Any = redis.Connection
        if server.scheme == "rediss":
            self._class = redis.SSLConnection
            self._options["ssl_ca_certs"] = server.options.get("ssl_ca_certs")

    def connect(self) -> Any:
        connection = self._class(**self._options)
        connection.connect()
        return connection

    def is_stale(self, connection: Any) -> bool:
        try:
            return bool(connection.can_read(0))
        except (redis.RedisError, OSError):
            return True

    def close(self, connection: Any) -> None:
        connection.disconnect()

    def explain(self, error: Exception) -> str:
        return f"{error}" or type(error).__name__
