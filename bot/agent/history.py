"""What a language model is told before it answers: the rules, and the conversation so far."""

from __future__ import annotations

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from bot.agent.attempt import prompts
from bot.agent.privacy import redact
from bot.guardrails import PromptSeal, sealed, visible
from bot.turn import Turn
from services.conversations.conversations import read_history

LATEST_MESSAGES = 40
LONGEST_MESSAGE_CHARACTERS = 4_000
SUMMARY_ID = "summary"


def system_prompt(turn: Turn, email: str | None) -> tuple[str, PromptSeal]:
    """The rules of this turn, and what tells whether a sentence repeats them."""
    texts = prompts()
    account = str(texts["signed_in" if turn.caller.signed_in else "visitor"])
    if email is not None:
        account += f" and {texts['email_given']}"
    return sealed(
        str(texts["system"]).format(
            shop=turn.assistant.shop_name,
            today=turn.runtime.clock().date().isoformat(),
            language=texts["languages"].get(turn.language, turn.language),
            account=account,
        )
    )


async def conversation_so_far(turn: Turn) -> list[AnyMessage]:
    """The latest messages without personal data, after the summary of those before them."""
    async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
        stored, _ = await read_history(
            transaction,
            turn.conversation.actor,
            turn.conversation.session_id,
            LATEST_MESSAGES,
            max(0, turn.sequence - LATEST_MESSAGES),
        )
    messages: list[AnyMessage] = []
    if turn.state.summary:
        messages.append(HumanMessage(turn.state.summary, id=SUMMARY_ID))
    for one in stored:
        id = str(one.id)
        if one.id == turn.user_message_id or id <= turn.state.summarised_until:
            continue
        text = _safe(one.content)
        if one.role == "user":
            messages.append(HumanMessage(text, id=id))
        elif one.role in ("assistant", "agent") and text:
            messages.append(AIMessage(text, id=id))
    messages.append(HumanMessage(_safe(turn.read.text), id=str(turn.user_message_id)))
    return messages


def remember_summary(turn: Turn, messages: list[AnyMessage], history: list[AnyMessage]) -> None:
    """Keep a summary that was made in this turn, so that the next need not make it again."""
    kept = {message.id for message in messages}
    gone = [one.id for one in history if one.id not in kept and one.id != SUMMARY_ID]
    written = [
        one
        for one in messages
        if isinstance(one, HumanMessage) and one.id not in {other.id for other in history}
    ]
    if written and gone:
        turn.state = turn.state.but(
            summary=redact(str(written[0].content))[:LONGEST_MESSAGE_CHARACTERS],
            summarised_until=max(str(id) for id in gone),
        )
        turn.note("summarised", messages=len(gone))


def _safe(text: str) -> str:
    return redact(visible(text))[:LONGEST_MESSAGE_CHARACTERS]
