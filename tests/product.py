"""The product, opened with the sample shop in a folder of its own, for tests that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest

from api.assemble import open_product
from api.seed import SAMPLE_SHOP, seed
from core.providers.prepared import copy_models
from core.runtime import Runtime
from core.settings import Settings
from knowledge.index import Knowledge
from services.accounts.organizations import active_organizations

ROOT = Path(__file__).resolve().parents[1]
KEPT_MODELS = ROOT / "build" / "test-models"

Result = TypeVar("Result")


@dataclass(frozen=True)
class OpenProduct:
    """A seeded product and the loop that it runs on."""

    runtime: Runtime
    organization_id: UUID
    runner: asyncio.Runner

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the product's loop."""
        return self.runner.run(work)


def reuse_models(data_dir: Path) -> None:
    """Start with the intents that an earlier run has trained; a changed phrase trains anew."""
    if KEPT_MODELS.exists():
        copy_models(KEPT_MODELS, data_dir / "models")


def keep_models(data_dir: Path) -> None:
    if (data_dir / "models").exists():
        copy_models(data_dir / "models", KEPT_MODELS)


@contextmanager
def seeded_product(data_dir: Path, **settings: Any) -> Iterator[OpenProduct]:
    """Open the product on a new database and seed it; everything is indexed when this yields."""
    reuse_models(data_dir)
    chosen = Settings(data_dir=data_dir, log_level="error", **settings)
    stack = AsyncExitStack()

    async def start() -> tuple[Runtime, UUID]:
        runtime = await stack.enter_async_context(open_product(chosen))
        await seed(runtime, SAMPLE_SHOP)
        while await runtime.outbox.drain():
            pass
        # Until the vectors are there, words alone find documents: answers would differ.
        await runtime.part(Knowledge).settle()
        organizations = await active_organizations(runtime.database)
        return runtime, organizations[0].id

    with asyncio.Runner() as runner:
        runtime, organization_id = runner.run(start())
        keep_models(data_dir)
        try:
            yield OpenProduct(runtime, organization_id, runner)
        finally:
            runner.run(stack.aclose())
            keep_models(data_dir)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProduct]:
    """The sample shop, opened in this process."""
    with seeded_product(tmp_path_factory.mktemp("product") / "data") as opened:
        yield opened
