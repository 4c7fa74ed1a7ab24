"""Pictures of speaking in the widget: recording, the question before a call, the call, its end."""

from __future__ import annotations

import asyncio
import re
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE_MS, Visit
from tests.calling import synthesise, trimmed
from tests.serving import Server

HERTZ = 16_000
QUESTION = "Quels sont les délais de livraison ?"
PERIOD_SECONDS = 15
SLOW_MS = 90_000
SETTLE_MS = 250


def microphone_arguments(path: Path, samples: bytes) -> list[str]:
    """Write what a browser's microphone hears, over and over; returns the browser's arguments."""
    with wave.open(str(path), "wb") as written:
        written.setparams((1, 2, HERTZ, 0, "NONE", ""))
        # Half a second until somebody speaks.
        said = bytes(HERTZ) + samples
        written.writeframes(said.ljust(PERIOD_SECONDS * HERTZ * 2, b"\0"))
    return [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
        "--autoplay-policy=no-user-gesture-required",
    ]


def microphone(folder: Path) -> list[str]:
    """A microphone in front of which somebody asks a question."""
    with ThreadPoolExecutor(1) as executor:
        (said,) = executor.submit(asyncio.run, synthesise(QUESTION, voice="alloy")).result()
    return microphone_arguments(folder / "question.wav", trimmed(said))


def voice_states(visited: Visit) -> Iterator[str]:
    """Walk through a message and a call; the name of each state that is worth a picture."""
    page = visited.page
    visited.open()
    page.get_by_role("button", name="Dicter un message").click()
    expect(page.get_by_role("timer")).to_have_text("0:01", timeout=SLOW_MS)
    yield "recording"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Appeler l’assistant").click()
    page.locator(".call-consent").wait_for()
    yield "call-question"
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Appeler", exact=True).click()
    expect(page.locator(".call-state")).to_have_text(re.compile("enregistré"), timeout=SLOW_MS)
    page.locator(".caption-you").first.wait_for(timeout=SLOW_MS)
    page.locator(".caption-assistant", has_text="jours ouvrés").first.wait_for(timeout=SLOW_MS)
    yield "call"
    page.get_by_role("button", name="Clavier").click()
    yield "call-keypad"
    page.get_by_role("button", name="Raccrocher").last.click()
    page.locator(".call-ended").wait_for()
    yield "call-ended"


def take_voice(
    browser: Browser,
    server: Server,
    folder: Path,
    screen: tuple[str, dict[str, Any]],
    scheme: Literal["light", "dark"],
) -> None:
    name, options = screen
    context = browser.new_context(
        **options, color_scheme=scheme, locale="fr-FR", permissions=["microphone"]
    )
    context.set_default_timeout(PATIENCE_MS)
    visited = Visit(context.new_page(), context, [])
    visited.page.goto(f"{server.base_url}/")
    for state in voice_states(visited):
        visited.page.wait_for_timeout(SETTLE_MS)
        visited.page.screenshot(path=folder / f"widget-{state}-{scheme}-{name}.png")
    context.close()
