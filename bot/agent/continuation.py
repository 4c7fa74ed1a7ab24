"""Going on behind what a language model has said, without saying it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from bot.claims import statement
from bot.decisions import Decision, SmallTalk
from bot.messages import Products, ReplyEvent, Sentence, ToolResult
from bot.turn import Turn
from bot.understanding.cues import fold
from knowledge.words import plain_words, stems

# A claim with the same facts and most of the same words has been made already.
SAME_CLAIM = 0.75
# Figures that were said already, with most of their words, say nothing new.
SAME_FIGURES = 0.6
SAME_COURTESY = 0.5


async def without_repeats(
    turn: Turn,
    said: Sequence[Sentence],
    events: AsyncIterator[ReplyEvent],
    decision: Decision | None = None,
) -> AsyncIterator[ReplyEvent]:
    """The events of the embedded engine behind sentences that were sent: one coherent answer.

    Nothing is said or shown twice, no courtesy follows an answer, and "I do not know" does not
    follow what was just known.
    """
    known = any(sentence.sources or sentence.tool for sentence in said)
    if known:
        turn.state = turn.state.but(failures=0)
    shown: list[ReplyEvent] = []
    async for event in events:
        if isinstance(event, Sentence):
            courtesy = isinstance(decision, SmallTalk) and bool(said)
            unknown = known and turn.trace[-1]["step"] == "unknown"
            if courtesy or (unknown and not event.sources and event.text == _first_of(turn, event)):
                continue
            if any(_repeats(turn, event, one) for one in said):
                continue
        if isinstance(event, Products | ToolResult):
            if event in shown:
                continue
            shown.append(event)
        yield event


def _first_of(turn: Turn, event: Sentence) -> str | None:
    """The admission that opens "I do not know"; the offer of a human behind it stays."""
    offer = turn.say("offer_human").text
    return None if event.text == offer else event.text


def _repeats(turn: Turn, event: Sentence, earlier: Sentence) -> bool:
    """Whether a sentence says what an earlier one said, in its words or from its source."""
    new, old = fold(event.text), fold(earlier.text)
    if new == old:
        return True
    for source in event.sources:
        for quoted in (one for one in earlier.sources if one.id == source.id):
            if new in fold(quoted.quote) or fold(quoted.quote) in new:
                return True
    today = turn.runtime.clock().date()
    # Naming the shop tells nothing.
    now, before = (one.text.replace(turn.assistant.shop_name, "") for one in (event, earlier))
    facts = statement(now, turn.language, today).facts
    if facts - statement(before, turn.language, today).facts:
        return False
    share = _share(now, before, turn.language)
    if not (event.sources or event.tool):
        return share >= SAME_COURTESY
    return share >= (SAME_FIGURES if facts else SAME_CLAIM)


def _share(text: str, other: str, language: str) -> float:
    words = set(stems(plain_words(text, language), language))
    return len(words & set(stems(plain_words(other, language), language))) / max(len(words), 1)
