"""How well and how fast are recordings heard? Word errors, intents and seconds, by condition.

    scripts/bench voice_files [--messages 60] [--folder FOLDER]

Messages of tests/evaluation are read by Pico at several pitches and speeds, then disturbed. A
FOLDER of recordings holds `transcripts.json`: a list of {"file", "language", "text"}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
import yaml
from scipy.signal import butter, resample_poly, sosfilt

from api.assemble import open_product
from api.seed import SAMPLE_SHOP, seed
from bot.understanding.understand import Interpreter
from channels.voice.audio import decode_recording
from channels.voice.heard import mended
from channels.voice.reading import read_aloud
from core.providers.speech import Sound
from core.providers.speech.voices import VOICES
from core.runtime import Runtime
from core.settings import Settings
from scripts.benchmarks.word_errors import normalised, word_errors
from services.accounts.organizations import active_organizations

MESSAGES = Path(__file__).resolve().parents[2] / "tests" / "evaluation" / "messages" / "fr.yaml"
NOISES_DECIBELS = {"noise 25 dB": 25, "noise 20 dB": 20, "noise 15 dB": 15}
CONDITIONS = ("clean", *NOISES_DECIBELS, "telephone")


@dataclass
class Figures:
    """What one condition came to."""

    words: int = 0
    errors_before: int = 0
    errors: int = 0
    messages: int = 0
    same_intents: int = 0
    seconds: float = 0.0

    def line(self, name: str) -> str:
        return (
            f"{name:14} {self.messages:4} messages  word errors {self.errors / self.words:6.1%} "
            f"(unmended {self.errors_before / self.words:6.1%})  "
            f"same intent {self.same_intents / self.messages:6.1%}  "
            f"{self.seconds / self.messages:.2f} s each"
        )


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=60)
    options.add_argument("--folder", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(Path(folder), chosen.messages, chosen.folder))


async def _run(data_dir: Path, count: int, folder: Path | None) -> None:
    async with open_product(Settings(data_dir=data_dir, log_level="error")) as runtime:
        await seed(runtime, SAMPLE_SHOP)
        await runtime.speech_to_text.warm()
        if folder is not None:
            for language in ("fr", "en"):
                print(await _folder(runtime, folder, language))
        texts = _texts(count)
        sounds = [await _spoken(runtime, text, number) for number, text in enumerate(texts)]
        for condition in CONDITIONS:
            figures = Figures()
            for text, sound in zip(texts, sounds, strict=True):
                await _measure(runtime, figures, text, _disturbed(sound, condition), "fr")
            print(figures.line(condition))


async def _folder(runtime: Runtime, folder: Path, language: str) -> str:
    figures = Figures()
    for entry in json.loads((folder / "transcripts.json").read_text("utf-8")):
        if entry["language"] == language:
            sound = await decode_recording(runtime, (folder / entry["file"]).read_bytes(), "")
            await _measure(runtime, figures, entry["text"], sound, language)
    return figures.line(f"{folder.name} {language}")


async def _measure(
    runtime: Runtime, figures: Figures, text: str, sound: Sound, language: str
) -> None:
    organization_id = (await active_organizations(runtime.database))[0].id
    began = time.perf_counter()
    heard = await runtime.speech_to_text.transcribe(sound, language=language)
    right = await mended(runtime, organization_id, heard)
    figures.seconds += time.perf_counter() - began
    said = normalised(text, language)
    figures.words += len(said)
    figures.errors_before += word_errors(said, normalised(heard.text, language))
    figures.errors += word_errors(said, normalised(right.text, language))
    figures.messages += 1
    interpreter = runtime.part(Interpreter)
    meant = await interpreter.understand(text, language, organization_id)
    understood = await interpreter.understand(right.text, language, organization_id)
    figures.same_intents += meant.intent == understood.intent


def _texts(count: int) -> list[str]:
    """Messages that can be spoken: sentences without the spelling of text messages."""
    by_intent = yaml.safe_load(MESSAGES.read_text("utf-8"))
    found = [text for texts in by_intent.values() for text in texts if _is_speakable(text)]
    random.Random(11).shuffle(found)  # noqa: S311  the same messages each time
    return found[:count]


def _is_speakable(text: str) -> bool:
    return 3 <= len(text.split()) <= 14 and text[0].isupper() and re.search(r"\d{4}", text) is None


async def _spoken(runtime: Runtime, text: str, number: int) -> Sound:
    voice = VOICES[number % len(VOICES)]
    parts = read_aloud(runtime, text, voice=voice, language="fr")
    return Sound(b"".join([one.samples async for one in parts]))


def _disturbed(sound: Sound, condition: str) -> Sound:
    values = numpy.frombuffer(sound.samples, "<i2").astype(numpy.float32) / 32768
    if condition in NOISES_DECIBELS:
        level = numpy.sqrt((values**2).mean()) * 10 ** (-NOISES_DECIBELS[condition] / 20)
        values = values + numpy.random.default_rng(3).standard_normal(len(values)) * level
    elif condition == "telephone":
        values = _by_telephone(values)
    return Sound((numpy.clip(values, -1, 1) * 32767).astype("<i2").tobytes())


def _by_telephone(values: numpy.ndarray) -> numpy.ndarray:  # type: ignore[type-arg]
    """300 to 3,400 Hz, 8 kHz, 8-bit mu-law."""
    band = sosfilt(butter(6, [300, 3400], "bandpass", fs=16_000, output="sos"), values)
    narrow = numpy.clip(resample_poly(band, 1, 2), -1, 1)
    coded = numpy.sign(narrow) * numpy.log1p(255 * numpy.abs(narrow)) / numpy.log(256)
    coded = numpy.round(coded * 127) / 127
    decoded = numpy.sign(coded) * (256 ** numpy.abs(coded) - 1) / 255
    return numpy.asarray(resample_poly(decoded, 2, 1), dtype=numpy.float32)


if __name__ == "__main__":
    main()
