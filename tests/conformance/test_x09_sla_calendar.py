"""Row X09: a shop's hours, holidays and pauses decide when a ticket is due; the desk shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.tickets.calendar import calendar_from_json, working_time_between

CONSOLE = "/api/v1/console"
OFFICE = ["09:00-12:30", "14:00-19:00"]
WEEK = {day: OFFICE for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
HOURS = {
    "time_zone": "Europe/Paris",
    "weekly": {**WEEK, "saturday": ["10:00-19:00"]},
    "holidays": "FR-ALSACE-MOSELLE",
    "exceptions": {"2030-12-24": ["09:00-12:00"]},
}


def file(client: httpx.Client, **more: Any) -> dict[str, Any]:
    body = {
        "problem_category": "casse_transport",
        "problem_severity": "urgent",
        "description": f"Pied cassé {uuid4().hex}",
        **more,
    }
    answer = client.post("/api/tickets", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["ticket"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def office_hours(admin: httpx.Client) -> Iterator[None]:
    """The shop's tickets are due in its hours until the test ends."""
    before = admin.get(f"{CONSOLE}/sla").json()["data"]
    answer = admin.put(f"{CONSOLE}/sla", json={"calendar": HOURS})
    assert answer.status_code == 200, answer.text
    yield
    assert admin.put(f"{CONSOLE}/sla", json=before).status_code == 200


def test_x09_the_default_runs_around_the_clock(customer: httpx.Client) -> None:
    ticket = file(customer, problem_severity="moyen")
    due = moment(ticket["sla_response_deadline"]) - moment(ticket["created_at"])
    assert due.total_seconds() == 24 * 3600


@pytest.mark.usefixtures("office_hours")
def test_x09_deadlines_follow_the_shop_s_calendar(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    ticket = file(customer)
    calendar = calendar_from_json(HOURS)
    created, due = moment(ticket["created_at"]), moment(ticket["sla_response_deadline"])
    worked = working_time_between(calendar, created, due).total_seconds()
    assert abs(worked - 4 * 3600) <= 1
    stored = agent.get(f"{CONSOLE}/sla").json()["data"]["calendar"]
    assert stored["weekly"] == {**HOURS["weekly"], "sunday": []}  # type: ignore[dict-item]
    assert stored["holidays"] == "FR-ALSACE-MOSELLE"


def test_x09_the_clock_pauses_and_the_panel_shows_it(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    number = file(customer)["ticket_id"]
    for status, is_paused in (("waiting_supplier", True), ("in_progress", False)):
        changed = agent.patch(f"/api/tickets/{number}", json={"status": status})
        assert changed.status_code == 200, changed.text
        panel = agent.get(f"{CONSOLE}/tickets/{number}").json()["data"]
        assert (panel["paused_since"] is not None) is is_paused
        assert panel["seconds_left"] > 4 * 3600 - 60
    assert [event["kind"] for event in panel["events"]].count("status_changed") == 2


def test_x09_tickets_are_found_merged_and_separated(
    customer: httpx.Client, agent: httpx.Client
) -> None:
    first, second = file(customer)["ticket_id"], file(customer)["ticket_id"]
    found = agent.get(f"{CONSOLE}/tickets", params={"search": second}).json()["data"]
    assert [row["ticket_id"] for row in found] == [second]
    merged = agent.post(f"{CONSOLE}/tickets/{second}/merge", json={"into": first})
    assert merged.status_code == 200, merged.text
    assert second in [one["ticket_id"] for one in merged.json()["data"]["related"]]
    again = agent.post(f"{CONSOLE}/tickets/{second}/merge", json={"into": first})
    assert again.status_code == 409
    assert agent.get(f"{CONSOLE}/tickets", params={"search": second}).json()["data"] == []
    assert agent.post(f"{CONSOLE}/tickets/{second}/unmerge").json()["data"]["status"] == "open"


@pytest.mark.parametrize(
    "calendar",
    [
        {"weekly": {}},
        {"weekly": {"monday": ["12:00-09:00"]}},
        {"weekly": {"monday": ["25:00-26:00"]}},
        {"weekly": {"lundi": OFFICE}},
        {"weekly": WEEK, "holidays": "MARS"},
        {"weekly": WEEK, "time_zone": "../../etc/passwd"},
        {"weekly": WEEK, "exceptions": {"not a day": OFFICE}},
    ],
)
def test_x09_a_calendar_that_makes_no_sense_is_refused(
    admin: httpx.Client, calendar: dict[str, Any]
) -> None:
    assert admin.put(f"{CONSOLE}/sla", json={"calendar": calendar}).status_code == 422
    assert admin.put(f"{CONSOLE}/service_hours", json=calendar).status_code == 422


def test_x09_agents_may_read_the_promise_and_not_change_it(agent: httpx.Client) -> None:
    assert agent.get(f"{CONSOLE}/sla").status_code == 200
    assert agent.get(f"{CONSOLE}/service_hours").status_code == 200
    assert agent.put(f"{CONSOLE}/sla", json={}).status_code == 403
    assert agent.put(f"{CONSOLE}/service_hours", json={"weekly": WEEK}).status_code == 403
