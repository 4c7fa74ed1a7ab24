"""Row M14: a live call over a WebSocket, with speech both ways and barge-in."""

from __future__ import annotations

import asyncio
import json
import wave
from contextlib import suppress
from io import BytesIO
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.providers.speech.whisper_embedded import REST_SECONDS
from tests.calling import SECOND, VoiceCaller, calling, trimmed
from tests.serving import Server

pytestmark = pytest.mark.anyio

Voices = dict[str, bytes]


async def listen_to_announcement(caller: VoiceCaller) -> None:
    await caller.until("ready")
    await caller.until_sound(0)
    await caller.until_silent()


async def ask(caller: VoiceCaller, samples: bytes) -> str:
    """Say something, hear the whole answer, and return its text."""
    before, said = len(caller.frames), len(caller.said())
    await caller.say(samples)
    at, _ = await caller.until("transcript", before)
    await caller.until("replied", before)
    await caller.until_sound(at)
    await caller.until_silent()
    return caller.said()[said:]


def thread(agent: httpx.Client, session_words: str) -> dict[str, Any]:
    """The newest voice conversation as an agent reads it."""
    found = agent.get("/api/v1/console/conversations", params={"channel": "voice"}).json()["data"]
    for one in found:
        data = agent.get(f"/api/v1/console/conversations/{one['id']}").json()["data"]
        if any(session_words in message["content"] for message in data["messages"]):
            return dict(data)
    raise AssertionError(f"no call says {session_words!r}")


async def test_m14_a_call_is_announced_asks_and_answers(server: Server, voices: Voices) -> None:
    async with calling(server.base_url, language="fr") as caller:
        await listen_to_announcement(caller)
        announced = caller.said()
        assert announced.startswith("Bonjour, vous êtes en communication avec l’assistant virtuel")
        assert "cet appel peut être enregistré et transcrit" in announced
        assert announced.endswith("L’acceptez-vous ?")
        await caller.say(voices["no"])
        at, told = await caller.until("recording")
        assert told["recording"] is False
        await caller.until_sound(at)
        await caller.until_silent()
        answer = await ask(caller, voices["delivery"])
        assert "jours ouvrés" in answer
        assert "http" not in answer
        assert "assistant virtuel" not in answer
        await caller.send(type="hang_up")
        assert (await caller.until("ended"))[1]["reason"] == "caller"
        timings = (await caller.until("timings"))[1]
    assert timings["first_audio_ms"] >= timings["first_token_ms"] >= timings["transcript_ms"] > 0
    sequences = [heard.sequence for heard in caller.heard]
    assert sequences == list(range(1, len(sequences) + 1))
    assert caller.closed == (1000, "caller")


async def test_m14_speech_over_the_voice_silences_it_and_cuts_what_is_stored(
    server: Server, agent: httpx.Client, voices: Voices
) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await listen_to_announcement(caller)
        before = len(caller.frames)
        await caller.say(voices["warranty"])
        await caller.until_sound((await caller.until("transcript", before))[0])
        await asyncio.sleep(1.5)
        before = len(caller.frames)
        await caller.say(voices["wait"])
        await caller.until("transcript", before)
        timings = (await caller.until("timings", before))[1]
        assert timings["interrupted"] is True
        assert timings["barge_in_ms"] > 0
        await caller.until("replied", before)
        await caller.send(type="hang_up")
        await caller.until("ended")
    data = await asyncio.to_thread(thread, agent, "Attendez")
    cut = next(one for one in data["messages"] if one["role"] == "assistant")
    assert cut["content"].endswith("…")
    assert 0 < len(cut["content"]) < 200
    assert data["calls"][0]["turns"][0]["interrupted"] is True
    assert data["calls"][0]["turns"][0]["message_id"] == cut["id"]
    assert data["calls"][0]["recording"] is None


async def test_m14_the_voice_is_silent_within_300_milliseconds(
    server: Server, voices: Voices
) -> None:
    # A machine that is busy with other things gets further chances.
    for _ in range(5):
        async with calling(server.base_url, language="fr", recording=False) as caller:
            await caller.until_sound(0)
            await asyncio.sleep(1.0)
            speaking = asyncio.create_task(caller.say(voices["wait"]))
            silenced, _ = await caller.until("clear")
            await speaking
        if silenced - caller.began_speaking <= 0.3:
            return
    pytest.fail("the voice went on over the caller's five times")


async def test_m14_a_recording_is_kept_where_the_caller_agrees_aloud(
    server: Server, agent: httpx.Client, voices: Voices
) -> None:
    async with calling(server.base_url, language="fr") as caller:
        await listen_to_announcement(caller)
        await caller.say(voices["yes"])
        at, told = await caller.until("recording")
        assert told["recording"] is True
        await caller.until_sound(at)
        await caller.until_silent()
        await caller.say(voices["person"])
        ticket = (await caller.until("handoff"))[1]["ticket_id"]
        await caller.until("replied")
        await caller.send(type="hang_up")
        await caller.until("ended")
    data = await asyncio.to_thread(thread, agent, "parler à un conseiller")
    assert data["tickets"][0]["ticket_id"] == ticket
    call = data["calls"][0]
    assert (call["ticket_id"], call["end_reason"]) == (ticket, "caller")
    played = await asyncio.to_thread(agent.get, call["recording"]["url"])
    assert played.status_code == 200
    with wave.open(BytesIO(played.content)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
        samples = sound.readframes(sound.getnframes())
    assert seconds == pytest.approx(call["recording"]["duration_seconds"], abs=0.1)
    assert seconds > 2
    assert len(trimmed(samples, loudness=1_000)) > SECOND
    altered = call["recording"]["url"].replace("signature=", "signature=0")
    assert (await asyncio.to_thread(agent.get, altered)).status_code == 404
    shown = await asyncio.to_thread(agent.get, f"/api/tickets/{ticket}")
    assert "Je veux parler à un conseiller" in shown.json()["ticket"]["description"]


async def test_m14_keys_are_heard_as_what_they_mean(server: Server, voices: Voices) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await caller.until_sound(0)
        before = len(caller.frames)
        # Whoever presses a key does not want to hear the rest.
        for key in "2026000101#":
            await caller.send(type="dtmf", key=key)
        assert (await caller.until("transcript", before))[1]["text"] == "CMD-2026-000101"
        await caller.until("replied", before)


async def test_m14_a_caller_who_trails_off_is_not_cut_off(server: Server, voices: Voices) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await listen_to_announcement(caller)
        before = len(caller.frames)
        await caller.say(voices["trailing"])
        await asyncio.sleep(1.0)
        await caller.say(voices["rest"])
        text = (await caller.until("transcript", before))[1]["text"].lower()
        assert "savoir" in text
        assert "livr" in text


async def test_m14_words_are_captioned_while_they_are_said(server: Server, voices: Voices) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await listen_to_announcement(caller)
        early: list[str] = []
        # A machine that is slow rests from guessing for a quarter of a minute.
        for _ in range(5):
            before = len(caller.frames)
            await caller.say(voices["breathless"])
            told = [one for at, one in caller.frames[before:] if at < caller.ended_speaking]
            early = [one["text"] for one in told if one["type"] == "partial" and one["text"]]
            text = (await caller.until("transcript", before))[1]["text"]
            if early:
                break
            await caller.until("replied", before)
            await caller.until_silent()
            await asyncio.sleep(REST_SECONDS)
        assert early
        # It grows towards what was said, which is more than what was guessed first.
        assert len(early[0]) < len(text)
        assert "canapé" in text


async def test_m14_an_agent_who_takes_over_is_read_to_the_caller(
    server: Server, agent: httpx.Client, voices: Voices
) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await listen_to_announcement(caller)
        await caller.say(voices["warranty"])
        message = (await caller.until("replied"))[1]["message_id"]
        data = await asyncio.to_thread(thread, agent, "garantie")
        assert message in {one["id"] for one in data["messages"]}
        path = f"/api/v1/console/conversations/{data['conversation']['id']}"
        (await asyncio.to_thread(agent.post, f"{path}/take")).raise_for_status()
        reply = {"message": "Je prends votre appel.", "client_message_id": message}
        (await asyncio.to_thread(agent.post, f"{path}/reply", json=reply)).raise_for_status()
        async with asyncio.timeout(60):
            while "Je prends votre appel." not in caller.said():
                await caller.until("speaking", len(caller.frames))
        (await asyncio.to_thread(agent.post, f"{path}/hand_back")).raise_for_status()


async def test_m14_a_goodbye_ends_the_call(server: Server, voices: Voices) -> None:
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await listen_to_announcement(caller)
        await caller.say(voices["goodbye"])
        assert (await caller.until("ended"))[1]["reason"] == "goodbye"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", 1007),
        ('{"type": "start", "format": "mp3"}', 1007),
        ('{"type": "start", "volume": 11}', 1007),
        ('{"type": "dtmf", "key": "1"}', 4401),
        ('{"type": "start", "token": "forged"}', 4401),
        ('{"type": "start", "organization": "pk_unknown"}', 4401),
        (b"\0\0", 1003),
    ],
)
async def test_m14_a_wrong_first_frame_closes_with_its_reason(
    server: Server, sent: str | bytes, code: int
) -> None:
    address = server.base_url.replace("http", "ws", 1) + "/api/voice/call"
    async with connect(address, proxy=None) as socket:
        await socket.send(sent)
        error = json.loads(await socket.recv())
        assert error["type"] == "error"
        assert error["detail"]
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code
        assert socket.close_reason


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\0\0\0", 1007),
        (b"\0" * 70_000, 1009),
        ('{"type": "start"}', 1003),
        ('{"type": "played", "sequence": -1}', 1007),
    ],
)
async def test_m14_a_wrong_frame_ends_the_call_with_its_reason(
    server: Server, sent: str | bytes, code: int
) -> None:
    async with calling(server.base_url, recording=False) as caller:
        await caller.until("ready")
        await caller.connection.send(sent)
        await caller.connection.wait_closed()
    assert caller.connection.close_code == code


async def test_m14_sound_faster_than_time_is_refused(server: Server) -> None:
    async with calling(server.base_url, recording=False) as caller:
        await caller.until("ready")
        with suppress(ConnectionClosed):
            for _ in range(200):
                await caller.connection.send(bytes(32_000))
        await caller.connection.wait_closed()
    assert caller.connection.close_code == 1008


async def test_m14_pages_of_other_origins_cannot_call(server: Server) -> None:
    address = server.base_url.replace("http", "ws", 1) + "/api/voice/call"
    headers = {"Origin": "https://elsewhere.example"}
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 403
