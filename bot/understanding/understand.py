"""Reading one message: language, intent and entities, from one embedding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bot.understanding.clauses import without_refusal
from bot.understanding.cues import fold, has_cue_in
from bot.understanding.entities import Entities, Vocabulary, extract_entities, shop_vocabulary
from bot.understanding.intents import OUT_OF_SCOPE, IntentModel, load_or_train
from bot.understanding.language import detect_language
from bot.understanding.spelling import (
    SpellingLexicon,
    load_lexicon,
    normalise,
    remove_invisible,
)
from core.database import Database
from core.providers.embeddings import Encoder
from core.runtime import Runtime
from services.catalogue.products import catalogue_version, list_products
from services.catalogue.stores import list_stores

PHRASES = Path(__file__).parent / "phrases"
REFRESH_SECONDS = 5.0
MAXIMUM_READ_CHARACTERS = 2_000
CLEAR_PRODUCT_LEAD = 0.1
# Intents that say nothing of what a document is about.
UNINFORMATIVE = frozenset(
    {
        "affirm",
        "complaint",
        "deny",
        "goodbye",
        "greeting",
        "human_agent",
        "out_of_scope",
        "thanks",
    }
)
# Nobody asks for a person by what documents say of one; but it is known what these are about.
WITHOUT_SUBJECT = UNINFORMATIVE - {"human_agent"}


@dataclass(frozen=True)
class Understanding:
    """What a message says.

    `text` is as typed, `corrected` with its spelling mended and without what it says is not wanted
    (for search only), `vector` the raw embedding of `corrected`; `ranking` holds (intent, score)
    pairs, best first.
    """

    text: str
    corrected: str
    language: str
    intent: str
    confidence: float
    ranking: tuple[tuple[str, float], ...]
    entities: Entities
    vector: NDArray[np.float32]

    @cached_property
    def folded(self) -> str:
        """Lower case, no accents."""
        return fold(self.text)

    @cached_property
    def is_question(self) -> bool:
        """Whether something is asked, in words or in how a telephone shortens them ("cmt")."""
        if "?" in self.text:
            return True
        texts = (self.folded, fold(self.corrected))
        return any(has_cue_in(text, "question", self.language) for text in texts)

    @property
    def product_sku(self) -> str | None:
        """The one product that the message names, None when it names none or several alike."""
        found = self.entities.products
        if not found:
            return None
        if len(found) > 1 and found[0].score - found[1].score < CLEAR_PRODUCT_LEAD:
            return None
        return found[0].sku

    @property
    def product_values(self) -> Mapping[str, Any]:
        """What the message asks of a product, by name of filter; nothing when it asks nothing."""
        found = self.entities
        values = {
            "types": found.types,
            "categories": found.categories,
            "colours": found.colours,
            "materials": found.materials,
            "excluded_colours": found.excluded_colours,
            "excluded_materials": found.excluded_materials,
            "excluded_types": found.excluded_types,
            "price_min_cents": found.price_min_cents,
            "price_max_cents": found.price_max_cents,
            "named_size_cm": found.named_size_cm,
            "width_max_cm": found.width_max_cm,
            "depth_max_cm": found.depth_max_cm,
            "height_max_cm": found.height_max_cm,
            "seats": found.seats,
        }
        return {name: value for name, value in values.items() if value not in ((), None)}

    @property
    def entities_present(self) -> bool:
        found = self.entities
        return bool(
            self.product_values
            or found.products
            or found.order_numbers
            or found.ticket_numbers
            or found.emails
            or found.phones
        )


class Vocabularies:
    """The names that each shop uses, read from its catalogue and kept until that changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[UUID, tuple[str, Vocabulary]] = {}
        self._checked: dict[UUID, float] = {}

    async def of(self, organization_id: UUID) -> Vocabulary:
        """The vocabulary of a shop; looks for a changed catalogue every `REFRESH_SECONDS`."""
        kept = self._kept.get(organization_id)
        now = time.monotonic()
        if kept is not None and now - self._checked[organization_id] < REFRESH_SECONDS:
            return kept[1]
        self._checked[organization_id] = now
        async with self._database.reading(organization_id) as transaction:
            version = await catalogue_version(transaction)
            if kept is not None and kept[0] == version:
                return kept[1]
            found = await list_products(transaction)
            shops = await list_stores(transaction)
        vocabulary = await asyncio.to_thread(
            shop_vocabulary, [asdict(item) for item in found], [asdict(item) for item in shops]
        )
        self._kept[organization_id] = (version, vocabulary)
        return vocabulary


class Interpreter:
    """Reads messages for the life of a process."""

    def __init__(
        self,
        encoder: Encoder,
        intents: IntentModel,
        lexicon: SpellingLexicon,
        vocabularies: Vocabularies,
        clock: Callable[[], datetime],
    ) -> None:
        self._encoder = encoder
        self._intents = intents
        # For what is read by the hundred: a doubt is not worth a second encoding there.
        self._quick_intents = replace(intents, second=None)
        self._lexicon = lexicon
        self._vocabularies = vocabularies
        self._clock = clock
        self._uses_word: Callable[[UUID, str], bool] = lambda organization_id, word: False

    def trust_words(self, uses_word: Callable[[UUID, str], bool]) -> None:
        """Take no word for a slip that an organization's documents use, as `uses_word` says."""
        self._uses_word = uses_word

    async def vocabulary(self, organization_id: UUID) -> Vocabulary:
        return await self._vocabularies.of(organization_id)

    async def understand(
        self, text: str, prior_language: str, organization_id: UUID
    ) -> Understanding:
        """Read a message; `prior_language` is the conversation's, or the caller's hint."""
        vocabulary = await self._vocabularies.of(organization_id)
        return self.read(
            text, prior_language, vocabulary, partial(self._uses_word, organization_id)
        )

    def read(
        self,
        text: str,
        prior_language: str,
        vocabulary: Vocabulary,
        is_right: Callable[[str], bool] = lambda word: False,
    ) -> Understanding:
        """Read a message with a vocabulary at hand: one embedding, a few milliseconds."""
        visible = remove_invisible(text)
        head = visible[:MAXIMUM_READ_CHARACTERS]
        language = detect_language(head, prior_language)
        corrected = normalise(without_refusal(head), language, self._lexicon, is_right)
        vector = self._encoder.encode([corrected])[0]
        prediction = self._intents.predict(corrected, vector)
        return Understanding(
            text=visible,
            corrected=corrected,
            language=language,
            intent=prediction.intent or OUT_OF_SCOPE,
            confidence=prediction.confidence,
            ranking=prediction.ranking,
            entities=extract_entities(visible, language, vocabulary, self._clock().date()),
            vector=vector,
        )

    def subject(self, text: str, vector: NDArray[np.float32]) -> Mapping[str, float]:
        """What a text is about: the shares of its intents, read as if a customer had written it.

        `vector` is its raw embedding. What is out of scope has none, nor have courtesies.
        """
        ranking = self._quick_intents.predict(text, vector).ranking
        return {intent: share for intent, share in ranking if intent not in WITHOUT_SUBJECT}


def informative(ranking: Iterable[tuple[str, float]]) -> Mapping[str, float]:
    """The shares of the intents that say what a text is about."""
    return {intent: share for intent, share in ranking if intent not in UNINFORMATIVE}


async def open_interpreter(runtime: Runtime) -> Interpreter:
    """Load, or train at the first start, what reading messages needs."""
    settings = runtime.settings
    folders = [PHRASES, settings.phrase_folder]

    def load() -> tuple[IntentModel, SpellingLexicon]:
        model = load_or_train(folders, runtime.encoder, settings.model_folder)
        return model, load_lexicon(folders)

    model, lexicon = await asyncio.to_thread(load)
    return Interpreter(
        runtime.encoder, model, lexicon, Vocabularies(runtime.database), runtime.clock
    )
