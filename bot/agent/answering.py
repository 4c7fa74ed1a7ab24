"""One turn with a language model, from the first token to the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AnyMessage
from langsmith import tracing_context

from bot.agent.allowance import bill
from bot.agent.attempt import Attempt
from bot.agent.confirming import confirm_ticket
from bot.agent.continuation import without_repeats
from bot.agent.graph import AnswerCutShort, agent_graph
from bot.agent.history import conversation_so_far, remember_summary, system_prompt
from bot.agent.meter import Meter
from bot.agent.tools import Workbench, langchain_tools
from bot.agent.writing import Writer
from bot.evidence import Evidence
from bot.grounding import Grounder
from bot.messages import Products, ReplyEvent, Sentence, Suggestions
from bot.phrasing import phrases
from bot.turn import Turn
from core.providers.llm import LanguageModel

Send = Callable[[ReplyEvent], None]
MOST_STEPS = 60


@dataclass
class _Work:
    """What the parts of one try share."""

    turn: Turn
    attempt: Attempt
    bench: Workbench
    writer: Writer
    meter: Meter
    send: Send
    history: list[AnyMessage]
    run_id: str = ""


async def produce(turn: Turn, model: LanguageModel, attempt: Attempt, send: Send) -> None:
    """Try to answer a turn; `attempt.complete` says whether it is answered.

    Nothing that goes wrong with the provider leaves this function: it is noted in the trace.
    """
    meter = Meter()
    outcome = "answered"
    try:
        async with asyncio.timeout(model.settings.llm_timeout_seconds):
            await _converse(turn, model, attempt, meter, send)
    except TimeoutError:
        outcome = "timeout"
        model.breaker.record_failure()
    except Exception as error:  # whatever a provider or its library may throw
        outcome = type(error).__name__
    finally:
        meter.close()
        turn.note(
            "model_answered" if attempt.complete else "model_failed",
            model=model.name.model,
            outcome=outcome if attempt.complete or outcome != "answered" else "unsupported",
            sentences=len(attempt.said),
            requests=meter.requests,
            tokens=meter.tokens,
        )
        tokens = (meter.input_tokens, meter.output_tokens)
        await bill(turn, model, meter.requests, tokens, meter.estimated)


async def _converse(
    turn: Turn, model: LanguageModel, attempt: Attempt, meter: Meter, send: Send
) -> None:
    email = _known_email(turn)
    prompt, seal = system_prompt(turn, email)
    words = Evidence("customer", turn.read.text, turn.language)
    evidence = [words]
    if email is not None:
        evidence.append(Evidence("customer", email, turn.language))
    bench = Workbench(turn, evidence, email)
    grounder = Grounder(turn.language, turn.runtime.clock().date(), turn.runtime.encoder.encode)
    writer = Writer(turn, attempt, grounder, seal, evidence, email)
    history = await conversation_so_far(turn)
    work = _Work(turn, attempt, bench, writer, meter, send, history)
    agent = agent_graph(model, langchain_tools(bench), writer, meter, prompt)
    # A tracer that the environment switches on would send the conversation elsewhere.
    with tracing_context(enabled=False):
        stream = agent.astream(
            {"messages": history},
            {
                "callbacks": [meter],
                "configurable": {"thread_id": str(turn.user_message_id)},
                "recursion_limit": MOST_STEPS,
            },
            stream_mode=["messages", "updates"],
            version="v2",
        )
        async with aclosing(stream):
            async for part in stream:
                if await _take(work, part):
                    return
    _conclude(work)


def _known_email(turn: Turn) -> str | None:
    """The address that the customer has given in this conversation, or that of the account."""
    said = turn.read.entities.emails
    return said[0] if said else turn.state.email or turn.principal.email


async def _take(work: _Work, part: dict[str, Any]) -> bool:
    """Deal with one part of the stream; True where the turn is over."""
    if part["type"] == "messages":
        _hear(work, *part["data"])
        return False
    for node, update in part["data"].items():
        if node == "__interrupt__":
            return await _interrupted(work, update)
        if node == "model":
            _say(work, work.writer.end_of_message())
            work.run_id = ""
        elif node == "tools" and work.bench.handed_over is not None:
            _say(work, [])
            for event in work.bench.handed_over:
                _emit(work, event)
            work.attempt.complete = True
            return True
        elif node.startswith("SummarizationMiddleware") and update:
            kept = [one for one in update["messages"] if one.type != "remove"]
            remember_summary(work.turn, kept, work.history)
    return False


def _hear(work: _Work, message: Any, where: dict[str, Any]) -> None:
    """A piece of the model's answer; another run id means that the provider begins again."""
    if where.get("langgraph_node") != "model" or message.type != "AIMessageChunk":
        return
    if message.id != work.run_id:
        if work.run_id and work.writer.sent_of_message:
            raise AnswerCutShort
        work.run_id = message.id
        work.writer.restart_message()
    _say(work, work.writer.feed(message.text))


def _say(work: _Work, ready: list[Sentence]) -> None:
    for sentence in ready:
        work.send(sentence)


def _emit(work: _Work, event: ReplyEvent) -> None:
    if isinstance(event, Sentence):
        work.attempt.said.append(event)
    work.send(event)


async def _interrupted(work: _Work, interrupts: Any) -> bool:
    """An effect waits for the customer: the ticket form asks, and this thread is dropped."""
    requests = [one for interrupt in interrupts for one in interrupt.value["action_requests"]]
    said = list(work.attempt.said)
    events = confirm_ticket(work.turn, requests[0]["args"])
    async for event in without_repeats(work.turn, said, events):
        _emit(work, event)
    work.attempt.complete = True
    return True


def _conclude(work: _Work) -> None:
    """The model is done: decide whether that is an answer, and show what belongs to it."""
    turn, attempt = work.turn, work.attempt
    _say(work, work.writer.finish())
    attempt.complete = bool(attempt.said)
    used = {sentence.tool for sentence in attempt.said if sentence.tool}
    for tool in used & work.bench.events.keys():
        for event in work.bench.events[tool]:
            work.send(event)
    if not attempt.complete:
        return
    cards = [event for event in work.bench.events.get("product_search", [])]
    shown = [one["sku"] for event in cards if isinstance(event, Products) for one in event.products]
    read, state = turn.read, turn.state
    numbers = read.entities.order_numbers
    turn.state = state.but(
        failures=0,
        handoff_offered=False,
        last_intent="product_search" if "product_search" in used else read.intent,
        last_question=read.text[:300],
        email=read.entities.emails[0] if read.entities.emails else state.email,
        order_number=numbers[0] if numbers else state.order_number,
        shown_skus=tuple(shown) if "product_search" in used else state.shown_skus,
        focus_sku=shown[0] if "product_search" in used and len(shown) == 1 else state.focus_sku,
        search={"query": read.corrected[:500]} if "product_search" in used else state.search,
    )
    texts = _suggestions(turn, used)
    if attempt.has_claims and texts:
        work.send(Suggestions(texts))


def _suggestions(turn: Turn, used: set[str]) -> tuple[str, ...]:
    groups = {"product_search": "products", "order_status": "order", "ticket_status": "ticket"}
    group = next((groups[tool] for tool in sorted(used) if tool in groups), turn.read.intent)
    found = phrases(turn.language, f"suggestions.{group}")
    return found or phrases(turn.language, "suggestions.knowledge")


async def answer_with(
    turn: Turn, model: LanguageModel, attempt: Attempt
) -> AsyncGenerator[ReplyEvent, None]:
    """The events of the model's try, as they come; who stops listening stops the model."""
    queue: asyncio.Queue[ReplyEvent | None] = asyncio.Queue()

    async def work() -> None:
        try:
            await produce(turn, model, attempt, queue.put_nowait)
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(work(), name="language model")
    try:
        while (event := await queue.get()) is not None:
            yield event
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
