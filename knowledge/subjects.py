"""Which of the subjects that every shop's help centre writes about is a text about?

People ask in words that no document uses. `subjects/*.yaml` says, subject by subject, how documents
name it and how people ask for it; a question and a title that are read as the same subject belong
together even where they share no word. A text about none of them has no subject, so that a corpus
about something else is ranked as if there were no subjects.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import yaml
from numpy.typing import NDArray

from core.providers.embeddings import Encoder
from knowledge.lexical import LexicalIndex, LexicalPassage
from knowledge.space import Space, Vectors, fit_space

FOLDER = Path(__file__).parent / "subjects"
LANGUAGES = ("fr", "en")
NEAREST_PHRASES = 2
WORDS_WEIGHT = 0.6
# A text that is less near than this to every subject is rather about none of them.
NO_SUBJECT = 0.4
TEMPERATURE = 0.05


@dataclass(frozen=True)
class Subject:
    """How documents name a subject, and how people ask for it."""

    named: tuple[str, ...]
    asked: tuple[str, ...]

    @property
    def phrases(self) -> tuple[str, ...]:
        return self.named + self.asked


def read_subjects(folder: Path = FOLDER) -> tuple[Subject, ...]:
    """The subjects of every file of a folder, in order."""
    return tuple(
        Subject(tuple(one["named"]), tuple(one["asked"]))
        for path in sorted(folder.glob("*.yaml"))
        for one in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    )


class SubjectReader:
    """Reads texts for the life of a process; nothing has a subject until it is ready."""

    def __init__(self, subjects: Sequence[Subject], vectors: Vectors) -> None:
        # What every text of a shop has in common, where sentences are compared.
        self.space: Space = fit_space(vectors, vectors)
        self._mean = vectors.mean(axis=0)
        self._phrases = _unit(vectors - self._mean)
        # Where the phrases of each subject begin among all of them, and whose each phrase is.
        lengths = [len(one.phrases) for one in subjects]
        self._starts = np.cumsum([0, *lengths[:-1]])
        self._owners = np.repeat(np.arange(len(subjects)), lengths)
        self._words = {language: _index(subjects, language) for language in LANGUAGES}

    def __len__(self) -> int:
        return len(self._starts)

    def read(self, text: str, vector: Vectors, language: str) -> NDArray[np.float32]:
        """The root of the share that each subject has in a text, (subjects,).

        `vector` is the text's raw vector. The product of two readings is the Bhattacharyya
        coefficient of the texts' subjects: 1 for the same, 0 for nothing in common.
        """
        scores = self._nearness(self._phrases @ _unit(vector - self._mean))
        if language in self._words:
            found = self._words[language].search(text, len(self))
            scores[[int(id) for id in found]] += WORDS_WEIGHT * np.fromiter(
                found.values(), np.float32, len(found)
            )
        highest = max(float(scores.max()), NO_SUBJECT)
        weights = np.exp((scores - highest) / TEMPERATURE)
        none = np.exp((NO_SUBJECT - highest) / TEMPERATURE)
        shares: NDArray[np.float32] = np.sqrt(weights / (weights.sum() + none)).astype(np.float32)
        return shares

    def _nearness(self, near: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of the two nearest phrases of each subject."""
        first = np.maximum.reduceat(near, self._starts)
        rest = np.where(near == first[self._owners], -1.0, near)
        second = np.maximum.reduceat(rest, self._starts)
        scores: NDArray[np.float32] = ((first + second) / NEAREST_PHRASES).astype(np.float32)
        return scores


def _unit(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: Vectors = (rows / np.maximum(norms, 1e-6)).astype(np.float32)
    return unit


def _index(subjects: Sequence[Subject], language: str) -> LexicalIndex:
    index = LexicalIndex(language)
    index.add(
        [
            LexicalPassage(
                str(number),
                UUID(int=number),
                " ".join(subject.named),
                (),
                "\n".join(subject.asked),
            )
            for number, subject in enumerate(subjects)
        ]
    )
    return index


async def open_subjects(
    encoder: Encoder, kept_in: Path, subjects: Sequence[Subject] | None = None
) -> SubjectReader:
    """Read the subjects, with the vectors of their phrases from an earlier start or made now.

    The file's name is a digest of the phrases and of the encoder's name.
    """
    chosen = read_subjects() if subjects is None else subjects
    phrases = [phrase for subject in chosen for phrase in subject.phrases]
    digest = hashlib.blake2b("\n".join([encoder.name, *phrases]).encode(), digest_size=12)
    path = kept_in / f"subjects-{digest.hexdigest()}.npy"
    vectors = await asyncio.to_thread(_vectors, encoder, phrases, path)
    return SubjectReader(chosen, vectors)


def _vectors(encoder: Encoder, phrases: Sequence[str], path: Path) -> Vectors:
    shape = (len(phrases), encoder.dimensions)
    try:
        kept: Vectors = np.load(path, allow_pickle=False).astype(np.float32)
        if kept.shape == shape:
            return kept
    except (OSError, ValueError, EOFError):
        pass
    vectors = encoder.encode(phrases)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("subjects-*.npy"):
        old.unlink(missing_ok=True)
    with path.open("wb") as file:
        np.save(file, vectors.astype(np.float16))
    return vectors.astype(np.float32)
