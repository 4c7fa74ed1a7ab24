"""Where does a caller's speech stand in the recording of the call?"""

from __future__ import annotations

import time

import pytest

from channels.voice.recording import Recorder
from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ

SECOND = SAMPLE_RATE_HERTZ * BYTES_A_SAMPLE


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder()
    recorder.start()
    recorder.caller(bytes(10 * SECOND))
    return recorder


def test_speech_stands_as_far_from_the_end_as_it_was_long_ago(recorder: Recorder) -> None:
    now = time.monotonic()
    assert recorder.place_of(now - 2, 1_500) == pytest.approx(6_500, abs=500)
    assert recorder.place_of(now, 3_000) == pytest.approx(7_000, abs=500)
    recorder.discard()


def test_speech_that_was_begun_before_the_recording_stands_at_its_beginning(
    recorder: Recorder,
) -> None:
    assert recorder.place_of(time.monotonic() - 8, 5_000) == 0
    recorder.discard()


def test_what_was_not_recorded_stands_nowhere(recorder: Recorder) -> None:
    assert recorder.place_of(time.monotonic() - 60, 1_000) is None
    assert Recorder().place_of(time.monotonic(), 1_000) is None
    recorder.discard()
