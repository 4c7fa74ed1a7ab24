"""Row M14: a telephone call over the Twilio Media Streams protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.product import reuse_models
from tests.serving import Server, serving
from tests.telephone import Instructions, phoning, post, read_instructions, signed, to_codes

pytestmark = pytest.mark.anyio

AUTH_TOKEN = "the carrier's secret"
TRANSFER = "+33123456789"
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CALL, AFTER = "/api/voice/twilio/call", "/api/voice/twilio/after"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes telephone calls, one at a time."""
    data_dir = tmp_path_factory.mktemp("exchange") / "data"
    reuse_models(data_dir)
    with serving(
        data_dir,
        TWILIO_AUTH_TOKEN=AUTH_TOKEN,
        VOICE_TRANSFER_NUMBER=TRANSFER,
        VOICE_CALLS_AT_ONCE="1",
    ) as server:
        with server.client("admin@example.com") as admin:
            hours = {"weekly": {day: ["00:00-24:00"] for day in WEEK}}
            admin.put("/api/v1/console/service_hours", json=hours).raise_for_status()
        yield server


def ring(server: Server, call_id: str) -> Instructions:
    answer = post(server.base_url, CALL, AUTH_TOKEN, CallSid=call_id, From="+33612345678")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    return read_instructions(answer.text)


async def test_m14_a_telephone_call_is_answered_interrupted_and_put_through(
    exchange: Server, voices: dict[str, bytes]
) -> None:
    call_id = f"CA{uuid4().hex}"
    instructions = await asyncio.to_thread(ring, exchange, call_id)
    codes = {name: to_codes(samples) for name, samples in voices.items()}
    async with phoning(instructions, call_id) as caller:
        await caller.until_silent()
        assert caller.played_seconds > 8
        # A second caller hears that all lines are busy.
        busy = await asyncio.to_thread(
            post, exchange.base_url, CALL, AUTH_TOKEN, CallSid=f"CA{uuid4().hex}"
        )
        assert "lignes sont occupées" in busy.text
        assert "<Hangup/>" in busy.text

        await caller.send("dtmf", dtmf={"track": "inbound_track", "digit": "2"})
        before = len(caller.events)
        await caller.until("media", before)
        await caller.until_silent()
        before = len(caller.events)
        await caller.say(codes["delivery"])
        spoken, _ = await caller.until("media", before)
        assert spoken - caller.ended_speaking < 5
        await asyncio.sleep(1.5)
        before = len(caller.events)
        speaking = asyncio.create_task(caller.say(codes["person"]))
        silenced, _ = await caller.until("clear", before)
        assert silenced - caller.began_speaking <= 0.3
        await speaking
        # Customer service is open: the caller is told so, then the stream ends by itself.
        await caller.connection.wait_closed()
    after = await asyncio.to_thread(post, exchange.base_url, AFTER, AUTH_TOKEN, CallSid=call_id)
    assert ElementTree.fromstring(after.text).findtext("Dial") == TRANSFER  # noqa: S314
    elsewhere = await asyncio.to_thread(post, exchange.base_url, AFTER, AUTH_TOKEN, CallSid="CA9")
    assert [one.tag for one in ElementTree.fromstring(elsewhere.text)] == ["Hangup"]  # noqa: S314
    with exchange.client("agent@example.com") as agent:
        listed = agent.get("/api/v1/console/conversations", params={"channel": "voice"})
        conversation = listed.json()["data"][0]["id"]
        data = agent.get(f"/api/v1/console/conversations/{conversation}").json()["data"]
    call = data["calls"][0]
    assert (call["carrier"], call["end_reason"]) == ("twilio", "transferred")
    assert call["ticket_id"]
    assert call["turns"][0]["interrupted"] is True


def test_m14_requests_without_the_carriers_signature_are_refused(exchange: Server) -> None:
    url = exchange.base_url + CALL
    form = {"CallSid": "CA1", "From": "+33612345678"}
    headers = signed(AUTH_TOKEN, url, form)
    with exchange.client() as client:
        assert client.post(CALL, data=form, headers=headers).status_code == 200
        for changed in (
            {"data": form},
            {"data": form, "headers": signed("another secret", url, form)},
            {"data": {**form, "CallSid": "CA2"}, "headers": headers},
            {"data": form, "headers": headers, "params": {"language": "en"}},
        ):
            refused = client.post(CALL, **changed)  # type: ignore[arg-type]
            assert refused.status_code == 403
            assert refused.json()["error"] == "forbidden"
        assert client.post(AFTER, data=form).status_code == 403


def test_m14_without_a_token_no_telephone_call_is_taken(server: Server) -> None:
    assert post(server.base_url, CALL, "", CallSid="CA1").status_code == 403


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("{", 1007),
        (json.dumps({"event": "media", "media": {"payload": "AAAA"}}), 1007),
        (
            json.dumps(
                {
                    "event": "start",
                    "start": {
                        "streamSid": "MZ1",
                        "callSid": "CA1",
                        "customParameters": {"token": "0" * 32 + ".99999999999.forged"},
                        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
                    },
                }
            ),
            4401,
        ),
    ],
)
async def test_m14_a_stream_that_nobody_asked_for_is_closed(
    exchange: Server, first: str, code: int
) -> None:
    address = exchange.base_url.replace("http", "ws", 1) + "/api/voice/twilio/stream"
    async with connect(address, proxy=None) as socket:
        await socket.send(first)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code


async def test_m14_instructions_serve_their_own_call_only(exchange: Server) -> None:
    instructions = await asyncio.to_thread(ring, exchange, "CA-mine")
    async with phoning(instructions, "CA-another") as caller:
        await caller.connection.wait_closed()
    assert caller.connection.close_code == 4401


def test_m14_the_signature_is_the_one_of_the_carriers_documentation() -> None:
    from channels.voice.twilio import is_signed

    # https://www.twilio.com/docs/usage/security#validating-requests
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    assert is_signed("12345", url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not is_signed("12345", url, form[:-1], "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not is_signed("", url, form, "")
