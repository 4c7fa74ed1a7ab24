"""An OpenAI-compatible server for tests: real HTTP on loopback, scripted answers and faults.

    with openai_server() as server:
        server.script(HttpFault(429, retry_after_seconds=1), Reply("Bonjour"))
        ...  # a real client with base_url=server.base_url
        assert len(server.requests) == 2

Without a script a rule-based model answers: it calls the offered tool that the last user message
speaks of, and says what a tool found.
"""

from tests.openai_server.rules import Rule, default_rule, last_user_text, text_of
from tests.openai_server.serving import OpenAIServer, RecordedRequest, openai_server
from tests.openai_server.steps import (
    BrokenJson,
    HalfAnswer,
    Hang,
    HttpFault,
    NoChoices,
    Reply,
    Step,
    ToolCall,
    Usage,
    WrongContentType,
)

__all__ = [
    "BrokenJson",
    "HalfAnswer",
    "Hang",
    "HttpFault",
    "NoChoices",
    "OpenAIServer",
    "RecordedRequest",
    "Reply",
    "Rule",
    "Step",
    "ToolCall",
    "Usage",
    "WrongContentType",
    "default_rule",
    "last_user_text",
    "openai_server",
    "text_of",
]
