"""Rows M09 and M10: filing a ticket, and what happens to it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conformance.shapes import assert_failure, moment

NUMBER = re.compile(r"TKT-\d{4}-\d{6}")
SEED_REQUEST = {
    "customer_id": "CUST123",
    "product_sku": "CANAPÉ-OSLO-3P",
    "problem_category": "défaut_fabrication",
    "problem_severity": "moyen",
    "description": "Déchirure sur l'accoudoir gauche",
}


def file_ticket(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/api/tickets", json={**SEED_REQUEST, **changes})
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()["ticket"]
    return ticket


def test_m09_the_seeds_own_request_files_a_ticket(customer: httpx.Client) -> None:
    answer = customer.post("/api/tickets", json=SEED_REQUEST)
    assert answer.status_code == 201
    body = answer.json()
    assert body["success"] is True
    ticket = body["ticket"]
    assert NUMBER.fullmatch(ticket["ticket_id"])
    assert ticket["ticket_id"][4:8] == ticket["created_at"][:4]
    assert ticket["status"] == "open"
    assert ticket["priority"] == "medium"
    waited = moment(ticket["sla_response_deadline"]) - moment(ticket["created_at"])
    assert waited == timedelta(hours=24)
    assert answer.headers["location"] == f"/api/tickets/{ticket['ticket_id']}"


@pytest.mark.parametrize(
    ("severity", "priority", "hours"),
    [("faible", "low", 48), ("moyen", "medium", 24), ("élevé", "high", 8), ("urgent", "urgent", 4)],
)
def test_m09_priority_and_deadline_follow_severity(
    customer: httpx.Client, severity: str, priority: str, hours: int
) -> None:
    ticket = file_ticket(customer, problem_severity=severity)
    assert ticket["priority"] == priority
    waited = moment(ticket["sla_response_deadline"]) - moment(ticket["created_at"])
    assert waited == timedelta(hours=hours)


def test_m09_numbers_follow_one_another(customer: httpx.Client) -> None:
    first, second = (file_ticket(customer)["ticket_id"] for _ in range(2))
    assert int(second[-6:]) > int(first[-6:])


def test_m09_a_ticket_needs_an_account(anyone: httpx.Client) -> None:
    assert_failure(anyone.post("/api/tickets", json=SEED_REQUEST), 401, "unauthorized")


def test_m09_a_customer_files_for_nobody_else(customer: httpx.Client) -> None:
    answer = customer.post("/api/tickets", json={**SEED_REQUEST, "customer_id": "CUST124"})
    assert_failure(answer, 403, "forbidden")


def test_m09_a_customer_need_not_name_themselves(customer: httpx.Client) -> None:
    request = {name: value for name, value in SEED_REQUEST.items() if name != "customer_id"}
    ticket = customer.post("/api/tickets", json=request).json()["ticket"]
    read = customer.get(f"/api/tickets/{ticket['ticket_id']}").json()["ticket"]
    assert read["customer_id"] == "CUST123"


def test_m09_an_agent_files_for_a_customer(agent: httpx.Client, customer: httpx.Client) -> None:
    ticket = file_ticket(agent, customer_id="CUST123")
    assert customer.get(f"/api/tickets/{ticket['ticket_id']}").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"problem_category": "volcan"},
        {"problem_severity": "terrible"},
        {"problem_severity": None},
        {"description": ""},
        {"description": "   "},
        {"description": "x" * 5001},
        {"description": 5},
        {"product_sku": "CANAPÉ-INCONNU"},
        {"attachments": ["upload_999"]},
        {"attachments": "upload_123"},
        {"attachments": [1] * 1000},
        {"priority": "urgent"},
        {"organization_id": str(uuid4())},
    ],
)
def test_m09_what_is_not_valid_is_400(customer: httpx.Client, changes: dict[str, Any]) -> None:
    before = customer.get("/api/tickets").json()["total"]
    answer = customer.post("/api/tickets", json={**SEED_REQUEST, **changes})
    assert_failure(answer, 400, "invalid_request")
    assert customer.get("/api/tickets").json()["total"] == before


def test_m09_an_empty_list_of_attachments_is_none(customer: httpx.Client) -> None:
    file_ticket(customer, attachments=[])


def test_m09_a_key_files_once_and_answers_alike(customer: httpx.Client) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    first = customer.post("/api/tickets", json=SEED_REQUEST, headers=headers)
    second = customer.post("/api/tickets", json=SEED_REQUEST, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = customer.post(
        "/api/tickets", json=SEED_REQUEST, headers={"Idempotency-Key": uuid4().hex}
    )
    assert other.json()["ticket"]["ticket_id"] != first.json()["ticket"]["ticket_id"]


def test_m09_a_key_of_another_caller_replays_nothing(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    first = customer.post("/api/tickets", json=SEED_REQUEST, headers=headers).json()
    second = agent.post("/api/tickets", json=SEED_REQUEST, headers=headers).json()
    assert first["ticket"]["ticket_id"] != second["ticket"]["ticket_id"]


def test_m10_a_ticket_is_read_with_its_clock(customer: httpx.Client) -> None:
    filed = file_ticket(customer)
    answer = customer.get(f"/api/tickets/{filed['ticket_id']}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    ticket = body["ticket"]
    assert {name: ticket[name] for name in filed} == filed
    assert ticket["description"] == SEED_REQUEST["description"]
    assert ticket["comments"] == []
    assert ticket["sla"]["state"] == "ok"
    assert ticket["sla"]["first_response_at"] is None
    assert 24 * 3600 - 60 < ticket["sla"]["seconds_left"] <= 24 * 3600


@pytest.mark.parametrize(
    "number",
    ["TKT-2025-999999", "nothing", "0", str(2**63), "TKT-2025-" + "9" * 40, "%00", "TKT%00", "%ff"],
)
def test_m10_an_unknown_ticket_is_404(customer: httpx.Client, number: str) -> None:
    assert_failure(customer.get(f"/api/tickets/{number}"), 404, "not_found")


def test_m10_another_customers_ticket_is_404(customer: httpx.Client, agent: httpx.Client) -> None:
    theirs = file_ticket(agent, customer_id="CUST124")["ticket_id"]
    assert_failure(customer.get(f"/api/tickets/{theirs}"), 404, "not_found")
    answer = customer.post(f"/api/tickets/{theirs}/comments", json={"body": "Bonjour"})
    assert_failure(answer, 404, "not_found")
    listed = customer.get("/api/tickets", params={"limit": 100}).json()["tickets"]
    assert theirs not in {ticket["ticket_id"] for ticket in listed}
    assert {ticket["customer_id"] for ticket in listed} == {"CUST123"}


def test_m10_the_list_is_paged_newest_first(customer: httpx.Client) -> None:
    numbers = [file_ticket(customer)["ticket_id"] for _ in range(3)]
    page = customer.get("/api/tickets", params={"limit": 2, "offset": 1}).json()
    assert page["success"] is True
    assert (page["limit"], page["offset"]) == (2, 1)
    assert page["total"] >= 3
    assert [ticket["ticket_id"] for ticket in page["tickets"]] == [numbers[1], numbers[0]]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "offset=-1",
        "status=lost",
        "priority=vip",
        "assignee=nobody",
        "limit=" + "9" * 5000,
    ],
)
def test_m10_a_list_refuses_bad_filters(customer: httpx.Client, query: str) -> None:
    assert_failure(customer.get(f"/api/tickets?{query}"), 400, "invalid_request")


def test_m10_the_list_is_filtered(agent: httpx.Client) -> None:
    number = file_ticket(agent, customer_id="CUST125", problem_severity="urgent")["ticket_id"]
    agent.patch(f"/api/tickets/{number}", json={"assigned_to": "me", "status": "in_progress"})
    filters = {
        "customer_id": "CUST125",
        "priority": "urgent",
        "status": "in_progress",
        "assignee": "me",
    }
    page = agent.get("/api/tickets", params=filters).json()
    assert number in {ticket["ticket_id"] for ticket in page["tickets"]}
    for name, other in (("customer_id", "CUST126"), ("priority", "low"), ("status", "closed")):
        page = agent.get("/api/tickets", params={**filters, name: other}).json()
        assert number not in {ticket["ticket_id"] for ticket in page["tickets"]}


def test_m10_an_agents_answer_stops_the_clock(agent: httpx.Client, customer: httpx.Client) -> None:
    path = f"/api/tickets/{file_ticket(customer)['ticket_id']}"
    note = agent.post(f"{path}/comments", json={"body": "À vérifier", "is_internal": True})
    assert note.status_code == 201
    assert customer.get(path).json()["ticket"]["sla"]["first_response_at"] is None
    answer = agent.post(f"{path}/comments", json={"body": "Nous nous en occupons."})
    comment = answer.json()["comment"]
    assert comment["author"] == "staff"
    seen = customer.get(path).json()["ticket"]
    assert [item["body"] for item in seen["comments"]] == ["Nous nous en occupons."]
    assert seen["sla"]["first_response_at"] == comment["created_at"]
    assert seen["sla"]["seconds_left"] is None
    assert len(agent.get(path).json()["ticket"]["comments"]) == 2


def test_m10_a_customer_comments_but_writes_no_notes(customer: httpx.Client) -> None:
    path = f"/api/tickets/{file_ticket(customer)['ticket_id']}/comments"
    answer = customer.post(path, json={"body": "Voici la photo."})
    assert answer.status_code == 201
    assert answer.json()["comment"]["author"] == "customer"
    note = customer.post(path, json={"body": "x", "is_internal": True})
    assert_failure(note, 403, "forbidden")


def test_m10_an_agent_changes_status_severity_and_assignment(
    agent: httpx.Client, customer: httpx.Client
) -> None:
    filed = file_ticket(customer)
    path = f"/api/tickets/{filed['ticket_id']}"
    changes = {"status": "in_progress", "severity": "urgent", "assigned_to": "me"}
    ticket = agent.patch(path, json=changes).json()["ticket"]
    assert ticket["status"] == "in_progress"
    assert (ticket["problem_severity"], ticket["priority"]) == ("urgent", "urgent")
    waited = moment(ticket["sla_response_deadline"]) - moment(ticket["created_at"])
    assert waited == timedelta(hours=4)
    assert ticket["assigned_to"]
    assert agent.patch(path, json={"assigned_to": None}).json()["ticket"]["assigned_to"] is None


def test_m10_changes_are_for_staff(customer: httpx.Client) -> None:
    path = f"/api/tickets/{file_ticket(customer)['ticket_id']}"
    assert_failure(customer.patch(path, json={"status": "closed"}), 403, "forbidden")


def test_m10_a_refused_step_changes_nothing(agent: httpx.Client, customer: httpx.Client) -> None:
    path = f"/api/tickets/{file_ticket(customer)['ticket_id']}"
    agent.patch(path, json={"status": "closed"})
    answer = agent.patch(path, json={"severity": "urgent", "status": "resolved"})
    assert_failure(answer, 409, "conflict")
    ticket = agent.get(path).json()["ticket"]
    assert (ticket["status"], ticket["problem_severity"]) == ("closed", "moyen")
    assert agent.patch(path, json={"status": "open"}).json()["ticket"]["status"] == "open"


@pytest.mark.parametrize(
    "changes", [{}, {"status": "lost"}, {"assigned_to": str(uuid4())}, {"priority": "low"}]
)
def test_m10_bad_changes_are_400(
    agent: httpx.Client, customer: httpx.Client, changes: dict[str, Any]
) -> None:
    path = f"/api/tickets/{file_ticket(customer)['ticket_id']}"
    assert_failure(agent.patch(path, json=changes), 400, "invalid_request")
