"""Where passage vectors are kept and searched: Chroma, embedded in this process or on a server.

The embedded store belongs to one process, a server to as many as like. Vectors are derived data:
everything in here can be rebuilt from the database.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from core.providers.resident_vectors import MOST_VECTORS, ResidentVectors

Vectors = NDArray[np.float32]

RECONNECT_SECONDS = 1.0
_TRACE_EXPORTER = "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"


@dataclass(frozen=True)
class VectorHit:
    """One neighbour: the id that it was stored under, and its cosine similarity (-1 to 1)."""

    id: str
    similarity: float


class VectorStoreBroken(Exception):
    """The store cannot be read or written; `recover` sets it aside and starts an empty one."""


class VectorStore(Protocol):
    """Named collections of unit vectors; every method may raise `VectorStoreBroken`.

    One that `is_shared` is used by several processes, of which one writes at a time.
    """

    is_shared: bool

    async def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None: ...

    async def delete(self, collection: str, ids: Sequence[str]) -> None: ...

    async def search(self, collection: str, vector: Vectors, limit: int) -> list[VectorHit]:
        """The nearest `limit` of a collection, best first; an unknown collection has none."""

    async def ids(self, collection: str) -> set[str]: ...

    def write_alone(self, alone: bool) -> None:
        """Whether no other process writes until this is said again: what is small is then held."""

    async def follow(self, versions: Mapping[str, int]) -> None:
        """Which versions of all collections another process has written last; said regularly.

        A small collection is held once it has kept its version from one time to the next.
        """

    async def drop(self, collection: str) -> None: ...

    async def recover(self) -> None:
        """Set a store that cannot be read aside, for a person to look at, and start anew."""

    async def close(self) -> None: ...


@contextmanager
def _reporting_damage() -> Iterator[None]:
    """Turn whatever Chroma raises into one error; its native part panics outside `Exception`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError):
        raise
    except BaseException as error:
        raise VectorStoreBroken(f"{type(error).__name__}: {error}"[:500]) from error


def _chroma() -> tuple[Any, Any]:
    """The library and its settings, without the gRPC exporter of its own traces: 12 MB.

    Chroma imports it whole and uses it only where its traces are sent somewhere; ours are sent by
    `core.providers.traces`.
    """
    absent = ModuleType(_TRACE_EXPORTER)
    absent.OTLPSpanExporter = None  # type: ignore[attr-defined]
    stand_ins = {_TRACE_EXPORTER.rpartition(".")[0]: ModuleType("grpc"), _TRACE_EXPORTER: absent}
    added = {name: stand_in for name, stand_in in stand_ins.items() if name not in sys.modules}
    sys.modules.update(added)
    try:
        import chromadb
        from chromadb.config import Settings
    finally:
        for name in added:
            sys.modules.pop(name, None)
    return chromadb, Settings(anonymized_telemetry=False)


class ChromaStore:
    """Chroma in a folder; cosine space, our own vectors, no default model, no telemetry."""

    BATCH = 1_000
    is_shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client: Any = None
        self._collections: dict[str, Any] = {}
        # Small collections, whole; None where one has grown too large for that.
        self._resident: dict[str, ResidentVectors | None] = {}

    def _open(self) -> Any:
        if self._client is None:
            chromadb, settings = _chroma()

            self._folder.mkdir(parents=True, exist_ok=True)
            self._client = chromadb.PersistentClient(str(self._folder), settings=settings)
        return self._client

    def _collection(self, name: str) -> Any:
        collection = self._collections.get(name)
        if collection is None:
            collection = self._open().get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            self._collections[name] = collection
        return collection

    def _held(self, name: str) -> ResidentVectors | None:
        """The collection as it is held in memory, read the first time; None where it is large."""
        if name not in self._resident:
            collection = self._collection(name)
            held = None
            if collection.count() <= MOST_VECTORS:
                stored = collection.get(include=["embeddings"])
                held = ResidentVectors()
                held.put(stored["ids"], np.asarray(stored["embeddings"], dtype=np.float32))
            self._resident[name] = held
        return self._resident[name]

    async def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        await asyncio.to_thread(self._upsert, collection, ids, vectors)
        held = self._resident.get(collection)
        if held is not None:
            held.put(ids, vectors)
            if len(held) > MOST_VECTORS:
                self._resident[collection] = None

    def _upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        with _reporting_damage():
            target = self._collection(collection)
            for start in range(0, len(ids), self.BATCH):
                end = start + self.BATCH
                target.upsert(ids=list(ids[start:end]), embeddings=vectors[start:end])

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        if ids:
            await asyncio.to_thread(self._delete, collection, ids)
            held = self._resident.get(collection)
            if held is not None:
                held.remove(ids)

    def _delete(self, collection: str, ids: Sequence[str]) -> None:
        with _reporting_damage():
            self._collection(collection).delete(ids=list(ids))

    async def search(self, collection: str, vector: Vectors, limit: int) -> list[VectorHit]:
        # Under a millisecond: a thread hop would cost more than it frees.
        return self._search(collection, vector, limit)

    def _may_hold(self, collection: str) -> bool:
        return True

    def _search(self, collection: str, vector: Vectors, limit: int) -> list[VectorHit]:
        with _reporting_damage():
            held = self._held(collection) if self._may_hold(collection) else None
            if held is not None:
                return [VectorHit(id, near) for id, near in held.nearest(vector, limit)]
            found = self._collection(collection).query(
                query_embeddings=[vector], n_results=limit, include=["distances"]
            )
        return [
            VectorHit(id, 1.0 - float(distance))
            for id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    async def ids(self, collection: str) -> set[str]:
        return await asyncio.to_thread(self._ids, collection)

    def _ids(self, collection: str) -> set[str]:
        with _reporting_damage():
            if not self.is_shared:
                self._held(collection)
            return set(self._collection(collection).get(include=[])["ids"])

    def write_alone(self, alone: bool) -> None:
        """A folder belongs to one process anyway."""

    async def follow(self, versions: Mapping[str, int]) -> None:
        """Nobody else writes into a folder."""

    async def drop(self, collection: str) -> None:
        await asyncio.to_thread(self._drop, collection)

    def _drop(self, collection: str) -> None:
        with _reporting_damage():
            self._collection(collection)
            self._open().delete_collection(collection)
            self._collections.pop(collection, None)
            self._resident.pop(collection, None)

    async def recover(self) -> None:
        await asyncio.to_thread(self._recover)

    def _recover(self) -> None:
        self._forget_client()
        if self._folder.exists():
            aside = f"{self._folder.name}.damaged-{secrets.token_hex(4)}"
            os.replace(self._folder, self._folder.with_name(aside))

    def _forget_client(self) -> None:
        """Let go of the folder: Chroma keeps one system a path for the whole process."""
        self._collections.clear()
        self._resident.clear()
        self._client = None
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()

    async def close(self) -> None:
        if self._client is not None:
            await asyncio.to_thread(self._forget_client)


class ChromaServer(ChromaStore):
    """Chroma on a server of its own, which several processes share.

    The one that writes holds small collections in memory, as it would those of a folder; the others
    hold those that have not changed lately, and ask the server for the rest.
    """

    is_shared = True

    def __init__(self, host: str, port: int, secure: bool) -> None:
        super().__init__(Path())
        self._closed = False
        self._host = host
        self._port = port
        self._secure = secure
        # Nothing is written while a collection is read as a whole.
        self._changing = asyncio.Lock()
        self._alone = False
        # Of what another process writes: the version heard of last, and what has kept its own.
        self._versions: dict[str, int] = {}
        self._unchanged: set[str] = set()

    def _open(self) -> Any:
        if self._client is None:
            chromadb, settings = _chroma()

            self._client = chromadb.HttpClient(
                self._host, self._port, self._secure, settings=settings
            )
        return self._client

    async def search(self, collection: str, vector: Vectors, limit: int) -> list[VectorHit]:
        if self._may_hold(collection) and collection not in self._resident:
            async with self._changing:
                await asyncio.to_thread(self._hold, collection)
        if self._may_hold(collection) and self._resident.get(collection) is not None:
            return self._search(collection, vector, limit)
        return await asyncio.to_thread(self._search, collection, vector, limit)

    def _may_hold(self, collection: str) -> bool:
        return self._alone or collection in self._unchanged

    def _hold(self, collection: str) -> None:
        with _reporting_damage():
            if self._may_hold(collection):
                self._held(collection)

    async def follow(self, versions: Mapping[str, int]) -> None:
        if self._alone:
            return
        former, self._versions = self._versions, dict(versions)
        self._unchanged = {
            name for name, version in versions.items() if former.get(name) == version
        }
        if self._resident.keys() <= self._unchanged:
            return
        # A copy that is being read may be of the version before.
        async with self._changing:
            for name in self._resident.keys() - self._unchanged:
                del self._resident[name]

    async def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        async with self._changing:
            await self._or_forget(collection, super().upsert(collection, ids, vectors))

    async def delete(self, collection: str, ids: Sequence[str]) -> None:
        async with self._changing:
            await self._or_forget(collection, super().delete(collection, ids))

    async def _or_forget(self, collection: str, change: Coroutine[Any, Any, None]) -> None:
        """Make a change; of one that failed nobody knows how far it came."""
        try:
            await change
        except BaseException:
            self._resident.pop(collection, None)
            raise

    async def ids(self, collection: str) -> set[str]:
        found = await super().ids(collection)
        held = self._resident.get(collection)
        if held is not None and held.ids != found:
            # Whoever wrote before this process had not ended when the collection was read.
            self._resident.pop(collection)
        return found

    def write_alone(self, alone: bool) -> None:
        self._alone = alone
        self._forget_copies()

    def _forget_copies(self) -> None:
        self._resident.clear()
        self._versions.clear()
        self._unchanged.clear()

    async def recover(self) -> None:
        """Wait until the server answers again; what it keeps is its own."""
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        self._collections.clear()
        self._forget_copies()
        while not self._closed:
            try:
                with _reporting_damage():
                    self._open().heartbeat()
                return
            except VectorStoreBroken:
                self._client = None
                time.sleep(RECONNECT_SECONDS)

    async def close(self) -> None:
        self._closed = True
        await super().close()


def open_vectors(setting: str) -> VectorStore:
    """Open what `VECTORS` names: `chroma:<folder>` or `chroma+http://host:port`."""
    match setting.partition(":"):
        case ("chroma", _, folder) if folder:
            return ChromaStore(Path(folder))
        case ("chroma+http" | "chroma+https" as scheme, _, _):
            address = urlsplit(setting)
            secure = scheme.endswith("s")
            if address.hostname:
                return ChromaServer(
                    address.hostname, address.port or (443 if secure else 8000), secure
                )
    raise ValueError(
        f"VECTORS: unknown value {setting!r}; use chroma:<folder> or chroma+http://host:port"
    )
