"""How fast are callers answered? Synthesised callers over the real WebSocket, two at once.

    scripts/bench voice_calls [--rounds N] [--recordings FOLDER]

Reports, from the end of the caller's speech: the transcript, the first sentence and the first
sound, as the server's ledger and as the caller hears it; from the beginning of speech over the
voice to silence; gaps in the sound of two calls at once; memory and CPU of the server's processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from channels.voice.ledger import percentiles
from tests.calling import VoiceCaller, calling, synthesise, trimmed
from tests.product import keep_models, reuse_models
from tests.serving import Server, serving

QUESTIONS = (
    "Quels sont les délais de livraison ?",
    "Combien coûte la livraison en Corse ?",
    "Quels sont vos horaires d'ouverture le samedi ?",
    "Est-ce que je peux payer en plusieurs fois ?",
)
INTERRUPTION = "Attendez, quelle est la durée de la garantie ?"
LISTENED_SECONDS = 2.0
GOALS_MS = {"first_audio_p50": 1_800, "first_audio_p95": 3_000, "barge_in_p95": 300}


@dataclass
class Found:
    """Everything that was measured, in milliseconds."""

    heard: list[int] = field(default_factory=list)
    transcripts: list[int] = field(default_factory=list)
    silenced: list[int] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)


async def hold_call(
    server: Server, questions: list[bytes], interruption: bytes, found: Found
) -> None:
    """Ask every question; speak over each answer, then listen to the next."""
    async with calling(server.base_url, language="fr", recording=False) as caller:
        await caller.until_sound(0)
        await caller.until_silent()
        for question in questions:
            await _ask(caller, question, found)
            await asyncio.sleep(LISTENED_SECONDS)
            await _interrupt(caller, interruption, found)
        found.gaps += caller.gaps_ms()


async def _ask(caller: VoiceCaller, question: bytes, found: Found) -> None:
    before = len(caller.frames)
    await caller.say(question)
    ended = caller.ended_speaking
    at, _ = await caller.until("transcript", before)
    sound = await caller.until_sound(at)
    found.transcripts.append(round((at - ended) * 1_000))
    found.heard.append(round((sound.plays_at - ended) * 1_000))


async def _interrupt(caller: VoiceCaller, interruption: bytes, found: Found) -> None:
    """Speak over the answer and wait for the next one to be over."""
    before = len(caller.frames)
    saying = asyncio.create_task(caller.say(interruption))
    silenced, _ = await caller.until("clear", before)
    found.silenced.append(round((silenced - caller.began_speaking) * 1_000))
    await saying
    await caller.until("transcript", before)
    await caller.until("replied", before)
    await caller.until_silent()


def memory_mb(process_id: int) -> dict[str, int]:
    """Resident memory of the server and of its children, by what they run."""
    server = psutil.Process(process_id)
    named = {"server": server.memory_info().rss}
    for child in server.children(recursive=True):
        module = next((part for part in child.cmdline() if "engine" in part), "other")
        named[module.rpartition(".")[2]] = child.memory_info().rss
    return {name: size // 2**20 for name, size in named.items()}


def cpu_seconds(process_id: int) -> float:
    server = psutil.Process(process_id)
    times = [one.cpu_times() for one in (server, *server.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def read_recordings(folder: Path) -> list[bytes]:
    """French recordings of a folder with a transcripts.json, where there is one."""
    listing = folder / "transcripts.json"
    if not listing.exists():
        return []
    found = []
    for one in json.loads(listing.read_text(encoding="utf-8")):
        path = folder / one["file"]
        if one["language"] == "fr" and path.suffix == ".wav":
            with wave.open(str(path)) as sound:
                if (sound.getframerate(), sound.getnchannels()) == (16_000, 1):
                    found.append(trimmed(sound.readframes(sound.getnframes())))
    return found


async def measure(server: Server, rounds: int, folder: Path | None) -> tuple[Found, Found]:
    """One call, then two at once."""
    *questions, interruption = map(trimmed, await synthesise(*QUESTIONS, INTERRUPTION))
    recorded = read_recordings(folder) if folder is not None else []
    alone, together = Found(), Found()
    for _ in range(rounds):
        await hold_call(server, [*questions, *recorded], interruption, alone)
    halves = (questions[::2], questions[1::2])
    await asyncio.gather(*(hold_call(server, half, interruption, together) for half in halves))
    return alone, together


def report(name: str, found: Found) -> None:
    print(f"{name}: {len(found.heard)} turns")
    for what, values in (
        ("transcript", found.transcripts),
        ("first sound heard", found.heard),
        ("silence after speech over the voice", found.silenced),
    ):
        shown = percentiles(values)
        print(f"  {what}: p50 {shown.p50_ms} ms, p95 {shown.p95_ms} ms")
    print(f"  gaps in the sound: {len(found.gaps)} {sorted(found.gaps)[-5:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--recordings", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mdf-bench-") as folder:
        data_dir = Path(folder, "data")
        reuse_models(data_dir)
        with serving(data_dir) as server:
            keep_models(data_dir)
            started, cpu = time.monotonic(), cpu_seconds(server.process_id)
            alone, together = asyncio.run(measure(server, options.rounds, options.recordings))
            spent = cpu_seconds(server.process_id) - cpu
            report("one call", alone)
            report("two calls at once", together)
            print(f"CPU: {spent:.1f} s in {time.monotonic() - started:.0f} s of calls")
            print(f"memory, MB: {memory_mb(server.process_id)}")
            with server.client("admin@example.com") as admin:
                print("ledger:", json.dumps(admin.get("/api/voice/ledger").json()["steps"]))
    check(alone, together)


def check(alone: Found, together: Found) -> None:
    """Fail where a goal is missed."""
    heard = percentiles(alone.heard)
    silenced = percentiles(alone.silenced)
    missed = []
    if (heard.p50_ms or 0) > GOALS_MS["first_audio_p50"]:
        missed.append(f"first sound p50 {heard.p50_ms} ms")
    if (heard.p95_ms or 0) > GOALS_MS["first_audio_p95"]:
        missed.append(f"first sound p95 {heard.p95_ms} ms")
    if (silenced.p95_ms or 0) > GOALS_MS["barge_in_p95"]:
        missed.append(f"barge-in p95 {silenced.p95_ms} ms")
    if alone.gaps or together.gaps:
        missed.append(f"gaps {[*alone.gaps, *together.gaps]}")
    if missed:
        raise SystemExit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
