"""Hearing a caller window by window, and knowing how far they have heard the voice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.voice.hearing import WINDOW_BYTES, WINDOW_MILLISECONDS, Ear, Moment
from channels.voice.keypad import Keypad, written
from channels.voice.ledger import percentiles
from channels.voice.reel import Reel
from channels.voice.saying import Telling, call_phrase

WINDOW = bytes(WINDOW_BYTES)


def hear(ear: Ear, pattern: str) -> list[Moment]:
    """Play a pattern of voice (#) and silence (.), a window each; returns what it changed."""
    moments = [ear.listen(WINDOW, 0.9 if sign == "#" else 0.05) for sign in pattern]
    return [moment for moment in moments if moment is not None]


def test_that_a_click_is_no_speech() -> None:
    ear = Ear()
    assert hear(ear, "..##..#..##..") == []
    assert not ear.is_open


def test_that_speech_begins_pauses_and_goes_on() -> None:
    ear = Ear()
    assert hear(ear, "....#####" + "." * 7) == ["began", "paused"]
    assert hear(ear, "...####") == ["went_on"]
    assert ear.voice_milliseconds > 5 * WINDOW_MILLISECONDS
    assert ear.silence_milliseconds == 0


def test_that_a_click_does_not_end_a_pause() -> None:
    ear = Ear()
    hear(ear, "#####" + "." * 8)
    pause = ear.pause
    assert hear(ear, ".#...#..") == []
    assert (ear.is_paused, ear.pause) == (True, pause)


def test_that_what_was_said_includes_what_came_just_before() -> None:
    ear = Ear()
    hear(ear, "." * 30 + "#####")
    assert len(ear.said().samples) == (10 + 2) * WINDOW_BYTES


def test_that_a_caller_who_never_pauses_is_dealt_with() -> None:
    ear = Ear()
    hear(ear, "#" * 900)
    assert ear.is_full
    ear.close()
    assert not ear.is_full
    assert not ear.is_open


@given(st.text(alphabet="#.", max_size=300))
def test_that_moments_alternate(pattern: str) -> None:
    expected: dict[Moment | None, set[Moment]] = {
        None: {"began"},
        "began": {"paused"},
        "paused": {"went_on"},
        "went_on": {"paused"},
    }
    last: Moment | None = None
    for moment in hear(Ear(), pattern):
        assert moment in expected[last]
        last = moment


def reel_of(*sentences: str) -> Reel:
    reel = Reel()
    for sentence in sentences:
        reel.begin(sentence)
        reel.add(bytes(len(sentence) * 320))
        reel.end()
    return reel


SENTENCES = st.lists(st.text(alphabet="abc é.", min_size=1, max_size=40), min_size=1, max_size=5)


@given(SENTENCES, st.floats(0, 1))
def test_that_what_was_heard_is_a_beginning_of_what_was_said(
    sentences: list[str], share: float
) -> None:
    reel = reel_of(*sentences)
    reel.sent = reel.length
    reel.heard_until(int(reel.length * share))
    heard = reel.heard_text()
    assert " ".join(reel.text().split()).startswith(" ".join(heard.split()))
    reel.heard_until(reel.length)
    assert reel.heard_text().split() == reel.text().split()


@given(SENTENCES, st.lists(st.integers(0, 400), max_size=40), st.integers(2, 4_000))
def test_that_frames_hold_every_sample_once_and_in_order(
    sentences: list[str], acknowledged: list[int], size: int
) -> None:
    reel = reel_of(*sentences)
    size -= size % 2
    sequence, sent = 0, 0
    while reel.unsent:
        sequence += 1
        sent += len(reel.next_frame(sequence, size))
    assert sent == reel.length
    played = 0
    for number in acknowledged:
        reel.heard(number)
        assert played <= reel.played <= reel.sent
        played = reel.played
    reel.rewind()
    assert reel.sent == reel.played <= max(played, 0)
    assert reel.sent % 2 == 0


def test_that_only_whole_words_count_as_heard() -> None:
    reel = reel_of("Un article en stock est livré en dix jours.", "Et voilà.")
    reel.sent = reel.length
    reel.heard_until(int(reel.sentences[0].end * 0.5))
    assert reel.heard_text() == "Un article en stock"
    reel.heard_until(reel.sentences[0].end)
    assert reel.heard_text() == "Un article en stock est livré en dix jours."


def test_that_an_aside_is_no_part_of_the_reply() -> None:
    reel = Reel()
    reel.begin("Un instant, je regarde.", is_aside=True)
    reel.add(bytes(640))
    reel.end()
    reel.begin("Voilà.")
    reel.add(bytes(640))
    reel.end()
    reel.sent = reel.length
    reel.heard_until(reel.length)
    assert reel.heard_text() == "Voilà."


def test_that_keys_wait_for_their_end() -> None:
    keypad = Keypad()
    for key in "2026":
        keypad.press(key, 1.0)
    assert keypad.take(2.0) is None
    assert keypad.take(3.6) == "2026"
    keypad.press("7", 4.0)
    keypad.press("#", 4.1)
    assert keypad.take(4.1) == "7"
    assert keypad.take(9.0) is None
    assert written("2026000101") == "CMD-2026-000101"
    assert written("0612345678") == "0612345678"


def test_that_percentiles_are_of_the_nearest_rank() -> None:
    assert percentiles([]).p50_ms is None
    assert percentiles([7]).p95_ms == 7
    found = percentiles(list(range(100, 0, -1)))
    assert (found.count, found.p50_ms, found.p95_ms) == (100, 50, 95)


def told(text: str, language: str = "fr") -> list[str]:
    return list(Telling(language, "Meuble de France").tell(text))


def test_that_the_ear_is_spared_addresses_and_markup() -> None:
    said = told(
        "Voir **ici** : https://www.exemple.fr/livraison?a=1#b. Puis [nos magasins](http://x.fr)."
    )
    assert "https" not in " ".join(said)
    assert "www.exemple.fr" in " ".join(said)
    assert "*" not in " ".join(said)
    assert "nos magasins" in " ".join(said)


def test_that_of_a_list_three_items_are_said() -> None:
    telling = Telling("fr", "Meuble de France")
    said = [one for number in range(1, 7) for one in telling.tell(f"- Canapé {number}")]
    assert said == ["Canapé 1", "Canapé 2", "Canapé 3", call_phrase("fr", "more_items")]


def test_that_the_welcome_is_not_said_after_the_announcement() -> None:
    assert told("Bonjour ! Je suis l’assistant virtuel de Meuble de France.") == []
    assert told("Bonjour !") == ["Bonjour !"]


def test_that_a_long_sentence_begins_with_a_short_part() -> None:
    long = "Un article en stock est livré en cinq à dix jours ouvrés partout en France, " * 3
    first, *rest = told(long.strip())
    assert len(first) < 140
    assert " ".join([first, *rest]) == " ".join(long.split())
