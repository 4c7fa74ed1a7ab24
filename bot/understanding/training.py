"""How are intents learned from phrases? Kernel ridge regression, calibrated on what it left out.

One kernel adds a Gaussian over centred sentence vectors to the cosine of n-gram vectors, so that
meaning (across languages) and wording (SMS spelling, names) are weighed in one closed-form fit:
seconds for ten thousand phrases. The same factorisation gives each phrase's score by the fit that
had all others but not it; from these come the temperature of the probabilities, the threshold
under which a message is out of scope, and the doubtful phrases on which a slower second encoder is
worth its time.
"""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse  # type: ignore[import-untyped]

from bot.understanding.intents import OUT_OF_SCOPE, IntentModel
from bot.understanding.ngrams import Vocabulary, learn_vocabulary
from bot.understanding.scoring import (
    Calibration,
    Fit,
    SecondBudget,
    SecondOpinion,
    Space,
    Vector,
    familiarity,
    gaussian,
)

NGRAM_SHARE = 0.35
BIAS_SHARE = 0.05
RIDGE = 0.2
SECOND_RIDGE = 0.3
# Rightly read phrases whose score is as low as in this share of them are not worth asking about.
STRANGE_SHARE = 0.005
ROWS_AT_ONCE = 256
TEMPERATURES = np.geomspace(1.0, 32.0, 51)
NOISES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15)

EncodeRows = Callable[[NDArray[np.intp]], Vector]
Classes = NDArray[np.intp]


def fit(
    examples: Sequence[tuple[str, str]],
    vectors: Vector | None,
    second_vectors: EncodeRows | None,
    refused_share: float,
    budget: SecondBudget,
) -> IntentModel:
    """Fit and calibrate a model on (phrase, intent) pairs; see `intents.train`.

    `vectors` holds the phrases' raw sentence vectors, shape (phrases, dimensions); None fits on
    n-grams alone. `second_vectors` encodes the phrases of given rows by the second encoder, within
    `budget`. The model that is returned has no encoders.
    """
    texts = [text for text, _ in examples]
    labels = tuple(sorted({intent for _, intent in examples}))
    if len(labels) < 2:
        raise ValueError("training needs phrases of at least two intents")
    rows = {label: row for row, label in enumerate(labels)}
    classes = np.array([rows[intent] for _, intent in examples])

    vocabulary = learn_vocabulary(texts)
    ngrams = _ngram_matrix(texts, vocabulary)
    space = None if vectors is None else _space(vectors)
    kernel = _kernel(ngrams, space)
    targets = _targets(classes, len(labels))

    weights, unseen = _solve(kernel.copy(), targets, RIDGE)
    first = _as_fit(weights, ngrams, space, best_calibration(unseen, classes))
    out_of_scope = rows.get(OUT_OF_SCOPE, -1)
    nearest = 0.0 if space is None else _nearest_others(space)
    second = None
    if second_vectors is not None:
        floor = best_threshold(unseen, classes, out_of_scope, STRANGE_SHARE, nearest)
        chosen = _most_doubtful(unseen, budget.phrases)
        own = _space(second_vectors(chosen))
        kernel[np.ix_(chosen, chosen)] += gaussian(own.exemplars @ own.exemplars.T)
        weights, again = _solve(kernel, targets, SECOND_RIDGE)
        fitted = _as_fit(weights, ngrams, space, best_calibration(again, classes))
        second = SecondOpinion(own, weights[chosen], fitted, budget.doubt, floor)
        asked = first.calibration.probabilities(unseen).max(axis=1) < budget.doubt
        asked &= familiarity(unseen, nearest) >= floor
        unseen = np.where(asked[:, None], again, unseen)
    return IntentModel(
        labels=labels,
        vocabulary=vocabulary,
        space=space,
        first=first,
        second=second,
        threshold=best_threshold(unseen, classes, out_of_scope, refused_share, nearest),
    )


def best_calibration(scores: Vector, classes: Classes) -> Calibration:
    """Return the calibration under which the true classes are likeliest."""
    own = np.arange(len(classes))

    def loss(temperature: float, noise: float) -> float:
        return -float(np.log(shares[temperature] * (1 - noise) + noise / scores.shape[1]).mean())

    shares = {
        float(temperature): Calibration(float(temperature), 0.0).probabilities(scores)[own, classes]
        + 1e-9
        for temperature in TEMPERATURES
    }
    found = min(product(shares, NOISES), key=lambda pair: loss(*pair))
    return Calibration(*found)


def best_threshold(
    scores: Vector,
    classes: Classes,
    out_of_scope: int,
    refused_share: float,
    nearest: Vector | float = 0.0,
) -> float:
    """Return the familiarity under which a message is taken for out of scope.

    As high as may be while at most `refused_share` of the phrases that were rightly named, by fits
    that had not seen them, would be refused; phrases taught as out of scope do not count. `nearest`
    is each phrase's nearness to its nearest other.
    """
    best = scores.argmax(axis=1)
    right = familiarity(scores, nearest)[(best == classes) & (best != out_of_scope)]
    return float(np.quantile(right, refused_share)) if len(right) else -1.0


def _most_doubtful(scores: Vector, count: int) -> NDArray[np.intp]:
    """Return the rows of the phrases whose two best labels are nearest to each other, in order."""
    best = np.partition(scores, -2, axis=1)
    lead = best[:, -1] - best[:, -2]
    return np.sort(np.argsort(lead, kind="stable")[:count])


def _as_fit(
    weights: Vector, ngrams: sparse.csr_matrix, space: Space | None, calibration: Calibration
) -> Fit:
    return Fit(
        bias=(BIAS_SHARE * weights.sum(axis=0)).astype(np.float32),
        ngram_weights=np.asarray(NGRAM_SHARE * (ngrams.T @ weights), dtype=np.float16),
        dense_weights=None if space is None else weights,
        calibration=calibration,
    )


def _ngram_matrix(texts: Sequence[str], vocabulary: Vocabulary) -> sparse.csr_matrix:
    """Stack the n-gram vectors of texts: one row a text, one column a known n-gram."""
    pairs = [vocabulary.vector(text) for text in texts]
    starts = np.cumsum([0] + [len(rows) for rows, _ in pairs])
    columns = np.concatenate([rows for rows, _ in pairs])
    values = np.concatenate([values for _, values in pairs])
    shape = (len(texts), len(vocabulary.checksums))
    return sparse.csr_matrix((values, columns, starts), shape=shape, dtype=np.float32)


def _kernel(ngrams: sparse.csr_matrix, space: Space | None) -> Vector:
    """Compare every phrase with every other, some rows at a time to bound the memory."""
    count = ngrams.shape[0]
    kernel = np.empty((count, count), dtype=np.float32)
    columns = ngrams.T.tocsr()
    for start in range(0, count, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        kernel[rows] = NGRAM_SHARE * (ngrams[rows] @ columns).toarray() + BIAS_SHARE
        if space is not None:
            kernel[rows] += gaussian(space.exemplars[rows] @ space.exemplars.T)
    return kernel


def _nearest_others(space: Space) -> Vector:
    """Return each phrase's nearness to the nearest other phrase."""
    nearest = np.empty(len(space.exemplars), dtype=np.float32)
    for start in range(0, len(nearest), ROWS_AT_ONCE):
        cosines = space.exemplars[start : start + ROWS_AT_ONCE] @ space.exemplars.T
        cosines[np.arange(len(cosines)), start + np.arange(len(cosines))] = -1.0
        nearest[start : start + ROWS_AT_ONCE] = cosines.max(axis=1)
    return gaussian(nearest)


def _space(vectors: Vector) -> Space:
    """Subtract the vectors' mean and bring them back to length 1."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return Space(mean, centred)


def _targets(classes: Classes, count: int) -> Vector:
    targets = np.full((len(classes), count), -1.0, dtype=np.float32)
    targets[np.arange(len(classes)), classes] = 1.0
    return targets


def _solve(kernel: Vector, targets: Vector, ridge: float) -> tuple[Vector, Vector]:
    """Return a ridge fit's weights, and each phrase's scores by the fit without that phrase.

    Leaving one out has a closed form: target minus weight over the diagonal of the inverse. The
    kernel's own memory is worked in and lost.
    """
    kernel[np.diag_indices(len(kernel))] += ridge
    # Symmetric, so the transpose is the same matrix in the order that LAPACK works in place.
    factor, failed = linalg.lapack.spotrf(kernel.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise ValueError("the phrases' kernel is not positive definite")
    weights = linalg.cho_solve((factor, True), targets, check_finite=False).astype(np.float32)
    inverse, _ = linalg.lapack.strtri(factor, lower=1, overwrite_c=1)
    diagonal = np.zeros(len(kernel), dtype=np.float32)
    for start in range(0, len(kernel), ROWS_AT_ONCE):
        block = np.tril(inverse[start : start + ROWS_AT_ONCE], k=start)
        diagonal += np.einsum("ij,ij->j", block, block)
    unseen: Vector = targets - weights / diagonal[:, None]
    return weights, unseen
