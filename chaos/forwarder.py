"""The network between the gateway and one NameNode, which can be cut."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tests.hadoop.daemon import free_port

if TYPE_CHECKING:
    from collections.abc import Coroutine

SIZE = 1 << 18
SECONDS = 10.0


class Forwarder:
    """Passes each connection on to `url`; as a context manager it runs inside.

    Where nobody listens behind, nobody listens here: `down` before the server is killed.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (str(target.hostname), int(target.port or 80))
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    def up(self) -> None:
        """Listen."""
        self._do(self._listen())

    def down(self) -> None:
        """Listen no longer, and end all connections."""
        self._do(self._close())

    def cut(self) -> int:
        """Reset all connections, and go on listening; return how many there were."""
        return int(self._do(self._reset()))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, reuse_address=True)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> int:
        cut = list(self._writers)
        for writer in cut:
            writer.transport.abort()
        return len(cut) // 2

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._writers -= {writer, back}

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(SIZE):
                sink.write(data)
                await sink.drain()
        except OSError:
            sink.transport.abort()
        else:
            sink.close()
