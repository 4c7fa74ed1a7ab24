"""Hostile line 70: a hundred equal POSTs with one Idempotency-Key file one ticket."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.serving import Server

pytestmark = pytest.mark.anyio
TIMES = 100
REQUEST = {
    "problem_category": "défaut_fabrication",
    "problem_severity": "moyen",
    "description": "Déchirure sur l'accoudoir gauche",
}


async def test_70_a_hundred_equal_posts_file_one_ticket(server: Server) -> None:
    mark = uuid4().hex
    headers = {
        "Authorization": f"Bearer {server.token('customer@example.com')}",
        "Idempotency-Key": mark,
    }
    body = {**REQUEST, "description": f"{REQUEST['description']} {mark}"}
    async with httpx.AsyncClient(
        base_url=server.base_url, headers=headers, timeout=60, trust_env=False
    ) as client:
        answers = await asyncio.gather(
            *(client.post("/api/tickets", json=body) for _ in range(TIMES))
        )
        listed = (await client.get("/api/tickets", params={"limit": 100})).json()
    statuses = {answer.status_code for answer in answers}
    assert len(statuses) == 1, statuses
    assert statuses <= {200, 201}
    assert len({answer.content for answer in answers}) == 1
    numbers = {answer.json()["ticket"]["ticket_id"] for answer in answers}
    assert len(numbers) == 1
    mine = [item["ticket_id"] for item in listed["tickets"] if mark in item["description"]]
    assert mine == list(numbers)
