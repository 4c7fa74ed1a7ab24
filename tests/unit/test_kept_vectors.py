"""Vectors in a file: nothing is encoded twice, and without the file all is encoded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import core.providers.kept_vectors as module
from core.providers.kept_vectors import KeptEncoder, KeptVectors

WIDTH = 4


class Encoder:
    """Rows that follow from the texts, and a list of what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 0.1, 0.2, 0.3] for text in texts], dtype=np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "vectors.sqlite3"


@pytest.fixture
def encode() -> Encoder:
    return Encoder()


def test_what_is_known_is_not_encoded_again(path: Path, encode: Encoder) -> None:
    first = KeptVectors(path, WIDTH).of("passage", ["un", "deux", "un"], encode)
    again = KeptVectors(path, WIDTH).of("passage", ["deux", "trois", "un"], encode)
    assert encode.asked == ["un", "deux", "un", "trois"]
    assert again[:, 0].tolist() == [4, 5, 2]
    assert again[0].tolist() == first[1].tolist()


def test_a_question_and_a_passage_of_the_same_words_are_apart(path: Path, encode: Encoder) -> None:
    kept = KeptVectors(path, WIDTH)
    kept.of("question", ["un"], encode)
    kept.of("passage", ["un"], encode)
    assert encode.asked == ["un", "un"]


def test_many_texts_are_read_in_batches(path: Path, encode: Encoder) -> None:
    texts = ["a" * number for number in range(200)]
    kept = KeptVectors(path, WIDTH)
    kept.of("passage", texts, encode)
    assert kept.of("passage", texts, encode)[:, 0].tolist() == list(range(200))
    assert len(encode.asked) == 200


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_torn_file_is_begun_anew(path: Path, encode: Encoder, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for _ in range(3):
        assert KeptVectors(path, WIDTH).of("passage", ["un"], encode)[0, 0] == 2
    assert len(encode.asked) < 3


def test_without_a_folder_everything_is_encoded(tmp_path: Path, encode: Encoder) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = KeptVectors(tmp_path / "file" / "vectors.sqlite3", WIDTH)
    for _ in range(2):
        assert kept.of("passage", ["un"], encode)[0, 0] == 2
    assert encode.asked == ["un", "un"]


def test_the_older_half_goes_when_there_are_too_many(
    path: Path, encode: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TEXTS", 10)
    kept = KeptVectors(path, WIDTH)
    for number in range(11):
        kept.of("passage", [str(number)], encode)
    kept.of("passage", ["10", "0"], encode)
    assert encode.asked[11:] == ["0"]


def test_vectors_of_another_length_are_made_anew(path: Path, encode: Encoder) -> None:
    KeptVectors(path, 3).of("passage", ["un"], lambda texts: np.ones((1, 3), dtype=np.float32))
    assert KeptVectors(path, WIDTH).of("passage", ["un"], encode).shape == (1, WIDTH)


class Sentences:
    """An encoder with a name that is no file's."""

    name = "hub/some model"
    dimensions = WIDTH

    def __init__(self, encode: Encoder) -> None:
        self.encode = encode


def test_that_a_shops_sentences_are_encoded_once(tmp_path: Path, encode: Encoder) -> None:
    for _ in range(2):
        kept = KeptEncoder(Sentences(encode), tmp_path / "models")
        assert kept.encode(["un", "deux"])[:, 0].tolist() == [2, 4]
    assert encode.asked == ["un", "deux"]
    assert [path.parent for path in tmp_path.glob("**/*.sqlite3")] == [tmp_path / "models"]
