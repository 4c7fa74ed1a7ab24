"""What a client that streams is sent: numbered frames, made of a turn's events.

A frame's `sequence` grows within its conversation and outlives every process, because it is made
of the number that the message has in the database: message × 1,000 + position. The frame that
ends a turn has the last position, so whoever has seen it has seen the whole turn. Frames made
anew from the database stand behind all that could have been sent before.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import orjson

from bot.messages import (
    Accepted,
    Finished,
    IncomingMessage,
    Products,
    ReplyEvent,
    Sentence,
    Suggestions,
    ToolResult,
    Understood,
)
from services.conversations.stream import StoredMessage

POSITIONS = 1_000
LAST_POSITION = POSITIONS - 1
# Where frames begin that are made anew from the database.
REBUILT_POSITION = 900
# A message takes a number and its reply the next.
TURN_STEP = 2


@dataclass(frozen=True)
class Frame:
    """One frame as it goes over the wire; `sequence` is 0 where it belongs to one client only."""

    sequence: int
    type: str
    text: str

    @property
    def ends_turn(self) -> bool:
        return self.sequence % POSITIONS == LAST_POSITION

    @property
    def message_sequence(self) -> int:
        return self.sequence // POSITIONS

    def with_fields(self, **more: Any) -> Frame:
        """The same frame saying more to one client."""
        body = {**orjson.loads(self.text), **more}
        return Frame(self.sequence, self.type, _json(body))

    def as_bytes(self) -> bytes:
        return f"{self.sequence} {self.type} {self.text}".encode()

    @classmethod
    def from_bytes(cls, written: bytes) -> Frame:
        sequence, type, text = written.decode().split(" ", 2)
        return cls(int(sequence), type, text)


def frame(type: str, sequence: int = 0, **body: Any) -> Frame:
    """Make a frame; without a sequence it is for one client and not repeated."""
    numbered = {"sequence": sequence} if sequence else {}
    return Frame(sequence, type, _json({"type": type, **numbered, **body}))


def _json(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, default=str).decode()


def channel_of(organization_id: Any, actor: str, session_id: str) -> str:
    """The name under which a conversation is broadcast; it tells nothing about whose it is."""
    named = f"{organization_id}\0{actor}\0{session_id}".encode()
    return hashlib.blake2b(named, digest_size=16).hexdigest()


@dataclass
class FrameWriter:
    """Numbers the frames of one turn."""

    message: IncomingMessage
    position: int = 0
    sequence: int = 0
    repeated: bool = False
    language: str = "fr"
    _said: bool = field(default=False, repr=False)

    def write(self, event: ReplyEvent) -> list[Frame]:
        """The frames of an event; the first event is `Accepted`."""
        if isinstance(event, Accepted):
            self.sequence, self.repeated = event.sequence, event.repeated
            if event.repeated:
                self.position = REBUILT_POSITION
        return [self._next(type, body) for type, body in self._bodies(event)]

    def failed(self, body: Mapping[str, Any]) -> Frame:
        """The frame of a turn that ends in an error."""
        return frame("error", self.sequence * POSITIONS + LAST_POSITION, **body)

    def _next(self, type: str, body: Mapping[str, Any]) -> Frame:
        self.position = min(self.position + 1, LAST_POSITION - 1)
        position = LAST_POSITION if type == "finished" else self.position
        more = {"replayed": True} if self.repeated else {}
        return frame(type, self.sequence * POSITIONS + position, **body, **more)

    def _bodies(self, event: ReplyEvent) -> Iterator[tuple[str, dict[str, Any]]]:
        match event:
            case Accepted():
                yield (
                    "accepted",
                    accepted_body(
                        str(event.message_id),
                        self.message.session_id,
                        self.message.text,
                        self.message.client_message_id,
                    ),
                )
            case Understood():
                self.language = event.language
                confidence = round(event.confidence, 4)
                yield "understood", _understood(event.language, event.intent, confidence)
            case Sentence():
                joint = event.joint if self._said else ""
                self._said = True
                sources = [source.as_json() for source in event.sources]
                yield "sentence", _sentence(event.text, joint, sources, event.tool)
            case ToolResult():
                yield "tool_result", {"tool": event.tool, "result": event.result}
            case Products():
                yield "products", {"products": list(event.products)}
            case Suggestions():
                yield "suggestions", {"suggestions": list(event.texts)}
            case Finished():
                yield from _endings(str(event.message_id), event.owner)


def accepted_body(
    message_id: str, session_id: str, text: str, client_message_id: str | None
) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "session_id": session_id,
        "message": text,
        "client_message_id": client_message_id,
    }


def _understood(language: str, intent: str, confidence: float) -> dict[str, Any]:
    return {"language": language, "intent": intent, "confidence": confidence}


def _sentence(text: str, joint: str, sources: Any, tool: str | None) -> dict[str, Any]:
    return {"text": text, "joint": joint, "sources": list(sources), "tool": tool}


def _endings(message_id: str, owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if owner != "bot":
        yield "handoff", {"owner": owner}
    yield "finished", {"message_id": message_id, "owner": owner}


def rebuilt_frames(question: StoredMessage, reply: StoredMessage, session_id: str) -> list[Frame]:
    """A stored message and its reply as frames; the reply is one `sentence`."""
    attached = reply.attachments
    bodies: list[tuple[str, dict[str, Any]]] = [
        (
            "accepted",
            accepted_body(
                str(question.id), session_id, question.content, question.client_message_id
            ),
        ),
        (
            "understood",
            _understood(
                reply.language or "fr", reply.intent or "", round(reply.confidence or 0.0, 4)
            ),
        ),
        ("sentence", _sentence(reply.content, "", reply.sources, None)),
        *(("tool_result", dict(done)) for done in attached.get("tool_results", ())),
    ]
    for name in ("products", "suggestions"):
        if attached.get(name):
            bodies.append((name, {name: attached[name]}))
    first = question.sequence * POSITIONS
    frames = [
        frame(type, first + REBUILT_POSITION + place, **body, rebuilt=True)
        for place, (type, body) in enumerate(bodies, start=1)
    ]
    last = frame("finished", first + LAST_POSITION, message_id=str(reply.id), rebuilt=True)
    return [*frames, last]


def message_frame(message: StoredMessage) -> Frame:
    """A message that answers none, such as a human agent's, as one frame."""
    attached = {
        name: message.attachments[name]
        for name in ("author", "handoff")
        if name in message.attachments
    }
    return frame(
        "message",
        message.sequence * POSITIONS + LAST_POSITION,
        message_id=str(message.id),
        role=message.role,
        message=message.content,
        sources=list(message.sources),
        created_at=message.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **attached,
    )


def are_contiguous(frames: list[Frame]) -> bool:
    """Whether no turn is missing between the frames of a conversation."""
    for one, next_one in itertools.pairwise(frames):
        if one.message_sequence == next_one.message_sequence:
            continue
        step = 1 if one.type == "message" else TURN_STEP
        if not one.ends_turn or next_one.message_sequence != one.message_sequence + step:
            return False
    return True
