"""Row X11: logs hold no personal data, so that an erasure has nothing to do in them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.product import keep_models, reuse_models
from tests.serving import Server, serving

EMAIL, NAME, PHONE = "jeanne.martin@example.org", "Jeanne Martin-Dubreuil", "06 12 34 56 78"
SAYINGS = (
    f"Bonjour, je suis {NAME}, {EMAIL}, {PHONE}",
    f"Où en est ma commande CMD-2026-000101 ? Mon adresse est {EMAIL}",
    "Je veux parler à un humain",
    f"Mon canapé est cassé, appelez-moi au {PHONE}",
)


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own that logs all it can."""
    data_dir = tmp_path_factory.mktemp("talkative") / "data"
    reuse_models(data_dir)
    with serving(data_dir, LOG_LEVEL="debug") as running:
        keep_models(data_dir)
        yield running


def test_x11_no_log_line_holds_what_a_person_said(talkative: Server) -> None:
    with talkative.client() as client:
        for text in SAYINGS:
            assert client.post("/api/chat", json={"message": text}).status_code == 200
        client.post("/api/auth/login", json={"email": EMAIL, "password": NAME})
        _file_a_ticket(talkative)
        assert client.delete("/api/privacy/me").status_code == 200
    with talkative.client("admin@example.com") as admin:
        admin.post("/api/v1/privacy/erasures", json={"email": EMAIL})
        admin.get("/api/v1/knowledge/search", params={"q": f"{NAME} {EMAIL}"})
    text = (talkative.data_dir / "server.log").read_text(encoding="utf-8")
    # Before this line the command greets the operator with the demo accounts.
    log = text.partition("Ctrl-C stops the server.")[2]
    assert '"path": "/api/chat"' in log, "the log says nothing at all"
    for secret in (EMAIL, NAME, "Dubreuil", PHONE, PHONE.replace(" ", ""), "customer@example.com"):
        assert secret not in log, next(line for line in log.splitlines() if secret in line)


def _file_a_ticket(server: Server) -> None:
    ticket = {
        "problem_category": "défaut_fabrication",
        "problem_severity": "moyen",
        "description": f"Accoudoir déchiré. {NAME}, {PHONE}",
        "contact_email": EMAIL,
    }
    with server.client("customer@example.com") as customer:
        answer: httpx.Response = customer.post("/api/tickets", json=ticket)
    assert answer.status_code in {200, 201}, answer.text
