"""How long do an agent's lists take among 10,000 tickets and 10,000 conversations?

    .venv/bin/python -m scripts.benchmarks.console [--database postgresql+asyncpg://…]

Prints the median and the 95th percentile of each list in milliseconds, in this process, and the
median of the CPU time that this process used; what a database server used is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from core.database import Transaction, new_id
from core.migrations import migrate
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from services.accounts.organizations import create_organization
from services.accounts.tables import customers
from services.accounts.users import NewUser, create_user
from services.conversations.desk import count_queues, summaries
from services.conversations.search import Filters, find_conversations
from services.conversations.tables import conversations, messages
from services.tickets.assignment import count_tickets, find_tickets
from services.tickets.tables import tickets

ROWS = 10_000
MESSAGES = 6
TIMES = 40
FIRST_NAMES = "François Zoé Camille Éloïse Jean Amélie Noël Inès Hélène Rémi".split()
LAST_NAMES = "Lefèvre Martin Dupré Çelik Müller Garçon Benoît Léger Nuñez Morel".split()
WORDS = "canapé table livraison retard pied cassé tissu Oslo remboursement colis vis notice".split()


def sentence(choose: random.Random) -> str:
    return " ".join(choose.choices(WORDS, k=25))


async def fill(runtime: Runtime) -> tuple[UUID, UUID]:
    """A shop with old and new work, some of it the agent's."""
    choose, now = random.Random(1), runtime.clock()  # noqa: S311  figures repeat
    async with runtime.database.transaction(None) as transaction:
        shop = await create_organization(transaction, "Bench", uuid4().hex, now)
        agent = await create_user(transaction, NewUser("a@example.com", None, "Agent"), now)
    for start in range(0, ROWS, 1_000):
        async with runtime.database.transaction(shop.id) as transaction:
            began = now - timedelta(minutes=ROWS - start)
            await _fill_some(transaction, choose, began, start, agent.id)
    return shop.id, agent.id


async def _fill_some(
    transaction: Transaction, choose: random.Random, now: Any, start: int, agent: UUID
) -> None:
    people, talks, said, filed = [], [], [], []
    for number in range(start, start + 1_000):
        moment = now + timedelta(seconds=number)
        person = _person(choose, number, moment)
        talk = _talk(choose, number, moment, person["id"], agent)
        people.append(person)
        talks.append(talk)
        said += [
            {
                "conversation_id": talk["id"],
                "sequence": sequence,
                "role": "user",
                "content": sentence(choose),
                "sources": [],
                "attachments": {},
                "created_at": moment,
            }
            for sequence in range(1, MESSAGES + 1)
        ]
        filed.append(_ticket(choose, number, moment, talk, agent))
    await transaction.insert_many(customers, people)
    await transaction.insert_many(conversations, talks)
    await transaction.insert_many(messages, said)
    await transaction.insert_many(tickets, filed)


def _person(choose: random.Random, number: int, moment: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "reference": f"CUST{number}",
        "email": f"client{number}@example.com",
        "first_name": choose.choice(FIRST_NAMES),
        "last_name": choose.choice(LAST_NAMES),
        "language": "fr",
        "created_at": moment,
    }


def _talk(
    choose: random.Random, number: int, moment: datetime, customer: UUID, agent: UUID
) -> dict[str, Any]:
    owner = choose.choices(["bot", "waiting", "human", "closed"], [70, 3, 7, 20])[0]
    return {
        "id": new_id(),
        "session_id": f"s{number}",
        "actor": "visitor:1",
        "customer_id": customer,
        "channel": "web_chat",
        "language": "fr",
        "owner": owner,
        "owner_since": moment,
        "assignee_id": agent if owner == "human" and number % 5 == 0 else None,
        "assistant_revision": 1,
        "state": {},
        "next_sequence": MESSAGES + 1,
        "created_at": moment,
        "updated_at": moment,
    }


def _ticket(
    choose: random.Random, number: int, moment: datetime, talk: dict[str, Any], agent: UUID
) -> dict[str, Any]:
    return {
        "number": f"TKT-2026-{number:06d}",
        "actor": "visitor:1",
        "customer_id": talk["customer_id"],
        "conversation_id": talk["id"],
        "order_number": f"CMD-2026-{ROWS - number:06d}",
        "problem_category": "autre",
        "problem_severity": "moyen",
        "priority": choose.choice(["low", "medium", "high", "urgent"]),
        "status": choose.choices(["open", "in_progress", "closed"], [20, 20, 60])[0],
        "description": sentence(choose),
        "assignee_id": agent if number % 40 == 0 else None,
        "sla_response_deadline": moment + timedelta(hours=24),
        "created_at": moment,
        "updated_at": moment,
    }


async def measure(name: str, work: Callable[[], Awaitable[Any]]) -> None:
    taken, used = [], []
    for _ in range(TIMES):
        began, before = time.perf_counter(), time.process_time()
        await work()
        taken.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - before) * 1000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    middle, cost = statistics.median(taken), statistics.median(used)
    print(f"{name:42} {middle:7.1f} {p95:7.1f} {cost:7.1f}", flush=True)


async def run(runtime: Runtime) -> None:
    now = runtime.clock()
    organization_id, agent = await fill(runtime)

    async def counts() -> None:
        async with runtime.database.reading(organization_id) as transaction:
            await count_queues(transaction, agent, now)
            await count_tickets(transaction, agent, now)

    def listed(**filters: Any) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            async with runtime.database.reading(organization_id) as transaction:
                rows, _ = await find_conversations(
                    transaction, Filters(**filters), agent, 50, None, now
                )
                await summaries(transaction, rows)

        return work

    def filed(queue: Any, text: str | None = None) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            async with runtime.database.reading(organization_id) as transaction:
                await find_tickets(transaction, queue, text, None, agent, 50, None, now)

        return work

    print(f"{'':42}  median     p95     CPU")
    await measure("counts of all queues", counts)
    for queue in ("mine", "unassigned", "waiting", "all", "closed"):
        await measure(f"conversations: {queue}", listed(queue=queue))
    await measure("conversations: two frequent words", listed(text="canapé retard"))
    await measure("conversations: a word that nobody says", listed(text="girafe"))
    await measure("conversations: a customer's name", listed(text="francois lefevre"))
    for queue in ("mine", "unassigned", "breaching", "all"):
        await measure(f"tickets: {queue}", filed(queue))
    await measure("tickets: two words", filed("all", "canapé retard"))
    await measure("tickets: a word that nobody says", filed("all", "girafe"))
    await measure("tickets: a customer's name", filed("all", "francois lefevre"))
    await measure("tickets: part of an order number", filed("all", "cmd 4242"))


async def main(url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=url or "")
        await migrate(settings.database)
        async with open_runtime(settings, {}) as runtime:
            await run(runtime)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="an empty PostgreSQL database instead of SQLite")
    asyncio.run(main(parser.parse_args().database))
