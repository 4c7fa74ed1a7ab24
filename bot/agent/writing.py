"""How do a model's words become checked sentences of the reply?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from bot.agent.attempt import Attempt
from bot.agent.privacy import is_redacted
from bot.claims import is_greeting
from bot.evidence import Evidence
from bot.grounding import Grounder
from bot.guardrails import PromptSeal, showable
from bot.messages import Sentence
from bot.turn import Turn
from bot.understanding.cues import fold
from knowledge.passages import sentences

Joint = Literal["\n\n", "\n", " "]


@dataclass
class SentenceGatherer:
    """Puts the pieces of a stream together and cuts them into sentences with what joins them."""

    _text: str = ""
    _taken: int = 0

    def feed(self, piece: str) -> list[tuple[Joint, str]]:
        """The sentences that are complete: those behind which another has begun."""
        self._text += piece
        return list(self._take(len(self._text), keep_last=True))

    def rest(self) -> list[tuple[Joint, str]]:
        """What is left when the message is complete; the gatherer begins anew."""
        left = list(self._take(len(self._text), keep_last=False))
        self._text, self._taken = "", 0
        return left

    def _take(self, end: int, keep_last: bool) -> Iterator[tuple[Joint, str]]:
        spans = sentences(self._text, self._taken, end)
        for span in spans[:-1] if keep_last else spans:
            between = self._text[self._taken : span.start]
            joint: Joint = "\n\n" if "\n\n" in between else "\n" if "\n" in between else " "
            yield joint, self._text[span.start : span.end]
            self._taken = span.end


@dataclass
class Writer:
    """Checks each sentence and decides when it is sent.

    A sentence that claims nothing waits for one that is proven, or for the end of an answer that
    lost none: an announcement before a refused claim announces nothing.
    """

    turn: Turn
    attempt: Attempt
    grounder: Grounder
    seal: PromptSeal
    evidence: list[Evidence]
    email: str | None
    dropped: int = 0
    # Whether something of the message in progress has been sent: it cannot be begun again then.
    sent_of_message: bool = False
    _gatherer: SentenceGatherer = field(default_factory=SentenceGatherer)
    _waiting: list[Sentence] = field(default_factory=list)

    def feed(self, piece: str) -> list[Sentence]:
        return self._checked(self._gatherer.feed(piece))

    def end_of_message(self) -> list[Sentence]:
        """The message is whole: its last sentence counts too."""
        ready = self._checked(self._gatherer.rest())
        self.sent_of_message = False
        return ready

    def restart_message(self) -> None:
        """The provider begins the message again: what was gathered of it is void."""
        self._gatherer = SentenceGatherer()
        self._waiting.clear()

    def finish(self) -> list[Sentence]:
        """What waited for the end of a good answer; nothing where something was refused."""
        if self.dropped and not self.attempt.has_claims:
            return []
        left = [one for one in self._waiting if not one.text.endswith(":")]
        self._waiting.clear()
        return self._send(left)

    def _checked(self, found: list[tuple[Joint, str]]) -> list[Sentence]:
        return [sent for joint, text in found for sent in self._check(joint, text)]

    def _check(self, joint: Joint, text: str) -> list[Sentence]:
        if self.seal.is_broken_by(text):
            return self._drop("prompt")
        shown = self._restored(showable(text, [one.text for one in self.evidence]))
        if not any(map(str.isalnum, shown)) or is_greeting(shown):
            return []
        if is_redacted(shown):
            return self._drop("redacted")
        if self._is_repeated(shown):
            return []
        proof = self.grounder.check(shown, self.evidence)
        if proof is None:
            return self._drop("unsupported")
        first = not self.attempt.said and not self._waiting
        sentence = Sentence(shown, proof.sources, proof.tool, "\n\n" if first else joint)
        if not proof.is_claim:
            self._waiting.append(sentence)
            return []
        ready = [*self._waiting, sentence]
        self._waiting.clear()
        return self._send(ready)

    def _send(self, ready: list[Sentence]) -> list[Sentence]:
        self.attempt.said.extend(ready)
        self.sent_of_message = self.sent_of_message or bool(ready)
        return ready

    def _drop(self, reason: str) -> list[Sentence]:
        self.dropped += 1
        self.turn.note("sentence_dropped", reason=reason)
        while self._waiting and self._waiting[-1].text.endswith(":"):
            self._waiting.pop()
        return []

    def _restored(self, text: str) -> str:
        """The customer's own address in the place of its placeholder."""
        return text.replace("[REDACTED_EMAIL]", self.email) if self.email else text

    def _is_repeated(self, text: str) -> bool:
        folded = fold(text)
        return any(fold(one.text) == folded for one in [*self.attempt.said, *self._waiting])
