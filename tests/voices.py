"""What callers say in tests, synthesised once for all of them; nothing recorded is kept."""

from __future__ import annotations

import asyncio

import pytest

from tests.calling import synthesise, trimmed

SAID = {
    "no": "Non merci.",
    "yes": "Oui, bien sûr.",
    "delivery": "Quels sont les délais de livraison ?",
    "warranty": "Combien de temps dure la garantie ?",
    "agree": "D'accord.",
    "wait": "Attendez, je voudrais connaître vos horaires d'ouverture.",
    "person": "Je veux parler à un conseiller.",
    "goodbye": "Merci beaucoup, au revoir.",
    "trailing": "Je voudrais savoir si",
    "rest": "vous livrez à Marseille.",
    # Without a pause in which it would be decoded.
    "breathless": "Je cherche un grand canapé confortable avec deux fauteuils et une table "
    "basse pour le salon de ma maison de campagne près de la mer",
}


@pytest.fixture(scope="session")
def voices() -> dict[str, bytes]:
    """16 kHz samples by name, without silence around them."""
    sounds = asyncio.run(synthesise(*SAID.values(), voice="alloy"))
    return dict(zip(SAID, map(trimmed, sounds), strict=True))
