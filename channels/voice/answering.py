"""One turn of a call: what was heard goes in by the door of chat messages, the reply is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from bot.assistant import Assistant
from bot.messages import IncomingMessage
from bot.tools.create_ticket import CreateTicketResult
from channels.frames import Frame
from channels.turns import LiveTurns, RunningTurn
from channels.voice.ledger import Stopwatch
from channels.voice.saying import Telling, call_phrase
from channels.voice.speaking import Saying, Voice
from channels.voice.turns import says_goodbye
from core.errors import SupportError
from core.runtime import Runtime
from core.security import Principal
from core.telemetry import logger
from core.tools import run_tool
from services.conversations.calls import cut_reply, transcript

CHANNEL = "voice"
# A reply that takes longer to begin is announced.
WAIT_SECONDS = 2.5
STREAM_SECONDS = 60.0
MAXIMUM_TRANSCRIPT_CHARACTERS = 4_000

_log = logger("channels.voice")


@dataclass
class Answered:
    """What came of a turn."""

    conversation_id: UUID | None = None
    message_id: UUID | None = None
    says_goodbye: bool = False
    # The result of the handoff tool, where this turn has asked for a person.
    handoff: dict[str, Any] | None = None
    owner: str = "bot"


@dataclass(frozen=True)
class Caller:
    """Who calls, in which conversation."""

    principal: Principal
    session_id: str


class Turn:
    """One message and its reply on the way to the caller."""

    def __init__(
        self,
        runtime: Runtime,
        caller: Caller,
        voice: Voice,
        language: str,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._runtime = runtime
        self._caller = caller
        self._voice = voice
        self._saying: Saying | None = None
        self._running: RunningTurn | None = None
        self._telling = Telling(language, runtime.part(Assistant).shop_name)
        self._text = ""
        self.language = language
        self.stopwatch = stopwatch
        self.answered = Answered()

    async def run(self, text: str) -> Answered:
        """Ask the assistant and say what it answers, the first sentence while others are made."""
        saying = self._saying = self._voice.begin()
        self._text = text
        if self.stopwatch is not None:
            self._voice.on_first_sound = self.stopwatch.sounded
        message = IncomingMessage(
            self._caller.principal,
            self._caller.session_id,
            text,
            channel=CHANNEL,
            language=self.language,
        )
        waiting = asyncio.get_running_loop().call_later(WAIT_SECONDS, self._wait)
        try:
            self._running = self._runtime.part(LiveTurns).start(message, streamed=True)
            frames: AsyncGenerator[Frame, None] = self._running.stream(STREAM_SECONDS)
            async with aclosing(frames):
                async for frame in frames:
                    if frame.type == "sentence":
                        waiting.cancel()
                    self._take(frame.type, orjson.loads(frame.text), saying)
        except SupportError as error:
            _log.warning("turn_not_answered", error=error.code)
            saying.say(call_phrase(self.language, "trouble"), self.language)
        finally:
            waiting.cancel()
        return self._end()

    def _wait(self) -> None:
        if self._saying is not None:
            self._saying.say(call_phrase(self.language, "wait"), self.language, is_aside=True)

    def _take(self, type: str, body: dict[str, Any], saying: Saying) -> None:
        """Say what a frame says, and note what it tells about the call."""
        match type:
            case "understood":
                self.language = self._telling.language = body["language"]
                # By its words alone: a call that ends by mistake cannot be made good.
                self.answered.says_goodbye = says_goodbye(self._text, self.language)
            case "sentence":
                if self.stopwatch is not None:
                    self.stopwatch.told()
                for sentence in self._telling.tell(body["text"]):
                    saying.say(sentence, self.language)
            case "tool_result" if body["tool"] == "handoff":
                self.answered.handoff = body["result"]
            case "error":
                saying.say(call_phrase(self.language, "trouble"), self.language)

    def _end(self) -> Answered:
        running = self._running
        if running is not None and running.accepted is not None:
            reply = running.reply
            self.answered = replace(
                self.answered,
                conversation_id=running.accepted.conversation_id,
                message_id=reply.message_id,
                owner=reply.owner,
            )
            if self.stopwatch is not None:
                self.stopwatch.message_id = reply.message_id
        return self.answered

    def finish(self) -> None:
        """Nothing more is said in this turn."""
        if self._saying is not None:
            self._saying.finish()

    def say(self, text: str) -> None:
        """Say something behind the reply that is no part of it."""
        if self._saying is not None:
            self._saying.say(text, self.language, is_aside=True)

    async def cut(self, heard: str) -> None:
        """The caller interrupted: what is stored of the reply is what they heard of it."""
        running = self._running
        if running is None:
            return
        try:
            await running.wait()
        except Exception:
            # The turn has logged why; there is no reply to cut.
            return
        message_id = running.reply.message_id
        if message_id is None:
            return
        async with self._runtime.database.transaction(
            self._caller.principal.organization_id
        ) as transaction:
            await cut_reply(transaction, message_id, heard)


async def leave_ticket(
    runtime: Runtime, caller: Caller, conversation_id: UUID, call_id: UUID, language: str
) -> str | None:
    """File a ticket with what was said so far; returns its number, None where it cannot be."""
    async with runtime.database.reading(caller.principal.organization_id) as transaction:
        said = await transcript(transaction, conversation_id)
    arguments = {
        "problem_category": "autre",
        "problem_severity": "moyen",
        "description": _description(said, language),
    }
    try:
        result = await run_tool(
            runtime,
            caller.principal,
            runtime.tools["create_ticket"],
            arguments,
            conversation_id=conversation_id,
            language=language,
            confirmed=True,
            idempotency_key=f"{call_id}:handoff",
        )
    except SupportError as error:
        _log.warning("ticket_not_left", error=error.code)
        return None
    return result.ticket_id if isinstance(result, CreateTicketResult) else None


def _description(said: list[tuple[str, str]], language: str) -> str:
    """The transcript as a ticket's text; of a long one the end."""
    names = {role: call_phrase(language, "caller") for role in ("user",)}
    other = call_phrase(language, "assistant")
    lines = [f"{names.get(role, other)} : {text}" for role, text in said]
    told = "\n".join(lines)
    if len(told) > MAXIMUM_TRANSCRIPT_CHARACTERS:
        told = "…" + told[-MAXIMUM_TRANSCRIPT_CHARACTERS:]
    return f"{call_phrase(language, 'ticket_description')}\n\n{told}"
