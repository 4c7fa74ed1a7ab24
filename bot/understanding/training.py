"""How are intents learned from phrases? Kernel ridge regression, calibrated on unseen folds.

One kernel adds a Gaussian over centred sentence vectors to the cosine of n-gram vectors, so that
meaning (across languages) and wording (SMS spelling, names) are weighed in one closed-form fit:
seconds for ten thousand phrases. Folds that a fit has not seen give the temperature of the
probabilities and the threshold under which a message is out of scope.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse  # type: ignore[import-untyped]

from bot.understanding.intents import OUT_OF_SCOPE, DensePart, IntentModel, Vector
from bot.understanding.ngrams import Vocabulary, learn_vocabulary

SHARPNESS = 1.0
NGRAM_SHARE = 0.5
BIAS_SHARE = 0.05
RIDGE = 0.3
FOLDS = 5
ROWS_AT_ONCE = 256
MAX_FULLY_FOLDED = 6_000
TEMPERATURES = np.geomspace(1.0, 16.0, 41)


def fit(
    examples: Sequence[tuple[str, str]], vectors: Vector | None, refused_share: float
) -> IntentModel:
    """Fit and calibrate a model on (phrase, intent) pairs; see `intents.train`.

    `vectors` holds the phrases' raw sentence vectors, shape (phrases, dimensions); None fits on
    n-grams alone. The model that is returned has no encoder.
    """
    texts = [text for text, _ in examples]
    labels = tuple(sorted({intent for _, intent in examples}))
    if len(labels) < 2:
        raise ValueError("training needs phrases of at least two intents")
    rows = {label: row for row, label in enumerate(labels)}
    classes = np.array([rows[intent] for _, intent in examples])

    vocabulary = learn_vocabulary(texts)
    ngrams = _ngram_matrix(texts, vocabulary)
    exemplars, mean = _centred(vectors)
    kernel = _kernel(ngrams, exemplars)
    targets = _targets(classes, len(labels))

    scores, seen = _unseen_scores(kernel, targets, classes)
    temperature = best_temperature(scores, seen)
    threshold = best_threshold(scores, seen, rows.get(OUT_OF_SCOPE, -1), refused_share)

    weights = _solve(kernel, targets)
    dense = None
    if exemplars is not None:
        dense = DensePart(mean, exemplars, weights, SHARPNESS)
    return IntentModel(
        labels=labels,
        bias=(BIAS_SHARE * weights.sum(axis=0)).astype(np.float32),
        vocabulary=vocabulary,
        ngram_weights=np.asarray(NGRAM_SHARE * (ngrams.T @ weights), dtype=np.float32),
        dense=dense,
        temperature=temperature,
        threshold=threshold,
    )


def softmax(scores: Vector, temperature: float) -> Vector:
    """Turn rows of scores into rows of probabilities."""
    powers = np.exp(temperature * (scores - scores.max(axis=1, keepdims=True)))
    probabilities: Vector = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def best_temperature(scores: Vector, classes: NDArray[np.intp]) -> float:
    """Return the temperature under which the true classes are likeliest."""
    own = np.arange(len(classes))
    losses = [
        -float(np.log(softmax(scores, temperature)[own, classes] + 1e-9).mean())
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def best_threshold(
    scores: Vector, classes: NDArray[np.intp], out_of_scope: int, refused_share: float
) -> float:
    """Return the familiarity under which a message is taken for out of scope.

    As high as may be while at most `refused_share` of the phrases that were rightly named, by fits
    that had not seen them, would be refused; phrases taught as out of scope do not count.
    """
    best = scores.argmax(axis=1)
    right = scores.max(axis=1)[(best == classes) & (best != out_of_scope)]
    return float(np.quantile(right, refused_share)) if len(right) else -1.0


def _ngram_matrix(texts: Sequence[str], vocabulary: Vocabulary) -> sparse.csr_matrix:
    """Stack the n-gram vectors of texts: one row a text, one column a known n-gram."""
    pairs = [vocabulary.vector(text) for text in texts]
    starts = np.cumsum([0] + [len(rows) for rows, _ in pairs])
    columns = np.concatenate([rows for rows, _ in pairs])
    values = np.concatenate([values for _, values in pairs])
    shape = (len(texts), len(vocabulary.checksums))
    return sparse.csr_matrix((values, columns, starts), shape=shape, dtype=np.float32)


def _kernel(ngrams: sparse.csr_matrix, exemplars: Vector | None) -> Vector:
    """Compare every phrase with every other, some rows at a time to bound the memory."""
    count = ngrams.shape[0]
    kernel = np.empty((count, count), dtype=np.float32)
    columns = ngrams.T.tocsr()
    for start in range(0, count, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        kernel[rows] = NGRAM_SHARE * (ngrams[rows] @ columns).toarray() + BIAS_SHARE
        if exemplars is not None:
            kernel[rows] += np.exp(2.0 * SHARPNESS * (exemplars[rows] @ exemplars.T - 1.0))
    return kernel


def _centred(vectors: Vector | None) -> tuple[Vector | None, Vector]:
    """Subtract the vectors' mean and bring them back to length 1; return them and the mean."""
    if vectors is None:
        return None, np.zeros(0, dtype=np.float32)
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return centred, mean


def _targets(classes: NDArray[np.intp], count: int) -> Vector:
    targets = np.full((len(classes), count), -1.0, dtype=np.float32)
    targets[np.arange(len(classes)), classes] = 1.0
    return targets


def _solve(kernel: Vector, targets: Vector) -> Vector:
    """Return the weights of a ridge fit; the kernel's own memory is worked in and lost."""
    kernel[np.diag_indices(len(kernel))] += RIDGE
    # Symmetric, so the transpose is the same matrix in the order that LAPACK works in place.
    factor = linalg.cho_factor(kernel.T, lower=True, overwrite_a=True, check_finite=False)
    weights: Vector = linalg.cho_solve(factor, targets, check_finite=False)
    return weights.astype(np.float32)


def _unseen_scores(
    kernel: Vector, targets: Vector, classes: NDArray[np.intp]
) -> tuple[Vector, NDArray[np.intp]]:
    """Score phrases by fits that did not see them; return the scores and the phrases' classes."""
    scores, seen = [], []
    for left_out in _folds(classes):
        kept = np.setdiff1d(np.arange(len(classes)), left_out)
        weights = _solve(kernel[np.ix_(kept, kept)], targets[kept])
        scores.append(kernel[np.ix_(left_out, kept)] @ weights)
        seen.append(classes[left_out])
    return np.concatenate(scores), np.concatenate(seen)


def _folds(classes: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Deal each class's phrases over the folds; a large set is judged on one fold alone."""
    order = np.random.default_rng(0).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    place = np.empty(len(classes), dtype=np.intp)
    place[order] = np.arange(len(classes)) % FOLDS
    folds = FOLDS if len(classes) <= MAX_FULLY_FOLDED else 1
    for fold in range(folds):
        yield np.flatnonzero(place == fold)
