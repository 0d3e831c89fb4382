"""A network between the client and the broker that can fail."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from broker import with_parts


class Line:
    """A connection of the client's, and the proxy's own to the broker."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = writers
        self.lost_something = False

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Proxy:
    """Stands in front of the broker of a URL."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 5672)
        self._target_url = target
        self._server: asyncio.Server | None = None
        self._port = 0
        self._lines: set[Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_silent = False
        self.connections = 0

    async def start(self) -> str:
        """Listens; returns the URL that leads through the proxy."""
        await self._listen()
        return with_parts(self._target_url, port=self._port)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def set(self, state: str) -> None:
        if state == "cut":
            self._cut(lambda _line: True)
        elif state == "silent":
            self._is_silent = True
        elif state == "down":
            await self._stop_listening()
            self._cut(lambda _line: True)
        else:
            self._is_silent = False
            self._cut(lambda line: line.lost_something)
            if self._server is None:
                await self._listen()

    def _cut(self, which: object) -> None:
        assert callable(which)
        for line in [line for line in self._lines if which(line)]:
            line.cut()

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close(self) -> None:
        await self._stop_listening()
        self._cut(lambda _line: True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        line = Line(writer, far_writer)
        self._lines.add(line)
        passing = [
            asyncio.ensure_future(self._pass(line, reader, far_writer)),
            asyncio.ensure_future(self._pass(line, far_reader, writer)),
        ]
        for task in passing:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await asyncio.wait(passing)
        self._lines.discard(line)
        line.cut()

    async def _pass(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if self._is_silent:
                    line.lost_something = True
                else:
                    writer.write(data)
        except OSError:
            pass
        # A farewell is lost like everything else.
        if self._is_silent:
            line.lost_something = True
        else:
            writer.close()
