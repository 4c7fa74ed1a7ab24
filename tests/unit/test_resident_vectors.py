"""Does a collection held in memory answer as a comparison of everything would?"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.providers.resident_vectors import ResidentVectors

DIMENSIONS = 8

steps = st.lists(
    st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 400), st.integers(0, 10_000)),
    max_size=300,
)


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


@given(steps=steps, limit=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_that_what_was_put_and_not_removed_is_found_nearest_first(
    steps: list[tuple[str, int, int]], limit: int
) -> None:
    held, expected = ResidentVectors(), {}
    for action, number, seed in steps:
        id = f"id-{number}"
        if action == "put":
            held.put([id], unit(seed)[None, :])
            expected[id] = unit(seed)
        else:
            held.remove([id])
            expected.pop(id, None)
    assert len(held) == len(expected)
    question = unit(1)
    found = held.nearest(question, limit)
    similar = {id: float(vector @ question) for id, vector in expected.items()}
    assert [round(near, 5) for _, near in found] == [
        round(near, 5) for near in sorted(similar.values(), reverse=True)[:limit]
    ]
    assert all(abs(similar[id] - near) < 1e-5 for id, near in found)
