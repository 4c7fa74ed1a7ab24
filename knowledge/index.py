"""Keeps what is searched in step with the database: words in memory, vectors in the store.

The database is the truth; everything here can be rebuilt from it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select

from core.memory import give_back_freed_memory
from core.providers.passages import SameForBoth
from core.providers.vectors import VectorStoreBroken
from core.runtime import Runtime
from core.telemetry import logger
from core.text import fold
from knowledge.corpus import (
    Corpus,
    KnownDocument,
    KnownPassage,
    known_documents,
    title_vector_id,
    vector_ids,
)
from knowledge.dense import OrganizationVectors, RawVectors, dense_index
from knowledge.documents import DOCUMENT_CHANGED, DOCUMENT_DELETED
from knowledge.quotes import Quotable, quotable
from knowledge.readings import IntentReader, Readings, Row
from knowledge.space import Space, Vectors
from knowledge.subjects import SubjectReader, open_subjects
from knowledge.tables import knowledge_indexes

KEPT_QUOTABLE_PASSAGES = 2_000
BATCH_DOCUMENTS = 16
RETRY_SECONDS = 5.0
# Sentences are encoded ahead of their first question, a little at a time.
WARMED_PASSAGES = 1_500
QUIET_SECONDS = 2.0
PAUSE_SECONDS = 0.02


class Knowledge:
    """What every organization of this process knows, searchable.

    Open it with `open_knowledge`, in the one process that serves searches.
    """

    def __init__(
        self, runtime: Runtime, subjects: SubjectReader, intents: IntentReader | None = None
    ) -> None:
        self.runtime = runtime
        self._subjects = subjects
        self._intents = intents
        self._readings: dict[UUID, Readings] = {}
        self._warming: dict[UUID, asyncio.Task[None]] = {}
        self._raw = RawVectors(runtime.passage_encoder.passages)
        self._titles = RawVectors(runtime.kept_encoder.encode)
        self._corpora: dict[UUID, Corpus] = {}
        self._vectors: dict[UUID, OrganizationVectors] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._quotable: OrderedDict[UUID, Quotable] = OrderedDict()
        self._refitting: set[UUID] = set()
        # By organization: documents whose vectors are to be stored, and those to be deleted.
        self._waiting: dict[UUID, dict[UUID, set[str]]] = {}
        self._recovering = False
        self._changed = asyncio.Condition()
        self._log = logger("knowledge.index")

    def corpus(self, organization_id: UUID) -> Corpus:
        """The organization's documents; empty for one that has none."""
        return self._corpora.setdefault(organization_id, Corpus())

    def uses_word(self, organization_id: UUID, word: str) -> bool:
        """Whether the organization's documents use a word, accents apart."""
        indexes = self.corpus(organization_id).lexical.values()
        return any(index.uses(fold(word)) for index in indexes)

    def vectors(self, organization_id: UUID) -> OrganizationVectors:
        """The organization's vectors."""
        found = self._vectors.get(organization_id)
        if found is None:
            found = OrganizationVectors(self.runtime, self._raw, organization_id)
            self._vectors[organization_id] = found
        return found

    def readings(self, organization_id: UUID) -> Readings:
        """What the organization's documents are about."""
        found = self._readings.get(organization_id)
        if found is None:
            found = self._readings[organization_id] = Readings(len(self._subjects))
        return found

    def read(
        self,
        organization_id: UUID,
        text: str,
        vector: Vectors,
        language: str,
        intents: Mapping[str, float] | None = None,
    ) -> Row:
        """What a text is about; `vector` is raw, `intents` its intents if they were read already.

        Takes about a millisecond.
        """
        if intents is None:
            intents = {} if self._intents is None else self._intents(text, vector)
        subjects = self._subjects.read(text, vector, language)
        return self.readings(organization_id).row(subjects, intents)

    @property
    def sentence_space(self) -> Space:
        """The space in which a question is compared with single sentences."""
        return self._subjects.space

    async def question_vector(self, question: str, vector: Vectors) -> Vectors:
        """The raw vector that is near to passages which answer a question.

        `vector` is the question's raw vector by the encoder of sentences.
        """
        encoder = self.runtime.passage_encoder
        if isinstance(encoder, SameForBoth):
            return vector
        at_once = encoder.question_at_once(question)
        if at_once is not None:
            return at_once
        found: Vectors = (await asyncio.to_thread(encoder.questions, [question]))[0]
        return found

    def quotable(self, passage: KnownPassage, language: str) -> Quotable:
        """A passage's sentences, kept for its next question."""
        kept = self._quotable.get(passage.id)
        if kept is None:
            kept = self._quotable[passage.id] = quotable(passage.text, language)
            if len(self._quotable) > KEPT_QUOTABLE_PASSAGES:
                self._quotable.popitem(last=False)
        return kept

    async def quotable_with_vectors(self, passage: KnownPassage, language: str) -> Quotable:
        """The same with the sentences' raw vectors, (n, dimensions)."""
        kept = self.quotable(passage, language)
        if kept.vectors is None:
            texts = [passage.text[span.start : span.end] for span in kept.spans]
            rows = await asyncio.to_thread(self.runtime.kept_encoder.encode, texts)
            kept = replace(kept, vectors=rows.astype(np.float16))
            self._quotable[passage.id] = kept
        return kept

    async def _warm(self, organization_id: UUID, writes: bool) -> None:
        """Encode the sentences of passages before a customer's question needs them.

        Whoever is still loading documents, or asking the first questions, goes before. A space
        that no longer fits is made anew by the process that `writes`.
        """
        await asyncio.sleep(QUIET_SECONDS)
        known = list(self.corpus(organization_id).documents.values())
        if writes:
            self._refit_if(organization_id, self.vectors(organization_id).has_changed(known))
        passages = [(one, document.language) for document in known for one in document.passages]
        for passage, language in passages[:WARMED_PASSAGES]:
            if self.quotable(passage, language).vectors is None:
                await self.quotable_with_vectors(passage, language)
                await asyncio.sleep(PAUSE_SECONDS)
        await asyncio.to_thread(give_back_freed_memory)

    def _warm_later(self, organization_id: UUID, writes: bool = True) -> None:
        """Warm what came new, after the work that is under way."""
        former = self._warming.get(organization_id)
        if former is not None:
            former.cancel()
        self._warming[organization_id] = asyncio.create_task(self._warm(organization_id, writes))

    async def _read_documents(
        self, organization_id: UUID, documents: Collection[KnownDocument]
    ) -> None:
        """Read what documents are about from their titles."""
        readings = self.readings(organization_id)
        for start in range(0, len(documents), BATCH_DOCUMENTS):
            batch = list(documents)[start : start + BATCH_DOCUMENTS]
            titles = {title_vector_id(one.id): one.title for one in batch}
            vectors = await self._titles.of(titles)
            for document, vector in zip(batch, vectors, strict=True):
                row = self.read(organization_id, document.title, vector, document.language)
                readings.put(document.id, row)
            await asyncio.sleep(0)

    async def load(self) -> None:
        """Read every organization's documents, and where its vectors are."""
        encoder = self.runtime.passage_encoder
        database = self.runtime.database
        async with database.reading(None, every_organization=True) as transaction:
            for document in await known_documents(transaction):
                self.corpus(document.organization_id).put(document)
            rows = await transaction.all(
                select(knowledge_indexes).where(knowledge_indexes.c.encoder == encoder.name)
            )
        for row in rows:
            self.vectors(row.organization_id).recorded = dense_index(row, encoder.dimensions)

    async def on_document_changed(self, organization_id: UUID, payload: Mapping[str, Any]) -> None:
        """Outbox handler: make a written document searchable; safe to repeat.

        Its words are found when this returns, its meaning once the next batch of vectors is
        stored. What a crash leaves out of the store is added at the next start.
        """
        document_id = UUID(payload["document_id"])
        async with self.runtime.database.reading(organization_id) as transaction:
            found = await known_documents(transaction, document_id)
        if not found:
            await self.on_document_deleted(organization_id, payload)
            return
        corpus = self.corpus(organization_id)
        former = corpus.documents.get(document_id)
        stale = set() if former is None else vector_ids(former) - vector_ids(found[0])
        corpus.put(found[0])
        waiting = self._waiting.setdefault(organization_id, {})
        idle = not waiting
        waiting[document_id] = waiting.get(document_id, set()) | stale
        if idle:
            self._spawn(self._store_waiting(organization_id))

    async def _store_waiting(self, organization_id: UUID) -> None:
        """Store the vectors of changed documents, as many together as have come meanwhile."""
        waiting = self._waiting[organization_id]
        try:
            while waiting:
                await self._store_batch(organization_id, waiting)
                await self._announce()
        except Exception:
            waiting.clear()
            self._spawn(self._reconcile_later())
            raise
        known = self.corpus(organization_id).documents.values()
        self._refit_if(organization_id, self.vectors(organization_id).has_outgrown(known))
        self._warm_later(organization_id)

    async def _store_batch(self, organization_id: UUID, waiting: dict[UUID, set[str]]) -> None:
        known = self.corpus(organization_id).documents
        vectors = self.vectors(organization_id)
        async with vectors.writing:
            batch = dict(list(waiting.items())[:BATCH_DOCUMENTS])
            changed = [known[id] for id in batch if id in known]
            try:
                await vectors.delete(set[str]().union(*batch.values()))
                await vectors.put(changed, known.values())
                await self._read_documents(organization_id, changed)
            except VectorStoreBroken as error:
                self.report_damage(error)
            for document_id, stale in batch.items():
                # A document that changed again meanwhile stays for the next batch.
                if waiting.get(document_id) is stale:
                    del waiting[document_id]

    async def _reconcile_later(self) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        await self.reconcile()

    async def on_document_deleted(self, organization_id: UUID, payload: Mapping[str, Any]) -> None:
        """Outbox handler: forget a deleted document; safe to repeat."""
        removed = self.corpus(organization_id).remove(UUID(payload["document_id"]))
        self.readings(organization_id).remove(UUID(payload["document_id"]))
        vectors = self.vectors(organization_id)
        if removed is not None:
            try:
                async with vectors.writing:
                    await vectors.delete(vector_ids(removed))
            except VectorStoreBroken as error:
                self.report_damage(error)
        await self._announce()

    async def adopt(
        self, organization_id: UUID, changed: Sequence[KnownDocument], gone: Collection[UUID]
    ) -> None:
        """Follow what another process has indexed: its words; the vectors are shared."""
        corpus = self.corpus(organization_id)
        for document in changed:
            corpus.put(document)
        for document_id in gone:
            corpus.remove(document_id)
            self.readings(organization_id).remove(document_id)
        await self._announce()
        await self._read_documents(organization_id, changed)
        self._warm_later(organization_id, writes=False)

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def wait_until_searchable(
        self,
        organization_id: UUID,
        document_id: UUID,
        timeout_seconds: float = 2.0,
        written_at: datetime | None = None,
    ) -> bool:
        """Wait until a document is indexed; False when it is not in time.

        `written_at` is of the version that is waited for; None: any will do. A writer that waits
        here cannot run ahead of the indexing during a long load.
        """
        known = self.corpus(organization_id).documents

        def is_indexed() -> bool:
            waiting = self._waiting.get(organization_id, {})
            if document_id not in known or document_id in waiting:
                return False
            return written_at is None or known[document_id].updated_at >= written_at

        try:
            async with asyncio.timeout(timeout_seconds), self._changed:
                await self._changed.wait_for(is_indexed)
        except TimeoutError:
            return False
        return True

    def _refit_if(self, organization_id: UUID, due: bool) -> None:
        if due and organization_id not in self._refitting:
            self._refitting.add(organization_id)
            self._spawn(self._refit(organization_id))

    async def _refit(self, organization_id: UUID) -> None:
        try:
            await self.rebuild(organization_id)
        finally:
            self._refitting.discard(organization_id)

    async def rebuild(self, organization_id: UUID | None = None) -> None:
        """Make the vectors of one or all organizations anew, beside the present ones."""
        chosen = [organization_id] if organization_id is not None else list(self._corpora)
        for one in chosen:
            vectors = self.vectors(one)
            async with vectors.writing:
                await vectors.build(self.corpus(one).documents.values())

    async def reconcile(self) -> None:
        """Compare the vectors of all organizations with their documents, and repair them."""
        for organization_id in set(self._corpora) | set(self._vectors):
            vectors = self.vectors(organization_id)
            try:
                async with vectors.writing:
                    await vectors.reconcile(self.corpus(organization_id).documents.values())
            except VectorStoreBroken as error:
                self.report_damage(error)
                return
            await self._read_unread(organization_id)
            self._warm_later(organization_id)

    async def _read_unread(self, organization_id: UUID) -> None:
        readings = self.readings(organization_id)
        known = self.corpus(organization_id).documents.values()
        await self._read_documents(
            organization_id, [one for one in known if one.id not in readings]
        )

    def report_damage(self, error: VectorStoreBroken) -> None:
        """The vector store failed: search by words alone, set it aside and rebuild it."""
        self._log.error("knowledge_vectors_damaged", error=str(error))
        for vectors in self._vectors.values():
            vectors.lose()
        if not self._recovering:
            self._recovering = True
            self._spawn(self._recover())

    async def _recover(self) -> None:
        try:
            await self.runtime.vectors.recover()
            # What several processes share is not lost with a connection; `SharedIndex` finds it.
            if not self.runtime.vectors.is_shared:
                await self.rebuild()
        finally:
            self._recovering = False

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log.error("knowledge_background_failed", error=f"{type(error)}: {error}")

    def open_encoder_in_background(self) -> None:
        """Read the weights before the first question needs them, which takes a second."""
        self._spawn(self._open_encoder())

    async def _open_encoder(self) -> None:
        await asyncio.to_thread(self.runtime.passage_encoder.questions, ["Bonjour ?"])

    def check_in_background(self) -> None:
        """Compare the vectors with the documents without keeping the caller."""
        self._spawn(self.reconcile())

    async def settle(self) -> None:
        """Wait for the work in the background to end."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    async def warm(self) -> None:
        """Wait until the sentences of the passages are encoded ahead of their questions."""
        await asyncio.gather(*self._warming.values(), return_exceptions=True)

    async def close(self) -> None:
        """Stop the work in the background."""
        for task in (*self._background, *self._warming.values()):
            task.cancel()
        await self.warm()
        await self.settle()


async def open_knowledge(runtime: Runtime, intents: IntentReader | None = None) -> Knowledge:
    """Load what is known, register the outbox handlers, and check the vectors in the background.

    `intents` reads what a customer who writes a text would want; documents whose titles ask for
    the same come first.

    Where several processes share the vectors, `knowledge.sharing` does all that.

    Words are searchable when this returns, meaning a moment later: opening the vector store
    takes about two seconds, most of them Chroma's import; `settle()` waits for it.
    """
    subjects = await open_subjects(runtime.encoder, runtime.settings.model_folder)
    knowledge = Knowledge(runtime, subjects, intents)
    knowledge.open_encoder_in_background()
    if runtime.vectors.is_shared:
        return knowledge
    await knowledge.load()
    runtime.outbox.on(DOCUMENT_CHANGED, knowledge.on_document_changed)
    runtime.outbox.on(DOCUMENT_DELETED, knowledge.on_document_deleted)
    knowledge.check_in_background()
    return knowledge
