"""One call from its announcement to its end: what is asked first, and when it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Literal
from uuid import UUID

from bot.assistant import Assistant
from channels.voice.agents import AgentMessages
from channels.voice.answering import Answered, Caller, Turn, leave_ticket
from channels.voice.consent import RecordingConsent
from channels.voice.floor import Floor, Interruption, NotHeard, Utterance
from channels.voice.guessing import Guess
from channels.voice.keypad import Keypad
from channels.voice.ledger import Stopwatch, enter
from channels.voice.line import Line
from channels.voice.recording import Recorder, keep
from channels.voice.saying import Telling, call_phrase
from channels.voice.speaking import Voice
from core.errors import SupportError
from core.providers.speech import Sound, Transcript
from core.providers.voice_activity import VoiceActivity
from core.runtime import Runtime
from core.telemetry import logger
from services.conversations.calls import Carrier, NewCall, change_call, open_call

TICK_SECONDS = 0.02
# Who is told that the time is over may still speak for so long.
FAREWELL_SECONDS = 15.0
# Silence of both after which the caller is asked whether they are there; then it ends.
SILENCE_SECONDS = 8.0
SILENCE_PROMPTS = ("are_you_there", "still_there")

EndReason = Literal[
    "caller", "goodbye", "silence", "length", "transferred", "failed", "restart", "lost"
]

_log = logger("channels.voice")


@dataclass(frozen=True)
class Opening:
    """How a call begins. `recording` None: the caller is asked whether it may be recorded."""

    caller: Caller
    carrier: Carrier
    language: str | None = None
    recording: bool | None = None
    voice: str = "alloy"
    carrier_call_id: str | None = None
    # Where callers who want a person are put through to; None: nobody is put through.
    transfers: bool = False


class Call:
    """A call in progress. Sound, keys and acknowledgements come in at any time; `run` holds it."""

    def __init__(
        self,
        runtime: Runtime,
        line: Line,
        activity: VoiceActivity,
        opening: Opening,
        transcribe: Callable[[Sound, str | None], Awaitable[Transcript]],
        pronounce: Callable[[str, str], str],
        guess: Guess,
    ) -> None:
        self._runtime = runtime
        self._line = line
        self._opening = opening
        self._principal = opening.caller.principal
        self.language = opening.language or "fr"
        self.recorder = Recorder()
        self.voice = Voice(
            line, runtime.text_to_speech, opening.voice, pronounce, self.recorder.voice
        )
        self.voice.on_clear = self.recorder.clear
        self.floor = Floor(
            activity, transcribe, self.voice, self.recorder.caller, line.longest_gap_seconds, guess
        )
        self.floor.language = opening.language
        self.floor.on_interruption = self._on_interruption
        self.keypad = Keypad()
        self.id: UUID | None = None
        self._turn: Turn | None = None
        self._answering: asyncio.Task[None] | None = None
        self._cutting: asyncio.Task[None] | None = None
        self._stopwatch: Stopwatch | None = None
        self._entering: set[asyncio.Task[None]] = set()
        self._positions = 0
        self._consent = RecordingConsent(runtime, self._principal, self.recorder, opening.recording)
        self._agents = AgentMessages(runtime, opening.caller)
        self._idle_since: float | None = None
        self._prompts = 0
        self._ending: EndReason | None = None
        self._told_partial = ""
        self._conversation_id: UUID | None = None
        self.ticket_number: str | None = None
        self.end_reason: EndReason | None = None

    # What comes in.

    def hear(self, samples: bytes) -> None:
        """The caller's next sound, 16 kHz; raises TooMuchSound."""
        self.floor.put(samples)

    def played(self, sequence: int) -> None:
        """The other side has played a frame."""
        self.voice.heard(sequence)

    def press(self, key: str) -> None:
        """A key of the keypad."""
        self.keypad.press(key, time.monotonic())

    def hang_up(self, reason: EndReason) -> None:
        """The line is gone, or has to be closed now."""
        self.end_reason = self.end_reason or reason

    # What goes on.

    async def run(self, longest_seconds: float) -> EndReason:
        """Hold the call until it ends; returns why. What was said is stored in any case."""
        await self._open()
        until = time.monotonic() + longest_seconds
        speaking = asyncio.create_task(self.voice.run(), name="voice")
        try:
            await self._announce()
            while self.end_reason is None:
                await asyncio.sleep(TICK_SECONDS)
                await self._step(time.monotonic(), until)
                if speaking.done():
                    speaking.result()
        except NotHeard:
            await self._say_last("no_speech")
            self.end_reason = "failed"
        finally:
            self.end_reason = self.end_reason or "lost"
            speaking.cancel()
            await self._close()
        return self.end_reason

    async def _open(self) -> None:
        new = NewCall(
            self._principal.actor,
            self._opening.carrier,
            self.language,
            self._opening.carrier_call_id,
        )
        organization_id = self._principal.organization_id
        async with self._runtime.database.transaction(organization_id) as transaction:
            self.id = await open_call(transaction, new, self._runtime.clock())
        await self._consent.open(self.language)
        await self._agents.open()

    async def _announce(self) -> None:
        """Say first that this is an assistant, then ask about the recording."""
        keys = ["announcement"]
        if self.recorder.is_on:
            keys.append("recorded")
        keys.append("ask_consent" if self._consent.is_asked else "how_can_i_help")
        await self._line.tell("ready", call_id=str(self.id), recording=self.recorder.is_on)
        self._say(*keys)

    def _say(self, *keys: str) -> None:
        """Say phrases, a sentence at a time: a question must stand alone to be answered."""
        shop = self._runtime.part(Assistant).shop_name
        self._say_text(" ".join(call_phrase(self.language, key, shop=shop) for key in keys))

    def _say_text(self, text: str) -> None:
        saying = self.voice.begin()
        shop = self._runtime.part(Assistant).shop_name
        for sentence in Telling(self.language, shop).tell(text):
            saying.say(sentence, self.language)
        saying.finish()

    async def _step(self, now: float, until: float) -> None:
        """One moment: what was heard, what was pressed, what has been waited for too long."""
        utterance = await self.floor.step()
        await self._tell_partial()
        pressed = self.keypad.take(now)
        if self.keypad.is_open and self.voice.saying is not None:
            self.floor.on_interruption(Interruption(await self.voice.stop()))
        if pressed is not None:
            utterance = Utterance(self._meant_by_keys(pressed), self.language, 0, now)
        if utterance is not None:
            await self._take(utterance)
        if now >= until + FAREWELL_SECONDS:
            self.hang_up("length")
        elif now >= until and self._ending is None:
            self._end_with("time_over", "length")
        if self._is_idle():
            self._idle_since = self._idle_since or now
            await self._wait_in_silence(now - self._idle_since)
        else:
            self._idle_since = None

    def _meant_by_keys(self, keys: str) -> str:
        """What a key means here: 0 a person, 1 and 2 yes and no to the recording."""
        key = {"1": "yes", "2": "no"}.get(keys) if self._consent.is_asked else None
        if keys == "0":
            key = "agent_request"
        return call_phrase(self.language, key) if key else keys

    async def _tell_partial(self) -> None:
        if self.floor.partial != self._told_partial:
            self._told_partial = self.floor.partial
            # Nothing takes back a guess that was none: noise, or an answer that is no turn.
            await self._line.tell("partial", text=self._told_partial)

    def _is_idle(self) -> bool:
        answering = self._answering is not None and not self._answering.done()
        speaks = self.voice.saying is not None
        return not answering and not speaks and self.floor.is_quiet and not self.keypad.is_open

    async def _wait_in_silence(self, seconds: float) -> None:
        """Nobody speaks: enter the turn that is over, end the call, or ask who is there."""
        self._enter_turn()
        written = self._agents.take()
        if written is not None:
            self._prompts = 0
            self._say_text(written)
        elif self._ending is not None:
            self.end_reason = self._ending
        elif seconds < SILENCE_SECONDS:
            return
        elif self._prompts < len(SILENCE_PROMPTS):
            self._say(SILENCE_PROMPTS[self._prompts])
            self._prompts += 1
        else:
            self._end_with("goodbye_silence", "silence")

    def _end_with(self, key: str, reason: EndReason) -> None:
        """Say this and hang up."""
        self._ending = reason
        self._say(key)

    async def _say_last(self, key: str) -> None:
        """Say one more thing while nobody is listened to."""
        self._say(key)
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self.voice.until_silent()

    # Turns.

    def _on_interruption(self, interruption: Interruption) -> None:
        """The caller spoke over the voice: the turn is over, and cut where they heard it."""
        turn, stopwatch = self._turn, self._stopwatch
        if stopwatch is not None:
            stopwatch.barge_in_ms = interruption.barge_in_ms
            stopwatch.interrupted = True
        if turn is not None and stopwatch is not None:
            self._cutting = asyncio.create_task(turn.cut(interruption.heard), name="cut")
        self._enter_turn()
        self._ending = None

    async def _take(self, utterance: Utterance) -> None:
        """Do what the caller wants."""
        self._prompts = 0
        if not utterance.text:
            self._say("not_understood")
            return
        self._settle_language(utterance)
        text = utterance.text
        if self._consent.is_asked:
            text = await self._take_consent(text)
            if not text:
                return
        self._enter_turn()
        self._positions += 1
        self._stopwatch = Stopwatch(self._positions, utterance.speech_ms, utterance.ended_at)
        self._stopwatch.recording_ms = self.recorder.place_of(
            utterance.ended_at, utterance.speech_ms
        )
        self._stopwatch.transcribed()
        await self._line.tell("transcript", text=text, language=self.language)
        before = self._answering
        turn = Turn(self._runtime, self._opening.caller, self.voice, self.language, self._stopwatch)
        self._turn = turn
        self._answering = asyncio.create_task(self._answer(turn, text, before), name="turn")

    async def _take_consent(self, text: str) -> str:
        """Take an answer to the question about recording; returns what else was said."""
        taken = await self._consent.take(text, self.language)
        if taken.answer is not None:
            await self._line.tell("recording", recording=self.recorder.is_on)
            if not taken.rest:
                self._say("consent_given" if taken.answer == "yes" else "consent_refused")
        return taken.rest

    def _settle_language(self, utterance: Utterance) -> None:
        """The language of the first words that were understood is that of the call."""
        if self.floor.language is None:
            self.language = self.floor.language = utterance.language

    async def _answer(self, turn: Turn, text: str, before: asyncio.Task[None] | None) -> None:
        if self._cutting is not None:
            await self._cutting
            self._cutting = None
        answered = await turn.run(text)
        self.language = turn.language
        await self._after(turn, answered)
        turn.finish()
        await self._line.tell("replied", message_id=str(answered.message_id), owner=answered.owner)

    async def _after(self, turn: Turn, answered: Answered) -> None:
        """What a reply entails: the call's conversation, a ticket for a person, its end."""
        if answered.conversation_id is not None and self._conversation_id is None:
            self._conversation_id = answered.conversation_id
            await self._change(conversation_id=answered.conversation_id)
        if answered.handoff is not None and self._turn is turn:
            await self._hand_over(turn, answered)
        if answered.says_goodbye and self._turn is turn:
            self._ending = "goodbye"

    async def _hand_over(self, turn: Turn, answered: Answered) -> None:
        """A person is wanted: leave a ticket with the transcript, put through where that can be."""
        if self.ticket_number is None and answered.conversation_id and self.id is not None:
            self.ticket_number = await leave_ticket(
                self._runtime,
                self._opening.caller,
                answered.conversation_id,
                self.id,
                self.language,
            )
            if self.ticket_number is not None:
                await self._change(ticket_number=self.ticket_number)
                turn.say(call_phrase(self.language, "ticket_left", number=self.ticket_number))
                await self._line.tell("handoff", ticket_id=self.ticket_number)
        if self._opening.transfers and (answered.handoff or {}).get("is_open"):
            turn.say(call_phrase(self.language, "transfer"))
            self._ending = "transferred"

    def _enter_turn(self) -> None:
        """The turn is over: enter its times into the ledger."""
        stopwatch, self._stopwatch = self._stopwatch, None
        if stopwatch is None or self.id is None:
            return
        task = asyncio.create_task(self._enter(stopwatch), name="ledger")
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _enter(self, stopwatch: Stopwatch) -> None:
        if self.id is None:
            return
        try:
            times = await enter(self._runtime, self._principal.organization_id, self.id, stopwatch)
        except SupportError as error:
            _log.warning("turn_not_entered", error=error.code)
            return
        told = {name: value for name, value in asdict(times).items() if name != "message_id"}
        await self._line.tell("timings", **told)

    # The end.

    async def _change(self, **values: object) -> None:
        if self.id is None:
            return
        async with self._runtime.database.transaction(
            self._principal.organization_id
        ) as transaction:
            await change_call(transaction, self.id, **values)

    async def _close(self) -> None:
        """Store what is left to store; a reply that is still being made is finished by itself."""
        await self.floor.close()
        await self._agents.close()
        if self.voice.saying is not None and self._stopwatch is not None:
            self._on_interruption(Interruption(await self.voice.stop()))
        self._enter_turn()
        waiting = [task for task in (self._answering, self._cutting, *self._entering) if task]
        await asyncio.gather(*waiting, return_exceptions=True)
        if self.id is not None:
            await keep(self._runtime, self._principal, self.id, self.recorder)
        await self._change(
            ended_at=self._runtime.clock(), end_reason=self.end_reason, language=self.language
        )
        await self._line.tell("ended", reason=self.end_reason)
        await self._line.end(self.end_reason or "lost")
