"""Row X12: an honest report of how conversations ended, for managers, of their own shop."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from tests.conformance.shapes import assert_admin_failure, assert_schema_failure
from tests.serving import Server

OVERVIEW = "/api/v1/analytics/overview"
EXPORT = "/api/v1/analytics/export"
CLASSES = {
    "confirmed",
    "assumed",
    "reopened",
    "handed_over",
    "unanswered",
    "open",
    "nothing_asked",
}
DELIVERY = "Quels sont vos délais de livraison ?"


def overview(client: httpx.Client, **asked: str) -> dict[str, Any]:
    answer = client.get(OVERVIEW, params=asked)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def ended(client: httpx.Client) -> dict[str, int]:
    counts: dict[str, int] = overview(client)["conversations"]["resolution"]
    return counts


def talk(server: Server, *said: str, rating: int | None = None) -> None:
    with server.client() as visitor:
        session = None
        for one in said:
            body = {"message": one} | ({"session_id": session} if session else {})
            answer = visitor.post("/api/chat", json=body)
            assert answer.status_code == 200, answer.text
            session = answer.json()["session_id"]
            visitor.headers["X-Visitor-Token"] = answer.headers.get(
                "x-visitor-token", visitor.headers.get("X-Visitor-Token", "")
            )
        if rating is not None:
            rated = visitor.post("/api/chat/rating", json={"session_id": session, "score": rating})
            assert rated.status_code < 300, rated.text


@pytest.mark.parametrize(
    ("said", "rating", "expected"),
    [
        ((DELIVERY,), None, "open"),
        ((DELIVERY, "Merci beaucoup !"), None, "confirmed"),
        ((DELIVERY,), 5, "confirmed"),
        ((DELIVERY,), 1, "unanswered"),
        (("Quelle est la capitale de la Mongolie ?",), None, "unanswered"),
        (("Je veux parler à un conseiller",), None, "handed_over"),
        (("Bonjour",), None, "nothing_asked"),
    ],
)
def test_x12_each_conversation_is_in_one_class(
    server: Server, admin: httpx.Client, said: tuple[str, ...], rating: int | None, expected: str
) -> None:
    before = ended(admin)
    talk(server, *said, rating=rating)
    after = ended(admin)
    assert set(after) == CLASSES
    assert {name: after[name] - before[name] for name in CLASSES} == {
        name: int(name == expected) for name in CLASSES
    }


def test_x12_the_classes_add_up_and_no_rate_sums_them(server: Server, admin: httpx.Client) -> None:
    talk(server, DELIVERY)
    data = overview(admin)
    whole = data["conversations"]
    assert sum(whole["resolution"].values()) == whole["conversations"] > 0
    for name, number in whole["resolution"].items():
        assert number == sum(day["conversations"]["resolution"][name] for day in data["days"])
        assert number == sum(intent["resolution"][name] for intent in data["intents"])
    assert not {key for key in whole if "resol" in key} - {"resolution", "resolution_seconds"}
    assert len(data["days"]) == 30


def test_x12_a_period_and_a_channel_narrow_it(server: Server, admin: httpx.Client) -> None:
    talk(server, DELIVERY)
    assert overview(admin, channel="none")["conversations"]["conversations"] == 0
    long_ago = overview(admin, **{"from": "2020-01-01", "to": "2020-01-31"})
    assert long_ago["conversations"]["conversations"] == 0
    assert long_ago["conversations"]["handoff_rate"] is None
    backwards = admin.get(OVERVIEW, params={"from": "2026-02-01", "to": "2026-01-01"})
    assert_admin_failure(backwards, 400, "VALIDATION_ERROR")
    assert_schema_failure(admin.get(OVERVIEW, params={"from": "yesterday"}))


@pytest.mark.parametrize("table", ["days", "intents", "channels", "unanswered", "findings"])
def test_x12_every_table_is_a_file(server: Server, admin: httpx.Client, table: str) -> None:
    talk(server, DELIVERY)
    answer = admin.get(f"{EXPORT}/{table}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert all(len(row) == len(header) for row in rows)
    if table == "days":
        assert len(rows) == 30
        assert sum(int(row[1]) for row in rows) > 0


@pytest.mark.parametrize("path", [OVERVIEW, f"{EXPORT}/days"])
def test_x12_is_for_managers(
    server: Server, customer: httpx.Client, agent: httpx.Client, path: str
) -> None:
    for client in (customer, agent):
        assert_admin_failure(client.get(path), 403, "PERMISSION_DENIED")
    with server.client() as anyone:
        assert anyone.get(path).status_code == 403
