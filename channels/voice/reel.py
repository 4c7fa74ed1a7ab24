"""What is said to the caller, and how far they have heard it: sentences laid end to end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from core.providers.speech import BYTES_A_SAMPLE, SAMPLE_RATE_HERTZ

BYTES_A_MILLISECOND = SAMPLE_RATE_HERTZ * BYTES_A_SAMPLE // 1_000


@dataclass
class Spoken:
    """A sentence as it is written, and where its sound lies on the reel; `end` grows with it.

    An aside, such as "one moment", is no part of the reply.
    """

    text: str
    start: int
    end: int
    is_complete: bool = False
    is_aside: bool = False


@dataclass
class Reel:
    """The sound of one reply. Positions are bytes from its beginning; frames are whole samples.

    `sent` is what the line was given, `played` what the caller has certainly heard.
    """

    sentences: list[Spoken] = field(default_factory=list)
    sent: int = 0
    played: int = 0
    _sound: bytearray = field(default_factory=bytearray, repr=False)
    # By frame: its number and where it ends.
    _frames: deque[tuple[int, int]] = field(default_factory=deque, repr=False)

    def begin(self, text: str, is_aside: bool = False) -> None:
        """Begin a sentence behind the last one."""
        at = len(self._sound)
        self.sentences.append(Spoken(text, at, at, is_aside=is_aside))

    def add(self, samples: bytes) -> None:
        """Lay sound behind the sentence that was begun last."""
        self._sound += samples
        self.sentences[-1].end = len(self._sound)

    def end(self) -> None:
        """The sentence that was begun last has all its sound."""
        self.sentences[-1].is_complete = True

    @property
    def length(self) -> int:
        return len(self._sound)

    @property
    def unsent(self) -> int:
        return len(self._sound) - self.sent

    @property
    def unplayed_milliseconds(self) -> int:
        return (len(self._sound) - self.played) // BYTES_A_MILLISECOND

    def next_frame(self, sequence: int, size: int) -> bytes:
        """The next sound to send, of at most `size` bytes, remembered under a number."""
        frame = bytes(self._sound[self.sent : self.sent + size])
        self.sent += len(frame)
        self._frames.append((sequence, self.sent))
        return frame

    def heard(self, sequence: int) -> None:
        """The caller has heard this frame, and so those before it; unknown numbers mean nothing."""
        while self._frames and self._frames[0][0] <= sequence:
            self.played = max(self.played, self._frames.popleft()[1])

    def heard_until(self, position: int) -> None:
        """The caller has heard so much, as far as the clock tells."""
        self.played = max(self.played, min(position, self.sent))

    def rewind(self) -> None:
        """What was sent and not heard is sent again, from the beginning of the word."""
        self._frames.clear()
        sentence = self.speaking()
        if sentence is not None and sentence.start < self.played < sentence.end:
            words = _words_heard(sentence, self.played)
            share = len(words) / max(len(sentence.text), 1)
            back = sentence.start + int((sentence.end - sentence.start) * share)
            self.played = min(self.played, back - back % BYTES_A_SAMPLE)
        self.sent = self.played

    def speaking(self) -> Spoken | None:
        """The sentence that the caller hears now; None before the first and behind the last."""
        for sentence in self.sentences:
            if sentence.start <= self.played < sentence.end:
                return sentence
        return None

    def is_last(self, sentence: Spoken) -> bool:
        return self.sentences[-1] is sentence

    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    def heard_text(self) -> str:
        """What was heard of the reply: whole sentences, and of the last one whole words."""
        heard: list[str] = []
        for sentence in self.sentences:
            if sentence.is_aside:
                continue
            if sentence.is_complete and sentence.end <= self.played:
                heard.append(sentence.text)
            elif sentence.start < self.played:
                heard.append(_words_heard(sentence, self.played))
        return " ".join(part for part in heard if part)


def _words_heard(sentence: Spoken, played: int) -> str:
    """The words of a sentence up to a position; each takes as long as it has letters."""
    if played >= sentence.end:
        return sentence.text
    share = (played - sentence.start) / (sentence.end - sentence.start)
    cut = int(len(sentence.text) * share)
    return sentence.text[: sentence.text.rfind(" ", 0, cut + 1) + 1].rstrip()
