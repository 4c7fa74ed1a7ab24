"""Where the floors are joined: the one way to open the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial

import api.tables  # noqa: F401  the drainer and migrations must know every table
from api.background import background_work
from bot.assistant import Assistant
from bot.tools import BUILT_IN_TOOLS
from bot.understanding.understand import Interpreter, open_interpreter
from channels.email import AGENT_ANSWER_TOPIC, send_agent_answer
from channels.live import OpenListeners
from channels.order import ConversationLocks
from channels.ticket_news import tell_of_tickets
from channels.turns import LiveTurns
from core.migrations import migrate
from core.runtime import Runtime, open_runtime, utc_now
from core.settings import Settings
from knowledge.index import Knowledge, open_knowledge
from knowledge.product_search import Catalogues
from knowledge.sharing import SharedIndex
from services.accounts.passwords import PASSWORD_MAIL_TOPIC, send_password_mail
from services.monitoring.statements import StatementStatistics, watch_statements
from services.uploads.uploads import remove_erased_files

# How long turns in progress may take when the product closes.
FINISH_SECONDS = 20.0


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
        remove_erased_files(runtime)
        runtime.parts[StatementStatistics] = watch_statements(
            runtime.database, settings.slow_query_ms, runtime.traces
        )
        runtime.outbox.on(PASSWORD_MAIL_TOPIC, partial(send_password_mail, runtime))
        runtime.outbox.on(AGENT_ANSWER_TOPIC, partial(send_agent_answer, runtime))
        tell_of_tickets(runtime)
        runtime.parts[Assistant] = Assistant()
        runtime.parts[ConversationLocks] = ConversationLocks()
        runtime.parts[LiveTurns] = LiveTurns(runtime)
        runtime.parts[OpenListeners] = OpenListeners(runtime)
        runtime.parts[Interpreter] = await open_interpreter(runtime)
        interpreter = runtime.part(Interpreter)
        knowledge = await open_knowledge(runtime, interpreter.subject)
        runtime.parts[Knowledge] = knowledge
        interpreter.trust_words(knowledge.uses_word)
        shared = SharedIndex(runtime, knowledge) if runtime.vectors.is_shared else None
        if shared is not None:
            await shared.open()
        catalogues = Catalogues(runtime)
        runtime.parts[Catalogues] = catalogues
        drainer = asyncio.create_task(runtime.outbox.run(), name="outbox")
        warming = asyncio.create_task(_warm(runtime), name="language model")
        try:
            async with background_work(runtime):
                yield runtime
        finally:
            await runtime.part(OpenListeners).close()
            await runtime.part(LiveTurns).finish(FINISH_SECONDS)
            await warming
            drainer.cancel()
            with suppress(asyncio.CancelledError):
                await drainer
            if shared is not None:
                await shared.close()
            await catalogues.close()
            await knowledge.close()


async def _warm(runtime: Runtime) -> None:
    """Import what a language model needs while the first customers are still typing."""
    if runtime.llm is not None:
        await runtime.llm.warm()
