"""Rows W13, W16 and X05: an agent's correction becomes a test by one call, in the envelope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from bot.evaluation.scenarios import Scenario
from tests.conformance.shapes import UNKNOWN_ID, assert_admin_failure, assert_schema_failure, moment
from tests.serving import Server

CASES = "/api/v1/evaluations/cases"
SAID = (
    "Bonjour, quels sont vos délais de livraison ?",
    "et en Corse ? répondez-moi à jean.valjean@orange.fr ou au 06 12 34 56 78",
)
CORRECTION = {"says": ["149 €"], "never": ["gratuit"], "sources": ["Livrez-vous en Corse ?"]}


@dataclass(frozen=True)
class Talked:
    session_id: str
    message_ids: list[str]


def talk(client: httpx.Client, *said: str) -> Talked:
    """Say some messages in a new session; the ids are those of the history, asked and answered."""
    session_id = f"session_{uuid4().hex}"
    for text in said:
        answer = client.post("/api/chat", json={"message": text, "session_id": session_id})
        assert answer.status_code == 200, answer.text
        token = answer.headers.get("x-visitor-token")
        if token:
            client.headers["X-Visitor-Token"] = token
    history = client.get("/api/chat/history", params={"session_id": session_id}).json()
    return Talked(session_id, [message["id"] for message in history["messages"]])


@pytest.fixture(scope="module")
def talked(server: Server) -> Iterator[Talked]:
    with server.client() as visitor:
        yield talk(visitor, *SAID)


def correct(client: httpx.Client, talked: Talked, **changes: Any) -> dict[str, Any]:
    body = {"message_id": talked.message_ids[-1], "correction": CORRECTION, **changes}
    answer = client.post(CASES, json=body)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_x05_a_correction_becomes_a_test_by_one_call(agent: httpx.Client, talked: Talked) -> None:
    body = {"message_id": talked.message_ids[-1], "correction": CORRECTION}
    answer = agent.post(CASES, json=body)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"status", "message", "data", "errors", "metadata"}
    data = answer.json()["data"]
    assert data["speaker"] == "visitor"
    assert data["turn"] == 2
    assert data["created_by"].startswith("user:")
    moment(data["created_at"])
    turns = data["scenario"]["turns"]
    assert turns[0] == {"say": SAID[0]}
    assert turns[1]["expect"] == CORRECTION


def test_x05_a_turn_may_be_named_by_its_number(agent: httpx.Client, talked: Talked) -> None:
    conversation_id = correct(agent, talked)["conversation_id"]
    data = correct(
        agent,
        talked,
        message_id=None,
        conversation_id=conversation_id,
        turn=1,
        name="Les délais",
    )
    assert data["name"] == "Les délais"
    assert len(data["scenario"]["turns"]) == 1


def test_x05_no_personal_data_is_kept(agent: httpx.Client, talked: Talked) -> None:
    id = correct(agent, talked, name="pour jean.valjean@orange.fr")["id"]
    text = agent.get(f"{CASES}/{id}", params={"format": "yaml"}).text
    assert "client1@example.org" in text
    assert "06 39 98 00 00" in text
    for secret in ("valjean", "orange.fr", "12 34 56"):
        assert secret not in text
        assert secret not in agent.get(f"{CASES}/{id}").text


def test_x05_the_yaml_is_a_file_of_tests(agent: httpx.Client, talked: Talked) -> None:
    case = correct(agent, talked)
    answer = agent.get(f"{CASES}/{case['id']}", params={"format": "yaml"})
    assert answer.headers["content-type"].startswith("application/yaml")
    scenario = Scenario.model_validate(yaml.safe_load(answer.text)[0])
    assert scenario.model_dump(mode="json", exclude_defaults=True) == case["scenario"]
    page = agent.get(CASES, params={"format": "yaml", "per_page": 1})
    assert yaml.safe_load(page.text) == [case["scenario"]]


def test_x05_a_signed_in_customer_is_a_reference(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    talked = talk(customer, "où en est ma commande CMD-2026-000126 ? customer@example.com")
    data = correct(agent, talked, correction={"intent": "order_status"})
    assert data["speaker"] == "customer:CUST123"
    assert "customer@example.com" not in str(data["scenario"])


def test_w13_cases_are_listed_searched_sorted_and_removed(
    agent: httpx.Client, talked: Talked
) -> None:
    mark = uuid4().hex
    ids = [correct(agent, talked, name=f"{letter} {mark}")["id"] for letter in "bca"]
    query: dict[str, Any] = {"search": mark, "per_page": 2}
    first = agent.get(CASES, params=query).json()
    assert [row["id"] for row in first["data"]] == [ids[2], ids[1]]
    assert first["pagination"] == {
        "page": 1,
        "per_page": 2,
        "total": 3,
        "pages": 2,
        "has_next": True,
        "has_prev": False,
    }
    named = agent.get(CASES, params={**query, "sort": "name", "page": 2}).json()
    assert [row["name"] for row in named["data"]] == [f"c {mark}"]
    slashed = agent.get(CASES + "/", params=query).json()
    assert slashed["data"] == first["data"]
    removed = agent.delete(f"{CASES}/{ids[0]}")
    assert removed.status_code == 200
    assert removed.json()["data"]["id"] == ids[0]
    assert_admin_failure(agent.get(f"{CASES}/{ids[0]}"), 404, "NOT_FOUND")
    assert_admin_failure(agent.delete(f"{CASES}/{ids[0]}"), 404, "NOT_FOUND")
    assert agent.get(CASES, params=query).json()["pagination"]["total"] == 2


def test_x05_only_agents_and_above_correct(
    customer: httpx.Client, anyone: httpx.Client, admin: httpx.Client, talked: Talked
) -> None:
    body = {"message_id": talked.message_ids[-1], "correction": CORRECTION}
    assert_admin_failure(customer.post(CASES, json=body), 403, "PERMISSION_DENIED")
    assert_admin_failure(customer.get(CASES), 403, "PERMISSION_DENIED")
    assert_admin_failure(anyone.post(CASES, json=body), 403, "INVALID_TOKEN")
    id = correct(admin, talked)["id"]
    assert_admin_failure(customer.get(f"{CASES}/{id}"), 403, "PERMISSION_DENIED")
    assert_admin_failure(customer.delete(f"{CASES}/{id}"), 403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": None},
        {"message_id": "first"},
        {"turn": 1},
        {"conversation_id": str(uuid4()), "turn": 1},
        {"message_id": None, "conversation_id": str(uuid4())},
        {"message_id": None, "conversation_id": str(uuid4()), "turn": 0},
        {"message_id": None, "conversation_id": str(uuid4()), "turn": 10**30},
        {"correction": {}},
        {"correction": {"says": []}},
        {"correction": {"says": [""]}},
        {"correction": {"says": "149"}},
        {"correction": {"says": ["x"] * 21}},
        {"correction": {"intent": "DROP TABLE"}},
        {"correction": {"text": "149"}},
        {"correction": None},
        {"name": ""},
        {"organization_id": str(uuid4())},
    ],
)
def test_w13_what_does_not_fit_the_schema_is_422(
    agent: httpx.Client, talked: Talked, changes: dict[str, Any]
) -> None:
    body = {"message_id": talked.message_ids[-1], "correction": CORRECTION, **changes}
    assert_schema_failure(agent.post(CASES, json=body))


@pytest.mark.parametrize("query", ["page=0", "per_page=101", "sort=secret", "format=xml"])
def test_w13_a_list_refuses_bad_queries(agent: httpx.Client, query: str) -> None:
    assert_schema_failure(agent.get(f"{CASES}?{query}"))


def test_w16_an_unknown_turn_is_404(agent: httpx.Client, talked: Talked) -> None:
    for named in (
        {"message_id": str(uuid4())},
        {"conversation_id": str(uuid4()), "turn": 1},
        {"conversation_id": correct(agent, talked)["conversation_id"], "turn": 3},
    ):
        answer = agent.post(CASES, json={**named, "correction": CORRECTION})
        assert_admin_failure(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("id", ["nothing", "0", str(2**63), UNKNOWN_ID, "%00"])
def test_w16_an_unknown_case_is_404(agent: httpx.Client, id: str) -> None:
    assert_admin_failure(agent.get(f"{CASES}/{id}"), 404, "NOT_FOUND")
