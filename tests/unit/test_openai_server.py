"""Does the test server behave like the provider whose place it takes, faults included?"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, OpenAI

from tests.openai_server import (
    BrokenJson,
    HalfAnswer,
    Hang,
    HttpFault,
    NoChoices,
    OpenAIServer,
    Reply,
    ToolCall,
    Usage,
    WrongContentType,
    openai_server,
)
from tests.openai_server.client import connected

QUESTION: list[Any] = [{"role": "user", "content": "Bonjour"}]
SENTENCE = "Votre canapé arrive mardi 14 octobre."


def tool(name: str, **properties: Any) -> Any:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TEXT = {"type": "string"}
TOOLS = [
    tool("order_status", order_number=TEXT),
    tool("product_search", query=TEXT),
    tool("knowledge_search", question=TEXT),
    tool(
        "create_ticket",
        problem_category={"type": "string", "enum": ["autre", "casse_transport"]},
        description=TEXT,
    ),
]


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(running: OpenAIServer) -> OpenAIServer:
    running.reset()
    return running


@pytest.fixture(scope="module")
def without_retries(running: OpenAIServer) -> Iterator[OpenAI]:
    with connected(running, max_retries=0) as client:
        yield client


@pytest.fixture
def client(server: OpenAIServer, without_retries: OpenAI) -> OpenAI:
    """A client that never retries, so that each fault is seen as it is."""
    return without_retries


def ask(client: OpenAI, messages: list[Any] | None = None, **options: Any) -> Any:
    return client.chat.completions.create(
        model="gpt-test", messages=messages or QUESTION, **options
    )


def asked(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


# A good answer


def test_an_answer_has_text_usage_and_a_reason(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply(SENTENCE, usage=Usage(120, 7)))
    answer = ask(client)
    assert answer.choices[0].message.content == SENTENCE
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (120, 127)
    assert answer.model == "gpt-test"


def test_requests_are_recorded_with_headers_and_body(server: OpenAIServer, client: OpenAI) -> None:
    ask(client, temperature=0.2)
    [request] = server.requests
    assert request.endpoint == "chat/completions"
    assert request.headers["authorization"] == "Bearer a-key"
    assert request.body["messages"] == QUESTION
    assert server.chat_requests()[0]["temperature"] == 0.2


def test_steps_are_used_once_and_in_order(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply("un"), Reply("deux"))
    assert [ask(client).choices[0].message.content for _ in range(2)] == ["un", "deux"]
    assert server.remaining() == 0
    assert "Bonjour" in ask(client).choices[0].message.content


def test_a_stream_gives_the_text_in_pieces_and_then_the_usage(
    server: OpenAIServer, client: OpenAI
) -> None:
    server.script(Reply(SENTENCE, usage=Usage(10, 6)))
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(delta or "" for delta in deltas) == SENTENCE
    assert sum(bool(delta) for delta in deltas) == 6
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 16
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_has_no_usage_unless_asked(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply(SENTENCE))
    assert [chunk for chunk in ask(client, stream=True) if not chunk.choices or chunk.usage] == []


def test_spaces_and_line_ends_survive_the_stream(server: OpenAIServer, client: OpenAI) -> None:
    text = "  Deux points :\n\n- un\n- deux  \n"
    server.script(Reply(text))
    chunks = ask(client, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text


def test_parallel_tool_calls_arrive_whole(server: OpenAIServer, client: OpenAI) -> None:
    calls = (ToolCall("order_status", {"order_number": "CMD-1"}), ToolCall("product_search", {}))
    server.script(Reply(tool_calls=calls))
    choice = ask(client, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    found = choice.message.tool_calls
    assert [call.function.name for call in found] == ["order_status", "product_search"]
    assert json.loads(found[0].function.arguments) == {"order_number": "CMD-1"}
    assert found[0].id != found[1].id


def test_streamed_tool_calls_come_in_parts_by_index(server: OpenAIServer, client: OpenAI) -> None:
    arguments = ({"order_number": "CMD-2026-000101"}, {"query": "une table ronde en chêne"})
    names = ("order_status", "product_search")
    server.script(Reply(tool_calls=tuple(map(ToolCall, names, arguments))))
    joined, heads = ["", ""], []
    for chunk in ask(client, tools=TOOLS, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            joined[part.index] += part.function.arguments
            heads += [part.function.name] if part.id else []
    assert heads == list(names)
    assert tuple(map(json.loads, joined)) == arguments


def test_a_stream_is_assembled_by_the_client_library(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply(tool_calls=(ToolCall("order_status", {"order_number": "CMD-1"}),)))
    with client.chat.completions.stream(
        model="gpt-test", messages=asked("?"), tools=TOOLS
    ) as stream:
        final = stream.get_final_completion()
    [call] = final.choices[0].message.tool_calls or []
    assert call.function.arguments == '{"order_number": "CMD-1"}'


# The rule-based model


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("Où est CMD-2026-000101 ?", "order_status", {"order_number": "CMD-2026-000101"}),
        ("Je cherche une table", "product_search", {"query": "Je cherche une table"}),
        ("Un délai de retour ?", "knowledge_search", {"question": "Un délai de retour ?"}),
        (
            "Ma chaise est cassée",
            "create_ticket",
            {"description": "Ma chaise est cassée", "problem_category": "casse_transport"},
        ),
    ],
)
def test_the_model_calls_the_tool_that_the_message_speaks_of(
    client: OpenAI, text: str, name: str, arguments: dict[str, str]
) -> None:
    [call] = ask(client, asked(text), tools=TOOLS).choices[0].message.tool_calls
    assert call.function.name == name
    assert json.loads(call.function.arguments) == arguments


@pytest.mark.parametrize("options", [{}, {"tools": TOOLS, "tool_choice": "none"}])
def test_without_tools_the_model_echoes(client: OpenAI, options: dict[str, Any]) -> None:
    message = ask(client, asked("Ma chaise est cassée"), **options).choices[0].message
    assert message.tool_calls is None
    assert "Ma chaise est cassée" in message.content


def test_a_forced_tool_is_called(client: OpenAI) -> None:
    forced = {"type": "function", "function": {"name": "product_search"}}
    message = ask(client, tools=TOOLS, tool_choice=forced).choices[0].message
    assert [call.function.name for call in message.tool_calls] == ["product_search"]


def test_the_model_says_what_a_tool_found(client: OpenAI) -> None:
    messages = asked("Où est CMD-2026-000101 ?")
    called = ask(client, messages, tools=TOOLS).choices[0].message
    result = json.dumps({"status": "expédiée", "lines": [{"sku": "OSLO"}]})
    answer = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": result}
    said = ask(client, [*messages, called.model_dump(exclude_none=True), answer], tools=TOOLS)
    assert said.choices[0].message.content.endswith("status expédiée, sku OSLO.")


def test_the_rule_can_be_replaced(server: OpenAIServer, client: OpenAI) -> None:
    server.rule = lambda request: Reply(f"{len(request['messages'])} message")
    assert ask(client).choices[0].message.content == "1 message"


def test_a_tool_call_without_its_answer_is_refused(client: OpenAI) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "x", "arguments": "{}"}}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    orphan = {"role": "tool", "tool_call_id": "other", "content": "1"}
    for messages in ([*QUESTION, called], [*QUESTION, called, *QUESTION], [*QUESTION, orphan]):
        with pytest.raises(openai.BadRequestError, match="tool"):
            ask(client, messages)


# Faults


def test_a_retry_waits_as_told_and_is_recorded(server: OpenAIServer) -> None:
    server.script(HttpFault(429, retry_after_seconds=0.3), Reply(SENTENCE))
    with connected(server, max_retries=2) as client:
        assert ask(client).choices[0].message.content == SENTENCE
    first, second = server.requests
    assert second.received_seconds - first.received_seconds >= 0.3
    counts = [each.headers["x-stainless-retry-count"] for each in (first, second)]
    assert counts == ["0", "1"]


def test_too_many_requests_carries_its_delay(server: OpenAIServer, client: OpenAI) -> None:
    server.script(HttpFault(429, retry_after_seconds=7, message="Slow down"))
    with pytest.raises(openai.RateLimitError, match="Slow down") as caught:
        ask(client)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_error_is_raised_and_retried(server: OpenAIServer, stream: bool) -> None:
    server.script(*[HttpFault(500, retry_after_seconds=0.01)] * 3)
    with connected(server, max_retries=2) as client, pytest.raises(openai.InternalServerError):
        ask(client, stream=stream)
    assert len(server.requests) == 3


def test_an_authentication_error_is_not_retried(server: OpenAIServer) -> None:
    server.script(HttpFault(401))
    with connected(server, max_retries=2) as client, pytest.raises(openai.AuthenticationError):
        ask(client)
    assert len(server.requests) == 1


def test_a_hang_ends_when_the_client_goes_away(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Hang(60))
    with pytest.raises(openai.APITimeoutError):
        ask(client, timeout=0.2)
    wait_for_abandoned(server)


def test_a_short_hang_is_only_slow(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Hang(0.2))
    before = time.monotonic()
    assert "Bonjour" in ask(client).choices[0].message.content
    assert time.monotonic() - before >= 0.2


def test_a_cut_stream_gives_its_first_pieces(server: OpenAIServer, client: OpenAI) -> None:
    server.script(HalfAnswer(Reply(SENTENCE), pieces=3))
    said, fault = read_until_fault(client)
    assert ("".join(said), type(fault)) == ("Votre canapé", openai.APIConnectionError)


def test_a_stream_can_end_early_without_an_error(server: OpenAIServer, client: OpenAI) -> None:
    server.script(HalfAnswer(Reply(SENTENCE), pieces=3, ending="end"))
    chunks = list(ask(client, stream=True))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "Votre canapé"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 3


def test_a_stream_can_fall_silent(server: OpenAIServer) -> None:
    server.script(HalfAnswer(Reply(SENTENCE), pieces=2, ending="hang"))
    with connected(server, max_retries=0, timeout=0.3) as client:
        said, fault = read_until_fault(client)
    assert "".join(said) == "Votre"
    assert isinstance(fault, openai.APITimeoutError)
    wait_for_abandoned(server)


def test_a_cut_answer_that_is_not_streamed_fails(server: OpenAIServer, client: OpenAI) -> None:
    server.script(HalfAnswer(Reply(SENTENCE)))
    with pytest.raises(openai.APIConnectionError):
        ask(client)


def test_a_slow_stream_keeps_its_delay(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply("un deux trois", piece_delay_seconds=0.05))
    times = [time.monotonic() for _ in ask(client, stream=True)]
    assert times[-1] - times[0] >= 0.05 * (len(times) - 1) * 0.9


def test_a_reader_who_leaves_a_slow_stream_stops_it(server: OpenAIServer, client: OpenAI) -> None:
    server.script(Reply("un deux trois", piece_delay_seconds=20))
    stream = ask(client, stream=True)
    next(iter(stream))
    stream.close()
    wait_for_abandoned(server)


@pytest.mark.parametrize("stream", [False, True])
def test_broken_json_cannot_be_read(server: OpenAIServer, client: OpenAI, stream: bool) -> None:
    server.script(BrokenJson())
    with pytest.raises(json.JSONDecodeError):
        list(ask(client, stream=stream))


def test_an_answer_may_hold_no_choice(server: OpenAIServer, client: OpenAI) -> None:
    server.script(NoChoices(), NoChoices())
    assert ask(client).choices == []
    assert [chunk.choices for chunk in ask(client, stream=True)] == [[]]


def test_a_page_instead_of_json_is_not_a_completion(server: OpenAIServer, client: OpenAI) -> None:
    server.script(WrongContentType(), WrongContentType())
    assert not hasattr(ask(client), "choices")
    assert list(ask(client, stream=True)) == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_call_may_be_nonsense(server: OpenAIServer, client: OpenAI, stream: bool) -> None:
    server.script(Reply(tool_calls=(ToolCall("no_such_tool", '{"order_number": '),)))
    answer = ask(client, tools=TOOLS, stream=stream)
    if stream:
        parts = [part for chunk in answer for part in chunk.choices[0].delta.tool_calls or []]
        name, arguments = parts[0].function.name, "".join(p.function.arguments for p in parts)
    else:
        [call] = answer.choices[0].message.tool_calls
        name, arguments = call.function.name, call.function.arguments
    assert (name, arguments) == ("no_such_tool", '{"order_number": ')


# Running


def test_many_clients_are_served_at_once(server: OpenAIServer) -> None:
    async def ask_all() -> list[Any]:
        async with AsyncOpenAI(
            base_url=server.base_url,
            api_key="a-key",
            max_retries=0,
            http_client=DefaultAsyncHttpx2Client(trust_env=False),
        ) as client:
            question = client.chat.completions.create
            return await asyncio.gather(
                *(question(model="gpt-test", messages=QUESTION) for _ in range(10))
            )

    server.script(*[Hang(0.5)] * 10)
    before = time.monotonic()
    answers = asyncio.run(ask_all())
    assert len({answer.id for answer in answers}) == 10
    assert time.monotonic() - before < 4


def test_stopping_is_quick_even_while_an_answer_hangs() -> None:
    threads = set(threading.enumerate())
    failures: list[Exception] = []

    def ask_in_vain(server: OpenAIServer) -> None:
        with connected(server, max_retries=0, timeout=30) as client:
            try:
                ask(client)
            except openai.OpenAIError as failure:
                failures.append(failure)

    with openai_server() as server:
        server.script(Hang(60))
        asking = threading.Thread(target=ask_in_vain, args=(server,))
        asking.start()
        wait_until(lambda: bool(server.requests))
        before = time.monotonic()
    stopped_seconds = time.monotonic() - before
    asking.join(5)
    assert stopped_seconds < 2
    assert len(failures) == 1
    assert set(threading.enumerate()) == threads
    with connected(server, max_retries=0) as client, pytest.raises(openai.APIConnectionError):
        ask(client)


def read_until_fault(client: OpenAI) -> tuple[list[str], Exception | None]:
    """The pieces of a stream before it failed, and how it failed."""
    said: list[str] = []
    try:
        for chunk in ask(client, stream=True):
            said.append(chunk.choices[0].delta.content or "")
    except openai.OpenAIError as fault:
        return said, fault
    return said, None


def wait_for_abandoned(server: OpenAIServer) -> None:
    wait_until(lambda: server.abandoned == 1)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
