"""How a conversation reaches the assistant from a web page: whole replies, or frames as they come.

`answer` waits for the reply; `channels.turns` streams it; `channels.live` lets others listen.
"""

from __future__ import annotations

from bot.messages import IncomingMessage, Reply
from channels.turns import LiveTurns
from core.runtime import Runtime


async def answer(message: IncomingMessage, runtime: Runtime) -> Reply:
    """Answer one message and return the whole reply.

    A caller who stops waiting does not stop the answer: it is stored all the same.
    """
    return await runtime.part(LiveTurns).start(message, streamed=False).wait()
