"""X01: the main job runs with no key, no network and no service, and nothing is even tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.e2e.commands import ROOT, attempts, network_guard, run_python
from tests.product import keep_models, reuse_models
from tests.serving import Server, serving

MEMORY_LIMIT_MB = 400


@pytest.fixture(scope="module")
def network_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network") / "attempts.log"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, network_log: Path) -> Iterator[Server]:
    """A server that is refused everything but loopback from its first line on."""
    data_dir = tmp_path_factory.mktemp("x01") / "data"
    reuse_models(data_dir)
    with serving(data_dir, **network_guard(network_log)) as server:
        yield server
        keep_models(data_dir)


@pytest.fixture(scope="module")
def client(guarded: Server) -> Iterator[httpx.Client]:
    with guarded.client("customer@example.com") as client:
        yield client


def own_order() -> str:
    """The number of an order of the demo customer."""
    orders = yaml.safe_load((ROOT / "sample_shop" / "orders.yaml").read_text(encoding="utf-8"))
    return str(next(order["number"] for order in orders if order["customer_id"] == "CUST123"))


def say(client: httpx.Client, session: str, message: str) -> dict[str, Any]:
    answer = client.post(
        "/api/chat", json={"message": message, "language": "fr", "session_id": session}
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["success"] is True
    return body


def test_x01_a_question_is_answered_with_its_sources(client: httpx.Client) -> None:
    body = say(client, "x01-knowledge", "Combien de temps pour me rétracter ?")
    assert body["sources"], body
    assert "14" in body["response"]


def test_x01_products_are_found(client: httpx.Client) -> None:
    body = say(client, "x01-products", "Je cherche un canapé d'angle gris")
    assert body["products"], body
    assert all(product["sku"] for product in body["products"])


def test_x01_an_order_is_told_after_number_and_address_match(client: httpx.Client) -> None:
    body = say(
        client,
        "x01-order",
        f"Où en est ma commande {own_order()} ? Mon adresse est customer@example.com",
    )
    assert body["intent"] == "order_status"
    assert any(result["tool"] == "order_status" for result in body["tool_results"]), body


def test_x01_a_ticket_is_opened(client: httpx.Client) -> None:
    answer = client.post(
        "/api/tickets",
        json={
            "customer_id": "CUST123",
            "product_sku": "CANAPÉ-OSLO-3P",
            "problem_category": "défaut_fabrication",
            "problem_severity": "moyen",
            "description": "Déchirure sur l'accoudoir gauche",
            "attachments": [],
        },
    )
    assert answer.status_code == 201, answer.text
    assert re.fullmatch(r"TKT-\d{4}-\d{6}", answer.json()["ticket"]["ticket_id"])


def test_x01_a_ticket_is_opened_in_conversation(client: httpx.Client) -> None:
    """The form asks for what is missing; the effect comes only after a yes."""
    body = say(
        client, "x01-ticket", "Mon canapé Oslo 3 places a un accoudoir déchiré, c'est assez grave"
    )
    for reply in ("C'est arrivé comme ça, un défaut de fabrication", "moyen", "oui", "oui"):
        if ticket_of(body):
            break
        body = say(client, "x01-ticket", reply)
    number = ticket_of(body)
    assert number, body
    assert client.get(f"/api/tickets/{number}").status_code == 200


def ticket_of(body: dict[str, Any]) -> str:
    found = re.search(r"TKT-\d{4}-\d{6}", body["response"])
    return found.group() if found else ""


def test_x01_nothing_reached_for_the_network(
    guarded: Server, client: httpx.Client, network_log: Path
) -> None:
    """Last of the conversations: it looks back at all of them."""
    say(client, "x01-end", "Merci, bonne journée")
    remote = [
        connection.raddr
        for connection in psutil.Process(guarded.process_id).net_connections("inet")
        if connection.raddr and not connection.raddr.ip.startswith(("127.", "::1", "::ffff:127."))
    ]
    assert remote == []
    assert attempts(network_log) == []


def test_the_process_stays_small(guarded: Server, client: httpx.Client) -> None:
    say(client, "x01-memory", "Quels sont les délais de livraison ?")
    rss_mb = psutil.Process(guarded.process_id).memory_info().rss / 1e6
    assert rss_mb < MEMORY_LIMIT_MB


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('192.0.2.1', 443), 1)",
        "import socket; socket.getaddrinfo('example.org', 443)",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
    ],
)
def test_the_guard_refuses_and_remembers(tmp_path: Path, attempt: str) -> None:
    """A guard that never fires would prove nothing."""
    log = tmp_path / "attempts.log"
    done = run_python(tmp_path, "-c", attempt, **network_guard(log))
    assert done.returncode != 0
    assert "no network" in done.stderr
    assert len(attempts(log)) == 1
