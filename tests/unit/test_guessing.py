"""Guesses at what is being said: when one is made, and which are told."""

from __future__ import annotations

import asyncio

import pytest

from channels.voice.guessing import NEW_MILLISECONDS, Guessing
from channels.voice.hearing import WINDOW_BYTES, WINDOW_MILLISECONDS, Ear
from core.errors import SpeechBusy
from core.providers.speech import Sound, Transcript

pytestmark = pytest.mark.anyio

SECOND_OF_WINDOWS = NEW_MILLISECONDS // WINDOW_MILLISECONDS + 1


class Recogniser:
    """Guesses how many windows it was given; waits until it may answer, or fails."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fails = False
        self.has_time = True

    async def guess(self, sound: Sound, language: str | None) -> Transcript | None:
        self.asked.append(len(sound.samples) // WINDOW_BYTES)
        await self.may_answer.wait()
        if self.fails:
            raise SpeechBusy("Too many.", 5)
        return Transcript(f"{len(self.asked)}.", "fr", 0.9) if self.has_time else None


def speak(ear: Ear, windows: int = SECOND_OF_WINDOWS, probability: float = 1.0) -> None:
    for _ in range(windows):
        ear.listen(bytes(WINDOW_BYTES), probability)


async def settled() -> None:
    """Let everything that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_that_a_guess_is_made_for_every_second_of_speech() -> None:
    recogniser, ear = Recogniser(), Ear()
    guessing = Guessing(recogniser.guess)
    told = []
    for _ in range(90):
        speak(ear, 1)
        told.append(guessing.look(ear, "fr"))
        await settled()
    assert len(recogniser.asked) == 90 * WINDOW_MILLISECONDS // NEW_MILLISECONDS
    assert [text for text in told if text] == ["1.", "2."]


async def test_that_silence_begins_no_guess() -> None:
    recogniser, ear = Recogniser(), Ear()
    guessing = Guessing(recogniser.guess)
    speak(ear)
    speak(ear, 1, probability=0.0)
    guessing.look(ear, "fr")
    await settled()
    assert recogniser.asked == []


async def test_that_one_guess_is_made_at_a_time() -> None:
    recogniser, ear = Recogniser(), Ear()
    recogniser.may_answer.clear()
    guessing = Guessing(recogniser.guess)
    for _ in range(4):
        speak(ear)
        assert guessing.look(ear, "fr") == ""
        await settled()
    assert len(recogniser.asked) == 1
    recogniser.may_answer.set()
    await settled()
    assert guessing.look(ear, "fr") == "1."
    await guessing.close()


@pytest.mark.parametrize("is_over", [True, False])
async def test_that_a_guess_which_is_overtaken_is_not_told(is_over: bool) -> None:
    recogniser, ear = Recogniser(), Ear()
    recogniser.may_answer.clear()
    guessing = Guessing(recogniser.guess)
    speak(ear)
    guessing.look(ear, "fr")
    await settled()
    if is_over:
        guessing.forget()
        ear.close()
    else:
        guessing.know(ear.voice_milliseconds)
    recogniser.may_answer.set()
    await settled()
    assert guessing.look(ear, "fr") == ""


async def test_that_what_is_decoded_in_earnest_is_not_guessed_again() -> None:
    recogniser, ear = Recogniser(), Ear()
    guessing = Guessing(recogniser.guess)
    speak(ear)
    guessing.know(ear.voice_milliseconds)
    guessing.look(ear, "fr")
    await settled()
    assert recogniser.asked == []


@pytest.mark.parametrize("fails", [True, False])
async def test_that_no_guess_is_no_error(fails: bool) -> None:
    recogniser, ear = Recogniser(), Ear()
    recogniser.fails, recogniser.has_time = fails, False
    guessing = Guessing(recogniser.guess)
    speak(ear)
    guessing.look(ear, "fr")
    await settled()
    assert guessing.look(ear, "fr") == ""
    await guessing.close()
