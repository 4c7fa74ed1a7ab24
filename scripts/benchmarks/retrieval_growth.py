"""What does a question cost among 1,000, 10,000 and 100,000 passages? CPU on one thread.

    scripts/bench retrieval_growth [--most 100000]

The index is filled with the data-protection help desk's documents and with copies of them in which
a part of the words and of each vector is changed, so that neither the vocabulary nor the space
repeats itself. They go into the indexes that serve, past the database. A question is the whole
search: its vector, nearness, words, subjects and quotes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import numpy as np

from core.database import new_id
from core.runtime import Runtime
from knowledge.corpus import KnownDocument, passage_vector_id, title_vector_id
from knowledge.dense import DenseIndex
from knowledge.index import Knowledge
from knowledge.search import search
from knowledge.space import Vectors
from scripts.benchmarks.retrieval import QUESTIONS, asked_of, cnil_documents, load, opened

SIZES = (1_000, 10_000, 100_000)
CHANGED_WORDS = 0.15
NOISE = 0.5
COLLECTION = "growth"
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo")


def changed_text(text: str, chance: np.random.Generator) -> str:
    """A text in which some words are of a vocabulary of their own."""
    words = text.split(" ")
    for place in np.flatnonzero(chance.random(len(words)) < CHANGED_WORDS):
        words[place] = "".join(SYLLABLES[one] for one in chance.integers(0, len(SYLLABLES), 3))
    return " ".join(words)


def copies(known: list[KnownDocument]) -> Iterator[tuple[KnownDocument, KnownDocument]]:
    """Each document again and again with changed words, with the one it was made of."""
    chance = np.random.default_rng(0)
    while True:
        for document in known:
            id = new_id()
            passages = tuple(
                replace(
                    one,
                    id=new_id(),
                    document_id=id,
                    title_id=title_vector_id(id),
                    text=changed_text(one.text, chance),
                )
                for one in document.passages
            )
            title = changed_text(document.title, chance)
            yield replace(document, id=id, title=title, passages=passages), document


class Growing:
    """An organization's indexes, grown with copies of its documents."""

    def __init__(self, runtime: Runtime, knowledge: Knowledge, organization_id: UUID) -> None:
        self.runtime, self.knowledge, self.organization_id = runtime, knowledge, organization_id
        self.corpus = knowledge.corpus(organization_id)
        self.sources = copies(list(self.corpus.documents.values()))
        self.chance = np.random.default_rng(1)
        # Of each first document: title and passages as passages, and its title as a sentence.
        self.raw: dict[UUID, Vectors] = {}
        self.titles: dict[UUID, Vectors] = {}

    async def start(self) -> None:
        """Move the vectors into a collection that grows."""
        ready = self.knowledge.vectors(self.organization_id).ready
        if ready is None:
            raise RuntimeError("the vectors are not ready")
        self.space = ready.space
        encode = self.runtime.passage_encoder.passages
        for document in list(self.corpus.documents.values()):
            texts = [document.title, *(f"{document.title} {p.text}" for p in document.passages)]
            self.raw[document.id] = await asyncio.to_thread(encode, texts)
            self.titles[document.id] = self.runtime.encoder.encode([document.title, ""])[:1]
        await self.store(list(self.corpus.documents.values()), list(self.raw.values()))
        grown = DenseIndex(COLLECTION, self.space, ready.fitted_on)
        self.knowledge.vectors(self.organization_id).ready = grown

    def near(self, vectors: Vectors) -> Vectors:
        """Vectors a part of which is changed."""
        noise = self.chance.standard_normal(vectors.shape, dtype=np.float32)
        noise *= NOISE / np.sqrt(vectors.shape[1])
        changed: Vectors = (vectors + noise).astype(np.float32)
        return changed

    async def store(self, documents: list[KnownDocument], raw: list[Vectors]) -> None:
        ids = [
            id
            for one in documents
            for id in (title_vector_id(one.id), *(passage_vector_id(p.id) for p in one.passages))
        ]
        await self.runtime.vectors.upsert(COLLECTION, ids, self.space.project(np.vstack(raw)))

    async def grow(self, size: int) -> None:
        """Add copies until there are `size` passages."""
        readings = self.knowledge.readings(self.organization_id)
        while len(self.corpus.passages) < size:
            batch, rows = [], []
            for _ in range(200):
                document, source = next(self.sources)
                rows.append(self.near(self.raw[source.id]))
                batch.append(document)
                self.corpus.put(document)
                title = self.near(self.titles[source.id])[0]
                title /= np.linalg.norm(title)
                row = self.knowledge.read(self.organization_id, document.title, title, "fr", {})
                readings.put(document.id, row)
            await self.store(batch, rows)


async def measure(growing: Growing) -> tuple[float, float]:
    """Mean and 95th percentile of the CPU milliseconds of a question."""
    costs = []
    questions = [one for one in asked_of(QUESTIONS["cnil"]) if one.language == "fr"]
    for round_number in range(2):
        for asked in questions:
            started = time.process_time()
            await search(
                growing.knowledge, growing.organization_id, asked.question, asked.language, 5
            )
            if round_number:
                costs.append((time.process_time() - started) * 1_000)
    return float(np.mean(costs)), float(np.percentile(costs, 95))


async def main() -> None:
    most = int(sys.argv[sys.argv.index("--most") + 1]) if "--most" in sys.argv else SIZES[-1]
    async with opened() as (runtime, knowledge):
        organization_id, _ = await load(runtime, knowledge, cnil_documents())
        await knowledge.settle()
        growing = Growing(runtime, knowledge, organization_id)
        await growing.start()
        for size in SIZES:
            if size <= most:
                await growing.grow(size)
                mean, high = await measure(growing)
                count = len(growing.corpus.passages)
                print(f"  {count} passages: {mean:.1f} ms CPU a question, p95 {high:.1f} ms")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
