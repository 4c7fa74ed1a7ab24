"""The only door to the assistant: one message in, the events of its reply out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot.actions import perform
from bot.actions.know import answer
from bot.actions.photos import caption_plan, receive
from bot.agent import answer_with_model
from bot.agent.allowance import model_for
from bot.agent.attempt import Attempt
from bot.agent.continuation import without_repeats
from bot.assistant import Assistant
from bot.decisions import AnswerFromKnowledge
from bot.memory import Opening, close_turn, keep_audit, open_turn
from bot.messages import (
    Accepted,
    Finished,
    IncomingMessage,
    Products,
    Reply,
    ReplyEvent,
    Sentence,
    Source,
    Suggestions,
    ToolResult,
    Understood,
)
from bot.policy import decide
from bot.state import DialogueState
from bot.turn import Turn
from bot.understanding.understand import Interpreter
from bot.wishes import Wish, wishes_of
from core.runtime import Runtime
from core.telemetry import TURN_SECONDS, TURNS
from services.conversations.conversations import Message

# Where silence is taken for a line that was cut, and a reply is heard, not read.
SPOKEN_CHANNELS = frozenset({"voice"})


async def handle(
    message: IncomingMessage, assistant: Assistant, runtime: Runtime
) -> AsyncGenerator[ReplyEvent, None]:
    """Answer one message.

    The message is stored before anything else and the reply before the last event, so a client
    that has seen `Finished` can lose neither. A repeated `client_message_id` yields the stored
    reply again. Messages of one conversation must be handed in one after the other
    (`channels.web_chat` does).
    """
    opening = await open_turn(message, assistant, runtime)
    repeated = opening.earlier is not None
    yield Accepted(opening.user_message_id, opening.sequence, repeated, opening.conversation.id)
    if opening.earlier is not None:
        for event in _replay(opening.earlier, opening.conversation.owner):
            yield event
        return
    turn = await _understand(message, assistant, runtime, opening)
    reply = Reply()
    try:
        # Who stops listening stops the answer: a generator left half-way would go on unheard.
        async with aclosing(_answer(turn)) as events:
            async for event in events:
                reply.add(event)
                yield event
        turn.state = turn.state.but(turn=turn.state.turn + 1)
        message_id = await close_turn(turn, reply)
    except Exception:
        await keep_audit(turn)
        raise
    TURNS.labels(turn.read.intent, turn.trace[-2]["step"]).inc()
    TURN_SECONDS.observe(turn.trace[-1]["ms"] / 1000)
    if runtime.traces is not None:
        runtime.traces.ended("turn", turn.trace[-1]["ms"] / 1000, intent=turn.read.intent)
    yield Finished(message_id, turn.owner)


async def _understand(
    message: IncomingMessage, assistant: Assistant, runtime: Runtime, opening: Opening
) -> Turn:
    """Read the message in the light of its conversation."""
    interpreter = runtime.part(Interpreter)
    conversation = opening.conversation
    is_spoken = message.channel in SPOKEN_CHANNELS
    read = await interpreter.understand(
        message.text, conversation.language, message.principal.organization_id
    )
    turn = Turn(
        runtime=runtime,
        assistant=assistant,
        principal=message.principal,
        conversation=conversation,
        read=read,
        state=DialogueState.from_json(conversation.state),
        user_message_id=opening.user_message_id,
        sequence=opening.sequence,
        owner=conversation.owner,
        is_quiet=opening.answered_by == "quiet" and not is_spoken,
        is_spoken=is_spoken,
        uploads=opening.uploads,
    )
    turn.note(
        "understood",
        language=read.language,
        intent=read.intent,
        confidence=round(read.confidence, 3),
        ranking=[[name, round(score, 3)] for name, score in read.ranking[:3]],
    )
    return turn


async def _answer(turn: Turn) -> AsyncGenerator[ReplyEvent, None]:
    """Decide, act, and say who is speaking in the first reply.

    A language model goes first where one is set; the embedded engine answers what it does not.
    """
    read = turn.read
    yield Understood(read.language, read.intent, read.confidence)
    if turn.owner == "human":
        async for event in receive(turn):
            yield event
        turn.note("human_owns", told=not turn.is_quiet)
        if not turn.is_quiet:
            yield turn.say("human_owns")
        return
    if turn.state.turn == 0:
        yield turn.say("welcome")
    async for event in receive(turn):
        yield event
    if (caption := caption_plan(turn)) is not None:
        async for event in perform(turn, caption):
            yield event
        return
    attempt = Attempt()
    model = await model_for(turn)
    if model is not None:
        async with aclosing(answer_with_model(turn, model, attempt)) as events:
            async for event in events:
                yield event
        if attempt.complete:
            return
    async for event in _answer_by_rules(turn, attempt):
        yield event


async def _answer_by_rules(turn: Turn, attempt: Attempt) -> AsyncGenerator[ReplyEvent, None]:
    """The embedded engine's answer, to both wishes where a message has two."""
    whole = turn.read
    wishes = await wishes_of(turn)
    if wishes is not None:
        async for event in _answer_first(turn, wishes[0]):
            yield event
        turn.read = wishes[1].read
    plan = decide(turn.state, turn.read, turn.caller)
    turn.state = plan.state
    turn.note("decided", decision=type(plan.decision).__name__, resume=plan.resume)
    async for event in without_repeats(turn, attempt.said, perform(turn, plan), plan.decision):
        yield event
    turn.read = whole


async def _answer_first(turn: Turn, wish: Wish) -> AsyncGenerator[ReplyEvent, None]:
    """Answer the first of two wishes; what to do next is offered after the second."""
    turn.read = wish.read
    decision = AnswerFromKnowledge(wish.read.text, wish.read.intent)
    turn.note("decided", decision=type(decision).__name__, resume=False)
    offer = turn.say("offer_human")
    async for event in answer(turn, decision, wish.found):
        if not isinstance(event, Suggestions) and event != offer:
            yield event
    turn.state = turn.state.but(handoff_offered=False)


def _replay(earlier: Message, owner: str) -> list[ReplyEvent]:
    """The events of a stored reply."""
    sources = tuple(
        Source(source["id"], source["title"], source["quote"], source["score"])
        for source in earlier.sources
    )
    attachments = earlier.attachments
    return [
        Understood(earlier.language or "fr", earlier.intent or "", earlier.confidence or 0.0),
        Sentence(earlier.content, sources),
        *(ToolResult(done["tool"], done["result"]) for done in attachments["tool_results"]),
        Products(tuple(attachments["products"])),
        Suggestions(tuple(attachments["suggestions"])),
        Finished(earlier.id, owner),
    ]
