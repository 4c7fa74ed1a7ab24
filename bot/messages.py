"""What goes into a turn and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from core.security import Principal


@dataclass(frozen=True)
class IncomingMessage:
    """One message of a customer, as any channel hands it to the engine.

    `language` is a hint (`fr`, `en`, …) or None; `client_message_id` makes a repeated message
    answer with the first reply.
    """

    principal: Principal
    session_id: str
    text: str
    channel: str = "web_chat"
    language: str | None = None
    client_message_id: str | None = None
    # Ids of files that the sender has uploaded before.
    attachments: tuple[str, ...] = ()
    # Who answers, where several processes might: see `services.conversations.lease`.
    lease_holder: str | None = None


@dataclass(frozen=True)
class Accepted:
    """The message is stored, under this id and number; `repeated` if it was answered before."""

    message_id: UUID
    sequence: int
    repeated: bool = False
    conversation_id: UUID | None = None


@dataclass(frozen=True)
class Source:
    """Where a claim comes from; `quote` is a literal substring of the document."""

    id: str
    title: str
    quote: str
    score: float

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "quote": self.quote,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True)
class Understood:
    """The message has been read: its language, intent and confidence."""

    language: str
    intent: str
    confidence: float


@dataclass(frozen=True)
class Sentence:
    """One checked sentence (or short block) of the answer.

    A claim carries what supports it: `sources`, or the name of the `tool` whose result it says.
    Neither is set on conversational sentences (greetings, questions), which claim nothing.
    `joint` is what stands between it and the sentence before: a paragraph, a line or a space.
    """

    text: str
    sources: tuple[Source, ...] = ()
    tool: str | None = None
    joint: Literal["\n\n", "\n", " "] = "\n\n"


@dataclass(frozen=True)
class ToolResult:
    """A tool has run."""

    tool: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Products:
    """Product cards to show beside the text."""

    products: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Suggestions:
    """What the customer might say next, as quick replies."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """The turn is stored; its reply has this id."""

    message_id: UUID
    owner: str = "bot"


ReplyEvent = Accepted | Understood | Sentence | ToolResult | Products | Suggestions | Finished


@dataclass
class Reply:
    """The events of one turn, added up as a client without streaming receives them."""

    language: str = "fr"
    intent: str = "out_of_scope"
    confidence: float = 0.0
    sentences: list[Sentence] = field(default_factory=list)
    tool_results: list[dict[str, Any]] = field(default_factory=list)
    products: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    message_id: UUID | None = None
    owner: str = "bot"

    @property
    def text(self) -> str:
        parts: list[str] = []
        for sentence in self.sentences:
            if parts:
                parts.append(sentence.joint)
            parts.append(sentence.text)
        return "".join(parts)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Every source once, in the order of the answer."""
        seen: dict[tuple[str, str], dict[str, Any]] = {}
        for sentence in self.sentences:
            for source in sentence.sources:
                seen.setdefault((source.id, source.quote), source.as_json())
        return list(seen.values())

    def add(self, event: ReplyEvent) -> None:
        match event:
            case Understood():
                self.language = event.language
                self.intent, self.confidence = event.intent, event.confidence
            case Sentence():
                self.sentences.append(event)
            case ToolResult():
                self.tool_results.append({"tool": event.tool, "result": event.result})
            case Products():
                self.products.extend(event.products)
            case Suggestions():
                self.suggestions = list(event.texts)
            case Finished():
                self.message_id, self.owner = event.message_id, event.owner

    def attachments(self) -> dict[str, Any]:
        """What is stored beside the text of the reply."""
        return {
            "products": self.products,
            "tool_results": self.tool_results,
            "suggestions": self.suggestions,
        }
