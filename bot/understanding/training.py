"""How are intents learned from phrases? Kernel ridge regression, calibrated on unseen folds.

One kernel adds a Gaussian over centred sentence vectors to the cosine of n-gram vectors, so that
meaning (across languages) and wording (SMS spelling, names) are weighed in one closed-form fit:
seconds for ten thousand phrases. Folds that a fit has not seen give the temperature of the
probabilities and the threshold under which a message is out of scope.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse  # type: ignore[import-untyped]

from bot.understanding.intents import OUT_OF_SCOPE, DensePart, IntentModel, Vector
from bot.understanding.ngrams import Vocabulary, learn_vocabulary
from core.providers.embeddings import Encoder

SHARPNESS = 1.0
NGRAM_SHARE = 0.5
BIAS_SHARE = 0.05
RIDGE = 0.3
FOLDS = 5
ROWS_AT_ONCE = 256
MAX_FULLY_FOLDED = 6_000
TEMPERATURES = np.geomspace(1.0, 16.0, 41)
MIN_OUT_OF_SCOPE_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class UnseenScores:
    """Scores of phrases by fits that had not seen them; `strangers` belong to no taught intent."""

    scores: Vector
    classes: NDArray[np.intp]
    strangers: Vector


def fit(examples: Sequence[tuple[str, str]], encoder: Encoder | None) -> IntentModel:
    """Fit and calibrate a model on (phrase, intent) pairs; see `intents.train`."""
    texts = [text for text, _ in examples]
    labels = tuple(sorted({intent for _, intent in examples}))
    if len(labels) < 2:
        raise ValueError("training needs phrases of at least two intents")
    rows = {label: row for row, label in enumerate(labels)}
    classes = np.array([rows[intent] for _, intent in examples])

    vocabulary = learn_vocabulary(texts)
    ngrams = _ngram_matrix(texts, vocabulary)
    exemplars, mean = _centred_vectors(texts, encoder)
    kernel = _kernel(ngrams, exemplars)
    targets = _targets(classes, len(labels))

    unseen = _unseen_scores(kernel, targets, classes, rows.get(OUT_OF_SCOPE, -1))
    temperature = best_temperature(unseen.scores, unseen.classes)
    threshold = best_threshold(unseen, rows.get(OUT_OF_SCOPE, -1))

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
        encoder=encoder,
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


def best_threshold(unseen: UnseenScores, out_of_scope: int) -> float:
    """Return the familiarity under which a message is taken for out of scope.

    Weighs the share of rightly named phrases that would be refused against the share of strangers
    that would be named (Youden's index), on phrases that the fit had not seen.
    """
    best, familiarity = unseen.scores.argmax(axis=1), unseen.scores.max(axis=1)
    right = familiarity[(best == unseen.classes) & (best != out_of_scope)]
    foreign = unseen.scores[unseen.classes == out_of_scope]
    foreign = np.concatenate([foreign, unseen.strangers])
    accepted = foreign.max(axis=1)[foreign.argmax(axis=1) != out_of_scope]
    candidates = np.linspace(-1.0, 1.0, 201)
    costs = [
        float((right < candidate).sum()) / max(len(right), 1)
        + float((accepted >= candidate).sum()) / max(len(foreign), 1)
        for candidate in candidates
    ]
    return float(candidates[int(np.argmin(costs))])


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


def _centred_vectors(texts: Sequence[str], encoder: Encoder | None) -> tuple[Vector | None, Vector]:
    """Encode texts, subtract their mean and bring them back to length 1."""
    if encoder is None:
        return None, np.zeros(0, dtype=np.float32)
    vectors = encoder.encode(texts)
    mean = vectors.mean(axis=0)
    vectors -= mean
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors, mean


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
    kernel: Vector, targets: Vector, classes: NDArray[np.intp], out_of_scope: int
) -> UnseenScores:
    """Score phrases by fits that did not see them.

    Where few phrases teach what is out of scope, each fit also misses some whole intents, whose
    phrases stand for the strangers that a customer will write.
    """
    taught = float((classes == out_of_scope).mean())
    scores, rows, strangers = [], [], []
    for fold, in_fold in _folds(classes):
        missed = np.zeros(len(classes), dtype=bool)
        if taught < MIN_OUT_OF_SCOPE_SHARE:
            missed = (classes % (2 * FOLDS) == fold) & (classes != out_of_scope)
        left_out, foreign = np.flatnonzero(in_fold & ~missed), np.flatnonzero(missed)
        kept = np.flatnonzero(~in_fold & ~missed)
        weights = _solve(kernel[np.ix_(kept, kept)], targets[kept])
        scores.append(kernel[np.ix_(left_out, kept)] @ weights)
        strangers.append(kernel[np.ix_(foreign, kept)] @ weights)
        rows.append(left_out)
    return UnseenScores(
        np.concatenate(scores), classes[np.concatenate(rows)], np.concatenate(strangers)
    )


def _folds(classes: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Deal each class's phrases over the folds; a large set is judged on one fold alone."""
    order = np.random.default_rng(0).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    place = np.empty(len(classes), dtype=np.intp)
    place[order] = np.arange(len(classes)) % FOLDS
    folds = FOLDS if len(classes) <= MAX_FULLY_FOLDED else 1
    for fold in range(folds):
        yield fold, place == fold
