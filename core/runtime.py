"""The parts of one running product, opened once and handed to whoever needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from core.database import Database, open_database
from core.outbox import Outbox
from core.providers.breaker import Breakers
from core.providers.broadcast import Broadcast, open_broadcast
from core.providers.cache import Cache, open_cache
from core.providers.email import EmailSender, open_email
from core.providers.embeddings import Encoder, open_encoder
from core.providers.kept_vectors import KeptEncoder
from core.providers.llm import LanguageModel, open_llm
from core.providers.passages import PassageEncoder, open_passage_encoder
from core.providers.speech import SpeechToText, TextToSpeech
from core.providers.speech.opening import open_speech_to_text, open_text_to_speech
from core.providers.storage import Storage, open_storage
from core.providers.traces import Traces, open_traces
from core.providers.vectors import VectorStore, open_vectors
from core.settings import Settings
from core.tools import Tool

Part = TypeVar("Part")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """Settings, database, providers and tools of one process.

    `parts` holds what higher floors keep open for the life of the process (the knowledge index,
    the trained intents), each under its own type; `part` hands it back with that type.
    """

    settings: Settings
    database: Database
    cache: Cache
    broadcast: Broadcast
    encoder: Encoder
    # The same for the shop's own texts, whose vectors it keeps between starts.
    kept_encoder: Encoder
    passage_encoder: PassageEncoder
    vectors: VectorStore
    storage: Storage
    email: EmailSender
    outbox: Outbox
    tools: Mapping[str, Tool]
    # Both start their engine at its first use.
    speech_to_text: SpeechToText
    text_to_speech: TextToSpeech
    clock: Callable[[], datetime] = utc_now
    # One circuit breaker for each outside service; its provider is given it when it opens.
    breakers: Breakers = field(default_factory=Breakers)
    # None: the embedded engine answers alone.
    llm: LanguageModel | None = None
    # None: nothing is traced.
    traces: Traces | None = None
    parts: dict[type[Any], Any] = field(default_factory=dict)

    def part(self, kind: type[Part]) -> Part:
        """The open part of a type, for example `runtime.part(Knowledge)`."""
        found: Part = self.parts[kind]
        return found


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    tools: Mapping[str, Tool],
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Runtime]:
    """Open every part that the settings name, and close them in the end."""
    breakers = Breakers()
    database = open_database(settings.database)
    cache = open_cache(settings.cache_url)
    broadcast = open_broadcast(settings.cache_url)
    vectors = open_vectors(settings.vector_store)
    encoder = open_encoder(settings.embeddings, settings.model_folder)
    runtime = Runtime(
        settings=settings,
        database=database,
        cache=cache,
        broadcast=broadcast,
        encoder=encoder,
        kept_encoder=KeptEncoder(encoder, settings.model_folder),
        passage_encoder=open_passage_encoder(encoder, settings.model_folder),
        vectors=vectors,
        storage=open_storage(settings.file_storage, breakers["cloudinary"]),
        email=open_email(settings, breakers["email"]),
        outbox=Outbox(database, clock),
        tools=tools,
        speech_to_text=open_speech_to_text(settings, breakers["speech"]),
        text_to_speech=open_text_to_speech(settings, breakers["speech"]),
        clock=clock,
        breakers=breakers,
        llm=open_llm(settings, breakers["openai"]),
        traces=open_traces(settings.traces),
    )
    try:
        yield runtime
    finally:
        if runtime.llm is not None:
            await runtime.llm.close()
        await runtime.speech_to_text.close()
        await runtime.text_to_speech.close()
        await vectors.close()
        await broadcast.close()
        await cache.close()
        await database.close()
        if runtime.traces is not None:
            await asyncio.to_thread(runtime.traces.close)
