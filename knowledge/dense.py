"""Where are an organization's vectors, and which of its titles and passages are nearest?

They live in one collection of the vector store, which belongs to one encoder and one `Space`.
A collection is replaced, never changed in kind: a new one is filled beside it and takes its
place when it is complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, update

from core.database import new_id
from core.runtime import Runtime
from knowledge.corpus import KnownDocument, texts_to_encode, vector_ids
from knowledge.space import Space, Vectors, fit_space, ordinary_questions, space_from_bytes
from knowledge.tables import knowledge_indexes

# Two to four were near one another on the tuning questions.
REMOVED_DIRECTIONS = 3
REFIT_GROWTH = 2.0
# Once nothing more comes, a space should be that of the documents there are.
SETTLED_GROWTH = 1.2
REFIT_MINIMUM_VECTORS = 12
ENCODE_BATCH_TEXTS = 64
KEPT_RAW_VECTORS = 20_000


class RawVectors:
    """An encoder, run in a thread, with the raw vectors of what was indexed lately.

    A corpus that is loaded document by document is fitted several times; its texts are encoded
    once. Kept in half precision: about 1 kB a text.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Vectors]) -> None:
        self._encode = encode
        self._kept: dict[str, Any] = {}

    async def of(self, texts: Mapping[str, str]) -> Vectors:
        """Raw rows (n, dimensions) of texts by vector id."""
        wanted = [id for id in texts if id not in self._kept]
        for start in range(0, len(wanted), ENCODE_BATCH_TEXTS):
            batch = wanted[start : start + ENCODE_BATCH_TEXTS]
            rows = await asyncio.to_thread(self._encode, [texts[id] for id in batch])
            self._kept.update(zip(batch, rows.astype(np.float16), strict=True))
        vectors = np.array([self._kept[id] for id in texts], dtype=np.float32)
        while len(self._kept) > KEPT_RAW_VECTORS:
            self._kept.pop(next(iter(self._kept)))
        return vectors

    def forget(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._kept.pop(id, None)


@dataclass(frozen=True)
class DenseIndex:
    """A collection, the space that its vectors are in, and how many it was fitted on."""

    collection: str
    space: Space
    fitted_on: int


def dense_index(row: Any, dimensions: int) -> DenseIndex | None:
    """Read a row of `knowledge_indexes`; None when it does not fit the encoder."""
    try:
        return DenseIndex(row.collection, space_from_bytes(row.space, dimensions), row.fitted_on)
    except ValueError:
        return None


class OrganizationVectors:
    """One organization's vectors. Whoever calls a method that writes holds `writing`."""

    def __init__(self, runtime: Runtime, raw: RawVectors, organization_id: UUID) -> None:
        self._runtime = runtime
        self._raw = raw
        self._organization_id = organization_id
        self.writing = asyncio.Lock()
        # What the database says there is, until it has been compared with the documents.
        self.recorded: DenseIndex | None = None
        self.ready: DenseIndex | None = None

    async def nearest(self, vector: Vectors, limit: int) -> dict[str, float]:
        """The nearest vector ids with their centred similarity (-1 to 1), best first.

        `vector` is a question's, raw (dimensions,). Empty until the vectors are ready. Raises
        VectorStoreBroken.
        """
        dense = self.ready
        if dense is None:
            return {}
        projected = dense.space.project_questions(vector[None, :])[0]
        hits = await self._runtime.vectors.search(dense.collection, projected, limit)
        return {hit.id: hit.similarity for hit in hits}

    async def put(
        self, changed: Sequence[KnownDocument], everything: Collection[KnownDocument]
    ) -> None:
        """Store the vectors of changed documents among everything that is known."""
        if self.ready is None:
            await self.reconcile(everything)
            return
        texts = texts_to_encode(changed)
        projected = self.ready.space.project(await self._raw.of(texts))
        async with self._changing(self.ready):
            await self._runtime.vectors.upsert(self.ready.collection, list(texts), projected)

    async def delete(self, ids: Collection[str]) -> None:
        self._raw.forget(ids)
        if self.ready is not None and ids:
            async with self._changing(self.ready):
                await self._runtime.vectors.delete(self.ready.collection, list(ids))

    @asynccontextmanager
    async def _changing(self, dense: DenseIndex) -> AsyncIterator[None]:
        """Tell the processes that hold a copy that it is an old one, also after half a change."""
        try:
            yield
        finally:
            if self._runtime.vectors.is_shared:
                await self._count_up(dense)

    async def _count_up(self, dense: DenseIndex) -> None:
        changed = (
            update(knowledge_indexes)
            .where(knowledge_indexes.c.collection == dense.collection)
            .values(version=knowledge_indexes.c.version + 1)
        )
        async with self._runtime.database.transaction(self._organization_id) as transaction:
            await transaction.execute(changed)

    async def reconcile(self, everything: Collection[KnownDocument]) -> None:
        """Compare the stored vectors with the documents: add what is missing, drop the rest."""
        dense = self.ready or self.recorded
        expected = {one.id: vector_ids(one) for one in everything}
        stored = set() if dense is None else await self._runtime.vectors.ids(dense.collection)
        missing = [one for one in everything if not expected[one.id] <= stored]
        if dense is None or len(missing) > len(expected) / 2:
            await self.build(everything)
            return
        self.ready = dense
        # Whoever wrote before may have ended between a change and saying so.
        async with self._changing(dense):
            if missing:
                await self.put(missing, everything)
            await self.delete(stored - set[str]().union(*expected.values()))

    def has_outgrown(
        self, everything: Collection[KnownDocument], growth: float = REFIT_GROWTH
    ) -> bool:
        """Whether the corpus has grown so many times since its space was fitted."""
        count = sum(1 + len(one.passages) for one in everything)
        limit = 0.0 if self.ready is None else growth * self.ready.fitted_on
        return self.ready is not None and count >= max(limit, REFIT_MINIMUM_VECTORS)

    def has_changed(self, everything: Collection[KnownDocument]) -> bool:
        """Whether it has become another than the one that its space was fitted on."""
        count = sum(1 + len(one.passages) for one in everything)
        shrunk = self.ready is not None and SETTLED_GROWTH * count <= self.ready.fitted_on
        enough = count >= REFIT_MINIMUM_VECTORS
        return self.has_outgrown(everything, SETTLED_GROWTH) or (shrunk and enough)

    async def build(self, everything: Collection[KnownDocument]) -> None:
        """Fill a new collection, then let it take the place of the present one."""
        texts = texts_to_encode(everything)
        if not texts:
            return
        vectors = await self._raw.of(texts)
        space = await asyncio.to_thread(self._fitted, vectors)
        dense = DenseIndex(f"passages-{new_id().hex}", space, len(texts))
        await self._runtime.vectors.upsert(dense.collection, list(texts), space.project(vectors))
        former = self.ready or self.recorded
        await self._record(dense)
        self.ready = dense
        if former is not None:
            await self._runtime.vectors.drop(former.collection)

    def _fitted(self, vectors: Vectors) -> Space:
        encoder = self._runtime.passage_encoder
        everyday = ordinary_questions()
        ordinary, asked = encoder.passages(everyday), encoder.questions(everyday)
        return fit_space(vectors, ordinary, asked, REMOVED_DIRECTIONS)

    async def _record(self, dense: DenseIndex) -> None:
        """Write down this encoder's collection; another encoder's stays for a way back."""
        encoder = self._runtime.passage_encoder.name
        async with self._runtime.database.transaction(self._organization_id) as transaction:
            await transaction.execute(
                delete(knowledge_indexes).where(knowledge_indexes.c.encoder == encoder)
            )
            await transaction.insert(
                knowledge_indexes,
                {
                    "encoder": encoder,
                    "collection": dense.collection,
                    "space": dense.space.to_bytes(),
                    "fitted_on": dense.fitted_on,
                    "created_at": self._runtime.clock(),
                },
            )

    def lose(self) -> None:
        """Forget a collection that can no longer be read."""
        self.ready = None
        self.recorded = None
