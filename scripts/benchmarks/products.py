"""Are the products that a sentence asks for found, best first? nDCG@10 over graded sentences.

    scripts/bench products [--misses]

Reads `tests/evaluation/product_queries.yaml` (sentence, language, grades 0 to 3 by sku) and runs
the chain that serves over the sample catalogue: the message is read for its language, spelling and
filters, and the `product_search` tool's own search answers with those filters. A grade of 3 counts
7, 2 counts 3, 1 counts 1 (2^grade - 1), discounted by the logarithm of the place.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from api.sample_shop import read_products
from bot.tools.product_search import TOOL, ProductSearchResult
from bot.understanding.intents import load_examples, train_on_words
from bot.understanding.spelling import load_lexicon
from bot.understanding.understand import PHRASES, Interpreter, Vocabularies
from core import database as core_database
from core.runtime import Runtime, open_runtime
from core.security import Principal, principal_for_role
from core.settings import Settings
from core.tools import run_tool
from knowledge.product_search import Catalogues, search_products
from scripts.benchmarks.data import ROOT
from services.accounts.organizations import create_organization
from services.catalogue.products import add_products

GOAL = 0.85
PLACES = 10
QUERIES = ROOT / "tests" / "evaluation" / "product_queries.yaml"


@dataclass(frozen=True)
class Found:
    """One sentence, what was read from it and found for it, and how well."""

    query: str
    language: str
    gain: float
    skus: tuple[str, ...]
    grades: Mapping[str, int]
    filters: Mapping[str, Any]
    search_milliseconds: float


@dataclass(frozen=True)
class Shop:
    """The sample catalogue in a database of its own, and what reads messages to it."""

    runtime: Runtime
    visitor: Principal
    interpreter: Interpreter


async def open_shop(runtime: Runtime) -> Shop:
    """Load the catalogue; intents are not judged here, so words alone teach them."""
    async with runtime.database.engine.begin() as connection:
        await connection.run_sync(core_database.metadata.create_all)
    now = runtime.clock()
    async with runtime.database.transaction(None) as transaction:
        shop = await create_organization(transaction, "Bench", "bench", now)
    async with runtime.database.transaction(shop.id) as transaction:
        await add_products(transaction, read_products(ROOT / "sample_shop"), now)
    runtime.parts[Catalogues] = Catalogues(runtime)
    await runtime.part(Catalogues).of(shop.id)
    await runtime.part(Catalogues).settle()
    interpreter = Interpreter(
        runtime.encoder,
        train_on_words(load_examples([PHRASES])[::10]),
        load_lexicon([PHRASES]),
        Vocabularies(runtime.database),
        runtime.clock,
    )
    return Shop(runtime, principal_for_role(shop.id, "visitor:1", "visitor"), interpreter)


async def ask(shop: Shop, asked: Mapping[str, Any]) -> Found:
    """Send one sentence down the chain that serves, as the first of a conversation."""
    organization_id = shop.visitor.organization_id
    read = await shop.interpreter.understand(asked["query"], asked["language"], organization_id)
    arguments = {**read.product_values, "query": read.corrected, "limit": PLACES}
    result = await run_tool(shop.runtime, shop.visitor, TOOL, arguments, language=read.language)
    assert isinstance(result, ProductSearchResult)  # noqa: S101  the tool's own type
    skus = tuple(product.sku for product in result.products)
    milliseconds = await _search_milliseconds(shop, read.corrected, read.language)
    gain = gain_at(PLACES, skus, asked["grades"])
    return Found(
        asked["query"],
        asked["language"],
        gain,
        skus,
        asked["grades"],
        read.product_values,
        milliseconds,
    )


async def _search_milliseconds(shop: Shop, query: str, language: str) -> float:
    """The search alone, its query already encoded: CPU of one thread."""
    catalogue = await shop.runtime.part(Catalogues).of(shop.visitor.organization_id)
    vector = shop.runtime.encoder.encode([query])[0]
    cpu = time.thread_time()
    search_products(catalogue, query, None, language, PLACES, 0, vector)
    return 1000 * (time.thread_time() - cpu)


def gain_at(places: int, skus: Sequence[str], grades: Mapping[str, int]) -> float:
    """The discounted gain of a ranking over that of the best one: 0 to 1."""

    def discounted(values: Sequence[int]) -> float:
        return math.fsum(
            (2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(values)
        )

    best = discounted(sorted(grades.values(), reverse=True)[:places])
    return discounted([grades.get(sku, 0) for sku in skus[:places]]) / best if best else 0.0


async def bench() -> list[Found]:
    queries = yaml.safe_load(QUERIES.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), log_level="error")
        async with open_runtime(settings, {}) as runtime:
            shop = await open_shop(runtime)
            found = [await ask(shop, asked) for asked in queries]
            await runtime.part(Catalogues).close()
    return found


def report(name: str, found: Sequence[Found]) -> float:
    gains = np.array([one.gain for one in found])
    cost = float(np.mean([one.search_milliseconds for one in found]))
    error = float(gains.std() / math.sqrt(len(gains)))
    print(
        f"{name}: nDCG@{PLACES} {gains.mean():.4f} (s.e. {error:.4f}), {len(gains)} sentences, "
        f"{cost:.2f} ms of CPU a search"
    )
    return float(gains.mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--misses", action="store_true", help="show the worst sentences")
    options = parser.parse_args()
    found = asyncio.run(bench())
    for language in ("fr", "en"):
        report(language, [one for one in found if one.language == language])
    total = report("all", found)
    if options.misses:
        for one in sorted(found, key=lambda one: one.gain)[:40]:
            shown = ", ".join(f"{sku}:{one.grades.get(sku, 0)}" for sku in one.skus)
            missed = [sku for sku, grade in one.grades.items() if grade == 3]
            missed = [sku for sku in missed if sku not in one.skus]
            print(f"{one.gain:.2f} {one.query}  {dict(one.filters)}\n     {shown}\n     - {missed}")
    return 0 if total >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
