"""The proxy and the health check of the deployment files, run before and on a real server."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import connect

from tests.serving import ROOT, Server, free_port
from tests.sockets import ChatSocket

START_SECONDS = 120
CADDY = Path(sys.executable).with_name("caddy")


@pytest.fixture(scope="module")
def trust() -> ssl.SSLContext:
    """The proxy makes its own certificate for `localhost`; who made it is not what is tested."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture(scope="module")
def proxy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the proxy of compose.yaml, before one server instead of several."""
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    environment = {
        "SITE_ADDRESS": f"localhost:{port}",
        "UPSTREAM_HOST": "127.0.0.1",
        "UPSTREAM_PORT": str(server.port),
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        # The usual port for orders to the proxy may be taken.
        "CADDY_ADMIN": f"127.0.0.1:{free_port()}",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [CADDY, "run", "--config", ROOT / "deploy" / "proxy" / "Caddyfile"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_open(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS * 10):
        with closing(socket.socket()) as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError("the proxy did not start")


def test_answers_come_through_tls_with_a_promise_to_stay_there(
    proxy: int, server: Server, trust: ssl.SSLContext
) -> None:
    with httpx.Client(
        base_url=f"https://localhost:{proxy}", verify=trust, trust_env=False, timeout=30
    ) as client:
        answer = client.post("/api/chat", json={"message": "Quels sont vos délais de livraison ?"})
        assert answer.status_code == 200
        assert answer.json()["response"]
        assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
        assert "server" not in answer.headers or "caddy" not in answer.headers["server"].lower()
        events = client.post(
            "/api/chat",
            json={"message": "Bonjour"},
            headers={"Accept": "text/event-stream"},
        )
        assert "event: finished" in events.text


def test_older_tls_and_plain_http_are_refused(proxy: int, trust: ssl.SSLContext) -> None:
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for context, expected in ((trust, "TLSv1.3"), (old, None)):
        with closing(socket.create_connection(("127.0.0.1", proxy), timeout=5)) as plain:
            if expected is None:
                with pytest.raises(ssl.SSLError):
                    context.wrap_socket(plain, server_hostname="localhost")
            else:
                with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
                    assert wrapped.version() == expected
    answer = httpx.get(f"http://localhost:{proxy}/health", trust_env=False)
    assert answer.status_code == 400
    assert "healthy" not in answer.text


def test_sockets_come_through(proxy: int, server: Server, trust: ssl.SSLContext) -> None:
    token = server.token("customer@example.com")
    address = f"wss://localhost:{proxy}/api/chat/ws?session_id={uuid4().hex}"
    with connect(
        address,
        ssl=trust,
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
        compression=None,
    ) as connection:
        chat = ChatSocket(connection)
        assert chat.receive()["type"] == "ready"
        assert chat.say("Bonjour", "m1")[-1]["type"] == "finished"


def test_the_images_health_check_tells_life_from_death(server: Server) -> None:
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text("utf-8"))
    found = re.search(r"HEALTHCHECK .*?CMD (\[.*\])", text)
    assert found
    program = json.loads(found.group(1))[1:]
    for port, expected in ((server.port, 0), (free_port(), 1)):
        run = subprocess.run(
            [sys.executable, *program],
            env={"PORT": str(port)},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert run.returncode == expected
