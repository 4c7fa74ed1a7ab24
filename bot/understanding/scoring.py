"""How do a message's words and meaning become a score for each label? The arrays of a fitted model.

A `Space` compares a sentence vector with the training phrases; a `Fit` weighs that nearness and the
message's n-grams; a `SecondOpinion` is a later fit with one more space, asked only about messages
that the first leaves in doubt.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Ngrams = tuple[NDArray[np.intp], NDArray[np.float32]]

SHARPNESS = 1.0
# How much the nearest phrase counts beside the best score where strangers are to be told.
NEAREST_WEIGHT = 1.5


@dataclass(frozen=True)
class Calibration:
    """How scores become probabilities: a softmax, and a share that falls on any label alike.

    The share stands for what no score can tell (a phrase filed under a neighbour's label): without
    it one temperature must be too sure of clear messages and not sure enough of others.
    """

    temperature: float
    noise: float

    def probabilities(self, scores: Vector) -> Vector:
        """Turn scores, one row a message or a single row, into probabilities."""
        powers = np.exp(self.temperature * (scores - scores.max(axis=-1, keepdims=True)))
        shares: Vector = powers / powers.sum(axis=-1, keepdims=True)
        shares *= 1.0 - self.noise
        shares += self.noise / scores.shape[-1]
        return shares


@dataclass(frozen=True)
class Membership:
    """How likely a message is to belong to any taught label: a logistic curve of familiarity."""

    slope: float
    offset: float

    def share(self, familiar: float) -> float:
        """Return that probability for one message's familiarity."""
        return float(1.0 / (1.0 + np.exp(-(self.slope * familiar + self.offset))))


@dataclass(frozen=True, eq=False)
class Space:
    """The training phrases in one encoder's space: their mean, and centred unit rows.

    Of many phrases only the coordinates on the space's main `axes` (one a column) are kept: a
    message is compared with all of them, and what does not fit into the processor's cache costs
    more to read than to multiply.
    """

    mean: Vector
    exemplars: Vector
    axes: Vector | None = None

    def nearness(self, vector: Vector) -> Vector:
        """Compare a raw sentence vector with every phrase: 1 where they are the same."""
        centred = vector - self.mean
        centred /= max(float(np.linalg.norm(centred)), 1e-9)
        if self.axes is not None:
            centred = centred @ self.axes
        return gaussian(self.exemplars @ centred)


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit's weights: a bias, a row for each n-gram and one for each phrase of the first space.

    The n-gram weights, by far the most numerous, are kept in two bytes each. `calibration` turns
    scores into probabilities.
    """

    bias: Vector
    ngram_weights: NDArray[np.float16]
    dense_weights: Vector | None
    calibration: Calibration

    def scores(self, ngrams: Ngrams, nearness: Vector | None) -> Vector:
        """Return each label's score: near 1 for its own phrases, near -1 for others."""
        rows, values = ngrams
        scores: Vector = self.bias + values @ self.ngram_weights[rows].astype(np.float32)
        if self.dense_weights is not None and nearness is not None:
            scores = scores + nearness @ self.dense_weights
        return scores


@dataclass(frozen=True)
class SecondBudget:
    """What a second encoder may cost, 15 to 35 ms a vector.

    At most `phrases` of the training set get its vectors, the most doubtful; a message is asked
    about where its likeliest label has a probability under `doubt`.
    """

    phrases: int
    doubt: float


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """The fit that also sees a second encoder's space.

    Asked where the first's likeliest label has a probability under `doubt`, but not where the
    message is less familiar than `floor`: it is like nothing taught.
    """

    space: Space
    weights: Vector
    fit: Fit
    doubt: float
    floor: float

    def scores(self, ngrams: Ngrams, nearness: Vector | None, vector: Vector) -> Vector:
        """Score a message again; `vector` is its raw vector by the second encoder."""
        scores: Vector = self.fit.scores(ngrams, nearness) + (
            self.space.nearness(vector) @ self.weights
        )
        return scores


def familiarity(scores: Vector, nearest: Vector | float) -> Vector:
    """Say how near messages are to anything taught: their best score, and their nearest phrase.

    `scores` has one row a message or is a single row; `nearest` is each message's largest nearness
    (0 without a space).
    """
    familiar: Vector = scores.max(axis=-1) + NEAREST_WEIGHT * nearest
    return familiar


def gaussian(cosines: Vector) -> Vector:
    """Turn cosines into the kernel's nearness: 1 for the same direction, falling with distance."""
    nearness: Vector = np.exp(2.0 * SHARPNESS * (cosines - 1.0))
    return nearness
