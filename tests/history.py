"""A shop's past in bulk: conversations of many days, so that figures have something to count."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.database import Transaction, new_id
from services.conversations.ratings import ratings
from services.conversations.tables import conversations, handoff_events, messages, turns
from services.tickets.tables import tickets

INTENTS = (
    "delivery_question",
    "order_status",
    "return_request",
    "warranty_question",
    "product_search",
    "store_hours",
)
UNKNOWN = "out_of_scope"
QUESTIONS = {
    "delivery_question": "Quels sont vos délais de livraison ?",
    "order_status": "Où en est ma commande ?",
    "return_request": "Je voudrais retourner mon fauteuil",
    "warranty_question": "Mon canapé est-il encore sous garantie ?",
    "product_search": "Je cherche un canapé gris",
    "store_hours": "À quelle heure ouvrez-vous ?",
}
UNANSWERED = (
    "Louez-vous des meubles ?",
    "Proposez-vous la location de meubles ?",
    "Peut-on louer un canapé pour un mois ?",
    "Acceptez-vous les chèques vacances ?",
    "Puis-je payer en chèques vacances ANCV ?",
    "Avez-vous un programme de fidélité ?",
    "Comment avoir une carte de fidélité ?",
    "Organisez-vous des visites d’atelier ?",
)


@dataclass(frozen=True)
class Said:
    """A message of the customer and what the assistant answered; times from the beginning."""

    text: str
    intent: str
    after: timedelta = timedelta()
    known: bool = True
    # What a search of the catalogue looked for in vain.
    missed: str = ""
    source: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Past:
    """One conversation of the past."""

    began: datetime
    said: Sequence[Said]
    actor: str = "visitor:past"
    session: str = "past"
    channel: str = "web_chat"
    rating: int | None = None
    person_after: timedelta | None = None
    id: UUID = field(default_factory=new_id)


async def write_past(transaction: Transaction, past: Sequence[Past]) -> None:
    """Write conversations as the product would have left them."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("conversations", "messages", "turns", "events", "ratings")
    }
    for one in past:
        _add(rows, one)
    await transaction.insert_many(conversations, rows["conversations"])
    await transaction.insert_many(
        messages, [row for row in rows["messages"] if not row["reply_to"]]
    )
    await transaction.insert_many(messages, [row for row in rows["messages"] if row["reply_to"]])
    await transaction.insert_many(turns, rows["turns"])
    await transaction.insert_many(handoff_events, rows["events"])
    await transaction.insert_many(ratings, rows["ratings"])


def _add(rows: dict[str, list[dict[str, Any]]], past: Past) -> None:
    for place, said in enumerate(past.said):
        _add_turn(rows, past, said, 2 * place)
    sequence = 2 * len(past.said)
    last = past.began + past.said[-1].after
    _add_person(rows, past, sequence, last)
    rows["conversations"].append(
        {
            "id": past.id,
            "session_id": f"{past.session}-{past.id.hex}",
            "actor": past.actor,
            "customer_id": None,
            "channel": past.channel,
            "language": "fr",
            "owner": "bot",
            "assistant_revision": 1,
            "state": {},
            "next_sequence": sequence + 3,
            "created_at": past.began,
            "updated_at": last,
        }
    )
    if past.rating is not None:
        row = {"conversation_id": past.id, "score": past.rating, "comment": ""}
        rows["ratings"].append({**row, "created_at": last, "updated_at": last})


def _add_turn(rows: dict[str, list[dict[str, Any]]], past: Past, said: Said, sequence: int) -> None:
    at, asked, answered = past.began + said.after, new_id(), new_id()
    shared = {"conversation_id": past.id, "language": "fr", "attachments": {}}
    shared |= {"intent": said.intent, "confidence": 0.9}
    question = {"id": asked, "sequence": sequence + 1, "role": "user", "content": said.text}
    answer = {
        "id": answered,
        "sequence": sequence + 2,
        "role": "assistant",
        "content": "Voici ce que je sais." if said.known else "Je ne sais pas.",
    }
    replied = at + timedelta(milliseconds=120)
    sources = [said.source] if said.source else []
    rows["messages"] += [
        {**shared, **question, "sources": [], "reply_to": None, "created_at": at},
        {**shared, **answer, "sources": sources, "reply_to": asked, "created_at": replied},
    ]
    steps: list[dict[str, Any]] = [{"step": "understood", "ms": 1.0}]
    if said.missed:
        steps.append(
            {"step": "products_missed", "ms": 2.0, "subject": said.missed, "words": said.missed}
        )
    steps += [] if said.known else [{"step": "unknown", "ms": 2.0, "failures": 1}]
    turn = {"conversation_id": past.id, "message_id": answered, "trace": steps}
    rows["turns"].append({**turn, "duration_ms": 120, "created_at": at})


def _add_person(
    rows: dict[str, list[dict[str, Any]]], past: Past, sequence: int, last: datetime
) -> None:
    if past.person_after is None:
        return
    event = {"conversation_id": past.id, "kind": "requested", "actor": past.actor}
    rows["events"].append({**event, "owner": "waiting", "created_at": last})
    rows["messages"].append(
        {
            "conversation_id": past.id,
            "language": "fr",
            "attachments": {},
            "intent": None,
            "confidence": None,
            "id": new_id(),
            "sequence": sequence + 1,
            "role": "agent",
            "content": "Bonjour, je m’en occupe.",
            "sources": [],
            "reply_to": None,
            "created_at": last + past.person_after,
        }
    )


def invented_past(now: datetime, days: int, conversations_a_day: int) -> list[Past]:
    """A plausible past, the same for the same arguments: busier in the week, slowly growing."""
    choose = random.Random(7)
    past = []
    for day in range(days, 0, -1):
        midnight = (now - timedelta(days=day)).replace(hour=7, minute=0, second=0, microsecond=0)
        weekend = 0.45 if midnight.weekday() >= 5 else 1.0
        growth = 1 + 0.4 * (days - day) / days
        number = round(conversations_a_day * weekend * growth * choose.uniform(0.8, 1.2))
        past += [_invented(choose, midnight, len(past) + place) for place in range(number)]
    return past


def _invented(choose: random.Random, midnight: datetime, number: int) -> Past:
    began = midnight + timedelta(seconds=choose.randrange(13 * 3600))
    intent = choose.choices(INTENTS, [30, 24, 14, 12, 14, 6])[0]
    said = [Said(QUESTIONS[intent], intent)]
    if choose.random() < 0.13:
        said.append(Said(choose.choice(UNANSWERED), UNKNOWN, timedelta(minutes=1), known=False))
    if choose.random() < 0.34:
        said.append(Said("Merci beaucoup !", "thanks", timedelta(minutes=2)))
    elif choose.random() < 0.07:
        said.append(Said(QUESTIONS[intent], intent, timedelta(hours=choose.randrange(2, 60))))
    rated = choose.random() < 0.2
    waited = timedelta(seconds=choose.randrange(40, 1500)) if choose.random() < 0.11 else None
    return Past(
        began,
        said,
        actor=f"visitor:past{number}",
        channel=choose.choices(["web_chat", "email", "call"], [80, 12, 8])[0],
        rating=choose.choices([1, 2, 3, 4, 5], [4, 5, 12, 34, 45])[0] if rated else None,
        person_after=waited,
    )


async def write_tickets(transaction: Transaction, now: datetime, days: int, a_day: int) -> None:
    """Tickets of the past, most of them answered in time."""
    choose = random.Random(11)
    rows = []
    for number in range(days * a_day):
        filed = now - timedelta(days=choose.uniform(0.1, days))
        deadline = filed + timedelta(hours=24)
        answered = filed + timedelta(hours=choose.expovariate(1 / 9))
        resolved = answered + timedelta(hours=choose.expovariate(1 / 40))
        rows.append(
            {
                "number": f"TKT-PAST-{number:06d}",
                "actor": "visitor:past",
                "problem_category": "autre",
                "problem_severity": "moyen",
                "priority": "medium",
                "status": "resolved" if resolved < now else "open",
                "description": "Un pied est cassé.",
                "sla_response_deadline": deadline,
                "first_response_at": answered if answered < now else None,
                "resolved_at": resolved if resolved < now else None,
                "created_at": filed,
                "updated_at": filed,
            }
        )
    await transaction.insert_many(tickets, rows)
