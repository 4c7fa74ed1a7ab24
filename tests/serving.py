"""A server of our own for tests: the real command, a folder of its own, a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.product import keep_models, reuse_models

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "password123"
START_SECONDS = 180
# A session of tests may last longer than a token, which ends after half an hour.
TOKEN_SECONDS = 900


@dataclass
class Server:
    """A running server; `token` signs a demo account in and keeps its access token for a while."""

    base_url: str
    port: int
    process_id: int
    data_dir: Path
    tokens: dict[str, str] = field(default_factory=dict)
    signed_in_at: dict[str, float] = field(default_factory=dict)

    def token(self, email: str) -> str:
        now = time.monotonic()
        is_old = now - self.signed_in_at.get(email, now) > TOKEN_SECONDS
        if email not in self.tokens or is_old:
            answer = httpx.post(
                f"{self.base_url}/api/auth/login",
                json={"email": email, "password": PASSWORD},
                timeout=30,
                trust_env=False,
            )
            answer.raise_for_status()
            self.tokens[email] = answer.json()["access_token"]
            self.signed_in_at[email] = now
        return self.tokens[email]

    def client(self, email: str | None = None) -> httpx.Client:
        """A client of this server, signed in where an address is given."""
        headers = {"Authorization": f"Bearer {self.token(email)}"} if email else {}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=30, trust_env=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_command(port: int) -> list[str]:
    return [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--seed"]


@contextmanager
def serving(data_dir: Path, **environment: str) -> Iterator[Server]:
    """Serve the sample shop from a folder until the block ends."""
    port = free_port()
    log = data_dir / "server.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    variables = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "warning",
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            serve_command(port), cwd=ROOT, env=variables, stdout=output, stderr=output
        )
    try:
        base_url = f"http://127.0.0.1:{port}"
        _wait_until_ready(base_url, process, log)
        yield Server(base_url, port, process.pid, data_dir)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(base_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{base_url}/ready", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sample shop on a free port, without rate limits."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    reuse_models(data_dir)
    with serving(data_dir) as running:
        keep_models(data_dir)
        yield running


@pytest.fixture
def anyone(server: Server) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with server.client() as client:
        yield client


@pytest.fixture
def customer(server: Server) -> Iterator[httpx.Client]:
    """The customer CUST123."""
    with server.client("customer@example.com") as client:
        yield client


@pytest.fixture
def agent(server: Server) -> Iterator[httpx.Client]:
    with server.client("agent@example.com") as client:
        yield client


@pytest.fixture
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client("admin@example.com") as client:
        yield client
