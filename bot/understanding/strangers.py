"""Does a message belong to any taught intent? What labels left out of the fit say about strangers.

Where nothing out of scope was taught, the phrases of each label, read by the fit that never saw
that label, stand in for strangers. On shops whose real strangers are known the two are alike, in
how familiar they look and in how well they can be told from known messages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats  # type: ignore[import-untyped]

from bot.understanding.scoring import Membership, Vector

# Staff who write a few hundred phrases foresee half of what comes in; thousands are a closed set.
PHRASES_TO_KNOW = 900
LARGEST_SHARE = 0.5
# How often a known message must look more familiar than a stranger for refusing to pay.
TOLD_APART = 0.82
# The confidence speaks of messages of known intents, and takes the fear of strangers for a fifth.
SHARE_IN_CONFIDENCE = 0.2
CUTS = 201


def share_of_strangers(phrases: int) -> float:
    """Expect so many of a hundred messages to be about nothing taught, by how much was taught."""
    return float(min(LARGEST_SHARE, np.exp(-phrases / PHRASES_TO_KNOW)))


def best_cut(known: Vector, right: NDArray[np.bool_], strangers: Vector) -> float:
    """Return the familiarity under which refusing a message serves more customers than it fails.

    `known` and `strangers` are familiarities; `right` says whether a known message was named
    rightly: refusing one that was not costs nothing. Where the two look alike, or where so much was
    taught that no stranger is expected, the cut lies under all of them.
    """
    share = share_of_strangers(len(known))
    if told_apart(known, strangers) < TOLD_APART:
        return float(known.min())
    cuts = np.quantile(known, np.linspace(0.0, 1.0, CUTS))
    kept = np.array([(right & (known >= cut)).mean() for cut in cuts])
    refused = np.array([(strangers < cut).mean() for cut in cuts])
    return float(cuts[np.argmax((1.0 - share) * kept + share * refused)])


def told_apart(known: Vector, strangers: Vector) -> float:
    """Return the chance that a known message looks more familiar than a stranger."""
    ranks = stats.rankdata(np.concatenate([known, strangers]))[: len(known)]
    pairs = len(known) * len(strangers)
    return float((ranks.sum() - len(known) * (len(known) + 1) / 2) / pairs)


def learn_membership(known: Vector, strangers: Vector) -> Membership | None:
    """Fit the logistic curve that tells known messages from strangers by their familiarity.

    None where they look alike: the set is taken for closed.
    """
    if told_apart(known, strangers) < TOLD_APART:
        return None
    share = SHARE_IN_CONFIDENCE * share_of_strangers(len(known))
    familiar = np.concatenate([known, strangers]).astype(np.float64)
    signs = np.repeat([1.0, -1.0], [len(known), len(strangers)])
    weights = np.repeat(
        [(1.0 - share) / len(known), share / len(strangers)], [len(known), len(strangers)]
    )

    def loss(curve: NDArray[np.float64]) -> float:
        lines = curve[0] * familiar + curve[1]
        return float((weights * np.logaddexp(0.0, -signs * lines)).sum() + 1e-4 * curve[0] ** 2)

    slope, offset = optimize.minimize(loss, np.array([3.0, 0.0])).x
    return Membership(float(max(slope, 0.0)), float(offset))
