"""What can the test server be told to do next: an answer, or one of the ways a provider fails?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["cut", "hang", "end"]


@dataclass(frozen=True)
class ToolCall:
    """A call that the model asks for; arguments given as text are sent as they are, even broken."""

    name: str
    arguments: Mapping[str, Any] | str
    id: str | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider would bill them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Reply:
    """A good answer; `piece_delay_seconds` makes its stream slow.

    Without `usage` the words are counted. A transcription takes only the text.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None
    piece_delay_seconds: float = 0.0


@dataclass(frozen=True)
class HttpFault:
    """An error answer in OpenAI's shape, such as 429 with `Retry-After`, or 500."""

    status: int
    retry_after_seconds: float | None = None
    message: str = "The server had an error while processing your request."
    error_type: str = "server_error"


@dataclass(frozen=True)
class Hang:
    """Silence, then the answer that would have come; it ends when the client goes away."""

    seconds: float


@dataclass(frozen=True)
class HalfAnswer:
    """The first pieces of an answer, then: the connection cut, silence, or a neat early end.

    The first piece of a stream holds only the role. An answer that is not streamed is broken in
    its middle. Silence ends in a cut.
    """

    reply: Reply
    pieces: int = 3
    ending: Ending = "cut"
    hang_seconds: float = 60.0


@dataclass(frozen=True)
class BrokenJson:
    """Status 200 with JSON that cannot be read."""


@dataclass(frozen=True)
class NoChoices:
    """Status 200 and a well-formed completion that holds no choice."""


@dataclass(frozen=True)
class WrongContentType:
    """Status 200 and an HTML page, as proxies and captive portals answer."""


Fault = HttpFault | Hang | HalfAnswer | BrokenJson | NoChoices | WrongContentType
Step = Reply | Fault
