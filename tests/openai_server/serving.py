"""How does a test get an OpenAI-compatible server of its own: real HTTP on a free port?"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, get_args

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.openai_server.answers import Endpoint, answer
from tests.openai_server.rules import Rule, default_rule
from tests.openai_server.steps import HalfAnswer, NoChoices, Reply, Step
from tests.openai_server.transmission import Transmitted

START_SECONDS = STOP_SECONDS = 60.0
_ENDPOINTS: tuple[Endpoint, ...] = get_args(Endpoint)
_ANSWERS = (Reply, HalfAnswer, NoChoices)
_MISPLACED: dict[Endpoint, tuple[type, ...]] = {
    "chat/completions": (),
    "audio/transcriptions": (HalfAnswer, NoChoices),
}


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived; a multipart field that is a file holds its bytes."""

    endpoint: Endpoint
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    received_seconds: float


@dataclass
class OpenAIServer:
    """A running server: script its next answers, then read what it was asked.

    `rule` answers chat requests for which nothing is scripted. `abandoned` counts the answers
    that their clients did not wait for.
    """

    base_url: str
    rule: Rule = default_rule
    requests: list[RecordedRequest] = field(default_factory=list)
    abandoned: int = 0
    _steps: dict[Endpoint, deque[Step]] = field(
        default_factory=lambda: {endpoint: deque() for endpoint in _ENDPOINTS}
    )

    def script(self, *steps: Step, endpoint: Endpoint = "chat/completions") -> None:
        """Queue what the endpoint does next, one step a request.

        Raises ValueError for an answer that the endpoint has no place for.
        """
        misplaced = [step for step in steps if isinstance(step, _MISPLACED.get(endpoint, _ANSWERS))]
        if misplaced:
            raise ValueError(f"{endpoint} has no place for {misplaced[0]}")
        self._steps[endpoint].extend(steps)

    def remaining(self, endpoint: Endpoint = "chat/completions") -> int:
        """How many scripted steps nobody has asked for yet."""
        return len(self._steps[endpoint])

    def reset(self) -> None:
        """Forget the script, the requests and the rule."""
        for steps in self._steps.values():
            steps.clear()
        self.requests.clear()
        self.abandoned = 0
        self.rule = default_rule

    def chat_requests(self) -> list[Mapping[str, Any]]:
        """The bodies of the chat requests, oldest first."""
        return [each.body for each in self.requests if each.endpoint == "chat/completions"]

    def next_step(self, endpoint: Endpoint) -> Step | None:
        """Take the next scripted step; None when there is none."""
        steps = self._steps[endpoint]
        return steps.popleft() if steps else None

    def count_abandoned(self) -> None:
        self.abandoned += 1


@contextmanager
def openai_server(rule: Rule = default_rule) -> Iterator[OpenAIServer]:
    """Serve on a free loopback port until the block ends; the base URL ends in `/v1`."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = OpenAIServer(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", rule)
        running = _uvicorn(server)
        thread = threading.Thread(target=running.run, args=([listener],), name="openai-server")
        thread.start()
        try:
            _wait_until_started(running, thread)
            yield server
        finally:
            running.should_exit = True
            thread.join(STOP_SECONDS)
    if thread.is_alive():
        raise RuntimeError("the server did not stop")


class _Server(uvicorn.Server):
    """A server whose hanging answers end before it waits for its open connections."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self.stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.stopping.set()
        await super().shutdown(sockets)


def _uvicorn(server: OpenAIServer) -> _Server:
    stopping = asyncio.Event()
    config = uvicorn.Config(
        _application(server, stopping),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
    )
    return _Server(config, stopping)


def _wait_until_started(running: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not running.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.005)


def _application(server: OpenAIServer, stopping: asyncio.Event) -> Starlette:
    routes = [_route(server, stopping, endpoint) for endpoint in _ENDPOINTS]
    return Starlette(routes=routes)


def _route(server: OpenAIServer, stopping: asyncio.Event, endpoint: Endpoint) -> Route:
    async def respond(request: Request) -> Response:
        body = await _body(request)
        server.requests.append(
            RecordedRequest(endpoint, dict(request.headers), body, time.monotonic())
        )
        transmission = answer(
            endpoint, body, server.next_step(endpoint), server.rule, len(server.requests)
        )
        return Transmitted(transmission, stopping, server.count_abandoned)

    method = "GET" if endpoint == "models" else "POST"
    return Route(f"/v1/{endpoint}", respond, methods=[method])


async def _body(request: Request) -> Mapping[str, Any]:
    if request.method == "GET":
        return dict(request.query_params)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            return {
                name: await value.read() if isinstance(value, UploadFile) else value
                for name, value in form.multi_items()
            }
    loaded: Mapping[str, Any] = json.loads(await request.body())
    return loaded
