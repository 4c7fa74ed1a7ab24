"""The voice of a call: sentences become sound while earlier ones are played, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from channels.voice.line import Line
from channels.voice.reel import BYTES_A_MILLISECOND, Reel
from core.errors import SupportError
from core.providers.speech import TextToSpeech
from core.telemetry import logger

TICK_SECONDS = 0.01
# How much the other side holds that it has not played: late frames leave no gap.
LEAD_MILLISECONDS = 1_000
# A side that tells what it has played and falls silent is not waited for longer than this.
PATIENCE_MILLISECONDS = 1_500

_log = logger("channels.voice")


class Saying:
    """One reply: sentences are handed in as they come, and ended."""

    def __init__(self) -> None:
        self.reel = Reel()
        # Text, language, and whether it is an aside; None ends the reply.
        self.waiting: asyncio.Queue[tuple[str, str, bool] | None] = asyncio.Queue()
        self.is_made = False
        self.is_over = False
        self.over = asyncio.Event()
        # By the clock, in bytes: what has been played since it was sent.
        self.clock = 0.0

    def say(self, text: str, language: str, is_aside: bool = False) -> None:
        """Say this behind what was handed in before; an aside is no part of the reply."""
        if text.strip() and not self.is_over:
            self.waiting.put_nowait((text, language, is_aside))

    def finish(self) -> None:
        """Nothing more comes."""
        self.waiting.put_nowait(None)

    def end(self) -> None:
        """Nothing of it is said any more."""
        self.is_over = True
        self.over.set()
        self.waiting.put_nowait(None)


class Voice:
    """Says one thing at a time; what it says can be paused, taken up again and stopped."""

    def __init__(
        self,
        line: Line,
        engine: TextToSpeech,
        voice: str,
        pronounce: Callable[[str, str], str],
        on_sound: Callable[[bytes], None],
    ) -> None:
        self._line = line
        self._engine = engine
        self._voice = voice
        self._pronounce = pronounce
        self._on_sound = on_sound
        self._saying: Saying | None = None
        self._making: set[asyncio.Task[None]] = set()
        self._sequence = 0
        self._told = 0
        self._is_acknowledged = False
        self.is_paused = False
        # Called once, when the first sound of a reply leaves.
        self.on_first_sound: Callable[[], None] | None = None
        # Called when sound that was sent is let go.
        self.on_clear: Callable[[], None] = lambda: None

    @property
    def saying(self) -> Saying | None:
        """What is being said, or waits to be; None in silence."""
        return self._saying

    @property
    def is_audible(self) -> bool:
        """Whether the caller hears something now."""
        return (
            self._saying is not None
            and not self.is_paused
            and self._saying.reel.sent > self._saying.reel.played
        )

    def begin(self) -> Saying:
        """Begin a reply; one that is being said goes on to its end first only if it is silent."""
        saying = Saying()
        self._drop()
        self._saying = saying
        self.is_paused = False
        self._told = 0
        making = asyncio.create_task(self._make(saying), name="voice")
        # Not cancelled with its reply: an engine that is left in the middle has to start anew.
        self._making.add(making)
        making.add_done_callback(self._making.discard)
        return saying

    def asks(self) -> bool:
        """Whether what is heard now is the question that ends the reply."""
        saying = self._saying
        if saying is None or not saying.is_made:
            return False
        sentence = saying.reel.speaking()
        return (
            sentence is not None
            and saying.reel.is_last(sentence)
            and sentence.text.rstrip().endswith("?")
        )

    def heard(self, sequence: int) -> None:
        """The other side has played this frame."""
        self._is_acknowledged = True
        if self._saying is not None:
            self._saying.reel.heard(sequence)

    async def pause(self) -> None:
        """Fall silent at once; `go_on` takes up where the caller heard it last."""
        if self._saying is None or self.is_paused:
            return
        self.is_paused = True
        self._saying.reel.rewind()
        self._saying.clock = self._saying.reel.sent
        await self._clear()

    def go_on(self) -> None:
        self.is_paused = False

    async def stop(self) -> str:
        """Fall silent for good; returns the words that were heard."""
        saying = self._saying
        if saying is None:
            return ""
        heard = saying.reel.heard_text()
        if not self.is_paused:
            await self._clear()
        self._drop()
        return heard

    async def _clear(self) -> None:
        self.on_clear()
        await self._line.clear()

    def _drop(self) -> None:
        if self._saying is not None:
            self._saying.end()
        self._saying = None
        self.is_paused = False

    async def until_silent(self) -> None:
        """Wait until everything was said."""
        saying = self._saying
        if saying is not None:
            await saying.over.wait()

    async def run(self) -> None:
        """Send sound at the pace at which it is played, until cancelled."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        try:
            while True:
                await asyncio.sleep(TICK_SECONDS)
                now = loop.time()
                saying = self._saying
                if saying is not None and not self.is_paused:
                    await self._send(saying, (now - before) * 1_000)
                before = now
        finally:
            self._drop()

    async def _send(self, saying: Saying, elapsed_milliseconds: float) -> None:
        reel = saying.reel
        elapsed = elapsed_milliseconds * BYTES_A_MILLISECOND
        saying.clock += elapsed
        if saying.clock > reel.sent and not saying.is_made:
            # Nothing was there to be played: time stands still until there is.
            saying.clock = reel.sent
        if not self._is_acknowledged:
            reel.heard_until(int(saying.clock))
        size = self._line.frame_milliseconds * BYTES_A_MILLISECOND
        while (
            self._saying is saying
            and reel.unsent
            and (reel.unsent >= size or saying.is_made)
            and reel.sent - saying.clock < LEAD_MILLISECONDS * BYTES_A_MILLISECOND
        ):
            await self._send_frame(saying, size)
        if saying.is_made and not reel.unsent and self._is_played(saying):
            if self._saying is saying:
                self._drop()

    async def _send_frame(self, saying: Saying, size: int) -> None:
        reel = saying.reel
        await self._announce(saying)
        self._sequence += 1
        frame = reel.next_frame(self._sequence, size)
        if self.on_first_sound is not None:
            self.on_first_sound()
            self.on_first_sound = None
        self._on_sound(frame)
        await self._line.send_sound(self._sequence, frame)

    async def _announce(self, saying: Saying) -> None:
        """Tell which sentence the next frame belongs to: captions follow the voice."""
        sentences = saying.reel.sentences
        while self._told < len(sentences) and sentences[self._told].start <= saying.reel.sent:
            text = sentences[self._told].text
            self._told += 1
            await self._line.tell("speaking", text=text, first_frame=self._sequence + 1)

    def _is_played(self, saying: Saying) -> bool:
        reel = saying.reel
        if reel.played >= reel.length:
            return True
        late = saying.clock - reel.length
        return late >= (PATIENCE_MILLISECONDS * BYTES_A_MILLISECOND if self._is_acknowledged else 0)

    async def _make(self, saying: Saying) -> None:
        """Make sound of the sentences as they come."""
        while (one := await saying.waiting.get()) is not None and not saying.is_over:
            text, language, is_aside = one
            saying.reel.begin(text, is_aside)
            try:
                said = self._pronounce(text, language)
                async for sound in self._engine.speak(said, voice=self._voice, language=language):
                    saying.reel.add(sound.samples)
            except SupportError as error:
                _log.warning("sentence_not_said", error=error.code)
            saying.reel.end()
        saying.is_made = True
