"""How a customer seems, from what they wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bot.state import DialogueState
from channels.handoff_file import mood_of
from services.conversations.stream import StoredMessage


def said(text: str, intent: str = "delivery_question", role: str = "user") -> StoredMessage:
    now = datetime(2026, 1, 12, tzinfo=UTC)
    return StoredMessage(uuid4(), 1, role, text, "fr", intent, 1.0, (), {}, None, None, now)


@pytest.mark.parametrize(
    ("texts", "mood"),
    [
        (["Bonjour, où est ma commande ?", "Merci"], "calm"),
        (["C'est inadmissible, je suis furieuse"], "upset"),
        (["This is unacceptable"], "upset"),
        (["OÙ EST MA COMMANDE", "REPONDEZ MOI ENFIN"], "upset"),
        (["Où est ma commande !!"], "impatient"),
        (["Où est ma commande ?", "où est ma commande ?"], "impatient"),
        (["TKT", "CMD-2026"], "calm"),
    ],
)
def test_that_the_mood_is_read_from_signs(texts: list[str], mood: str) -> None:
    found, signs = mood_of([said(text) for text in texts], DialogueState())
    assert found == mood
    assert bool(signs) == (mood != "calm")


def test_that_only_the_customer_s_latest_messages_count() -> None:
    angry = said("Quelle honte !!")
    calm = [said(f"Et pour la pièce numéro {number} ?") for number in range(6)]
    assert mood_of([angry, *calm], DialogueState())[0] == "calm"
    assert mood_of([said("Quelle honte !!", role="agent")], DialogueState())[0] == "calm"
    assert mood_of([said("Bonjour", "complaint")], DialogueState())[0] == "upset"
    assert mood_of([said("Bonjour")], DialogueState(failures=1))[0] == "impatient"
