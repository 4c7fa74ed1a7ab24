"""Where the floors are joined: the one way to open the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import api.tables  # noqa: F401  the drainer and migrations must know every table
from bot.assistant import Assistant
from bot.tools import BUILT_IN_TOOLS
from bot.understanding.understand import Interpreter, open_interpreter
from channels.web_chat import ConversationLocks
from core.migrations import migrate
from core.runtime import Runtime, open_runtime, utc_now
from core.settings import Settings
from knowledge.index import Knowledge, open_knowledge
from knowledge.product_search import Catalogues


@asynccontextmanager
async def open_product(
    settings: Settings, clock: Callable[[], datetime] = utc_now, *, serve: bool = True
) -> AsyncIterator[Runtime]:
    """Open the runtime with everything on it; migrates the database first.

    With `serve` the process owns the vector index and drains the outbox; the command line opens
    without: it writes rows and outbox, and the server does the rest.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await migrate(settings.database)
    async with open_runtime(settings, BUILT_IN_TOOLS, clock) as runtime:
        if not serve:
            yield runtime
            return
        runtime.parts[Assistant] = Assistant()
        runtime.parts[ConversationLocks] = ConversationLocks()
        runtime.parts[Interpreter] = await open_interpreter(runtime)
        knowledge = await open_knowledge(runtime)
        runtime.parts[Knowledge] = knowledge
        catalogues = Catalogues(runtime)
        runtime.parts[Catalogues] = catalogues
        drainer = asyncio.create_task(runtime.outbox.run(), name="outbox")
        warming = asyncio.create_task(_warm(runtime), name="language model")
        try:
            yield runtime
        finally:
            await warming
            drainer.cancel()
            with suppress(asyncio.CancelledError):
                await drainer
            await catalogues.close()
            await knowledge.close()


async def _warm(runtime: Runtime) -> None:
    """Import what a language model needs while the first customers are still typing."""
    if runtime.llm is not None:
        await runtime.llm.warm()
