"""Vectors on a server: who writes alone holds them, and finds what the others find."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from core.providers.vectors import Vectors, VectorStore, open_vectors
from tests.cluster import chroma_server

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:unclosed")]

COLLECTION = "passages-shared"
ROWS: Vectors = np.eye(8, dtype=np.float32)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as found:
        yield found


@pytest.fixture(autouse=True)
def let_go_of_connections() -> Iterator[None]:
    """Chroma's client leaves its connections to the collector, which complains of each."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def found_by(store: VectorStore, collection: str, row: int) -> list[str]:
    return [hit.id for hit in await store.search(collection, ROWS[row], 1)]


async def test_that_the_one_that_writes_finds_what_the_others_find(address: str) -> None:
    writer, other = open_vectors(address), open_vectors(address)
    writer.write_alone(True)
    await writer.upsert(COLLECTION, ["one", "two"], ROWS[:2])
    assert await found_by(writer, COLLECTION, 1) == ["two"]
    await writer.upsert(COLLECTION, ["two", "three"], ROWS[2:4])
    await writer.delete(COLLECTION, ["one"])
    for store in (writer, other):
        assert await found_by(store, COLLECTION, 2) == ["two"]
        assert await found_by(store, COLLECTION, 3) == ["three"]
        assert "one" not in {hit.id for hit in await store.search(COLLECTION, ROWS[0], 4)}
    await writer.close()
    await other.close()


async def test_that_who_no_longer_writes_alone_follows_the_others(address: str) -> None:
    former, writer = open_vectors(address), open_vectors(address)
    former.write_alone(True)
    await former.upsert("passages-former", ["one"], ROWS[:1])
    assert await found_by(former, "passages-former", 4) == ["one"]
    former.write_alone(False)
    writer.write_alone(True)
    await writer.upsert("passages-former", ["five"], ROWS[4:5])
    assert await found_by(former, "passages-former", 4) == ["five"]
    await former.close()
    await writer.close()


async def test_that_what_another_wrote_late_is_seen_when_the_ids_are_compared(
    address: str,
) -> None:
    """A process that has lost its lock may still have a write under way."""
    former, writer = open_vectors(address), open_vectors(address)
    await former.upsert("passages-late", ["one"], ROWS[:1])
    writer.write_alone(True)
    assert await found_by(writer, "passages-late", 5) == ["one"]
    await former.upsert("passages-late", ["six"], ROWS[5:6])
    assert await writer.ids("passages-late") == {"one", "six"}
    assert await found_by(writer, "passages-late", 5) == ["six"]
    await former.close()
    await writer.close()


async def test_that_a_large_collection_is_asked_of_the_server(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.providers.vectors.MOST_VECTORS", 2)
    writer = open_vectors(address)
    writer.write_alone(True)
    await writer.upsert("passages-large", ["one", "two", "three"], ROWS[:3])
    assert await found_by(writer, "passages-large", 2) == ["three"]
    await writer.close()


async def test_that_a_copy_that_kept_its_version_is_held_until_it_changes(address: str) -> None:
    writer, other = open_vectors(address), open_vectors(address)
    writer.write_alone(True)
    await writer.upsert("passages-followed", ["one"], ROWS[:1])
    await other.follow({"passages-followed": 1})
    await other.follow({"passages-followed": 1})
    assert await found_by(other, "passages-followed", 6) == ["one"]
    await writer.upsert("passages-followed", ["seven"], ROWS[6:7])
    # Nothing has been said of a change yet: the server was not asked.
    assert await found_by(other, "passages-followed", 6) == ["one"]
    await other.follow({"passages-followed": 2})
    assert await found_by(other, "passages-followed", 6) == ["seven"]
    await writer.delete("passages-followed", ["seven"])
    # It has changed lately: the server is asked, which knows of the next change at once.
    assert await found_by(other, "passages-followed", 6) == ["one"]
    await writer.close()
    await other.close()


async def test_that_a_copy_read_before_a_change_is_not_kept(address: str) -> None:
    """A version may be told while a copy of the one before is being read."""
    writer, other = open_vectors(address), open_vectors(address)
    writer.write_alone(True)
    await writer.upsert("passages-raced", ["one"], ROWS[:1])
    for version in (1, 1):
        await other.follow({"passages-raced": version})
    async with asyncio.TaskGroup() as together:
        together.create_task(found_by(other, "passages-raced", 7))
        await asyncio.sleep(0)
        await writer.upsert("passages-raced", ["eight"], ROWS[7:])
        together.create_task(other.follow({"passages-raced": 2}))
    await other.follow({"passages-raced": 2})
    assert await found_by(other, "passages-raced", 7) == ["eight"]
    await writer.close()
    await other.close()
