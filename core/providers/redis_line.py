"""One connection to Redis on which the commands of one moment travel together.

Taking a connection from a pool for each command costs twice what the command itself does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from functools import cache
from typing import Any

from core.time_limits import within

Command = tuple[Any, ...]


@cache
def _hash_of(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _give(answer: asyncio.Future[Any], value: Any) -> None:
    if answer.done():
        return
    if isinstance(value, Exception):
        answer.set_exception(value)
    else:
        answer.set_result(value)


class RedisLine:
    """Runs commands in the order in which they are given.

    Those that are given while others are under way wait and then go together. Where the server
    fails those under way, it fails those that wait as well.
    """

    def __init__(self, url: str, answer_seconds: float) -> None:
        from redis.asyncio import ConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as Disconnected
        from redis.exceptions import NoScriptError, RedisError, ResponseError

        # The limit on time stands around each exchange: it knows a starved event loop from a
        # silent server.
        pool: Any = ConnectionPool.from_url(
            url,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        self._connection: Any = pool.make_connection()
        self._answer_seconds = answer_seconds
        self._disconnected = Disconnected
        self._unknown_script = NoScriptError
        self._refused = ResponseError
        self.failures: tuple[type[Exception], ...] = (RedisError, OSError)
        self._waiting: list[tuple[Command, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def run(self, *command: Any) -> Any:
        """The server's answer as it came: bytes, integers, lists of them.

        Raises one of `failures`. Who stops waiting does not stop the command.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send(), name="redis", context=Context())
        return await answer

    async def run_script(self, script: str, key: str, *values: Any) -> Any:
        """What a Lua script answers; its text is sent once a server."""
        try:
            return await self.run("EVALSHA", _hash_of(script), 1, key, *values)
        except self._unknown_script:
            return await self.run("EVAL", script, 1, key, *values)

    async def _send(self) -> None:
        """Send what waits until nothing does."""
        while self._waiting:
            under_way, self._waiting = self._waiting, []
            try:
                given = await self._ask([command for command, _ in under_way])
            except Exception as error:
                under_way += self._waiting
                self._waiting = []
                given = [error] * len(under_way)
            for (_, answer), value in zip(under_way, given, strict=True):
                _give(answer, value)
        self._sender = None

    async def _ask(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await within(self._answer_seconds, self._exchange(commands))
        except self._disconnected:
            # That the server has closed an idle connection shows only when it is used.
            return await within(self._answer_seconds, self._exchange(commands))

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._connection
        await connection.send_packed_command(connection.pack_commands(commands))
        return [await self._answer() for _ in commands]

    async def _answer(self) -> Any:
        """One answer; an error of the command itself is handed on without harm to the others."""
        try:
            return await self._connection.read_response()
        except self._refused as error:
            return error

    async def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        for _, answer in self._waiting:
            answer.cancel()
        await self._connection.disconnect()
