"""May the language model be asked in this turn, and what has it cost?"""

from __future__ import annotations

from bot.turn import Turn
from core.errors import SupportError
from core.providers.llm import LanguageModel
from core.telemetry import logger
from services.billing.usage import TurnUsage, conversation_usage, day_usage, record_usage


async def model_for(turn: Turn) -> LanguageModel | None:
    """The model to ask, None where the embedded engine answers; the trace says why.

    What is pending (a form, a choice, an offer that is answered) was begun by the embedded engine
    and is finished by it.
    """
    model = turn.runtime.llm
    if model is None:
        return None
    reason = _reason_against(turn, model) or await _spent(turn, model)
    if reason is not None:
        turn.note("model_not_asked", reason=reason)
        return None
    return model


def _reason_against(turn: Turn, model: LanguageModel) -> str | None:
    state = turn.state
    if state.form is not None or state.clarifying:
        return "pending"
    if state.handoff_offered and turn.read.intent in {"affirm", "deny"}:
        return "pending"
    if not turn.read.text.strip():
        return "empty"
    return None if model.breaker.allows else "breaker_open"


async def _spent(turn: Turn, model: LanguageModel) -> str | None:
    """Which cap is reached, None for none."""
    settings = model.settings
    async with turn.runtime.database.reading(turn.principal.organization_id) as transaction:
        conversation = await conversation_usage(transaction, turn.conversation.id)
        if conversation.tokens >= settings.llm_tokens_per_conversation:
            return "conversation_cap"
        today = await day_usage(transaction, turn.runtime.clock())
    return "day_cap" if today.tokens >= settings.llm_tokens_per_day else None


async def bill(
    turn: Turn, model: LanguageModel, requests: int, tokens: tuple[int, int], estimated: bool
) -> None:
    """Write the turn's row in the ledger; a turn that asked nothing has none.

    A database that is down costs the row, never the answer.
    """
    if requests == 0:
        return
    usage = TurnUsage(
        conversation_id=turn.conversation.id,
        message_id=turn.user_message_id,
        model=model.name.model,
        requests=requests,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cost_micros=model.cost(*tokens),
        estimated=estimated,
    )
    try:
        async with turn.runtime.database.transaction(turn.principal.organization_id) as transaction:
            await record_usage(transaction, usage, turn.runtime.clock())
    except SupportError:
        logger("bot.agent").error("usage_not_recorded", requests=requests, tokens=sum(tokens))
