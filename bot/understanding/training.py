"""How are intents learned from phrases? Kernel ridge regression, calibrated on what it left out.

One kernel adds a Gaussian over centred sentence vectors to the cosine of n-gram vectors, so that
meaning (across languages) and wording (SMS spelling, names) are weighed in one closed-form fit:
seconds for ten thousand phrases. The same factorisation gives each phrase's score by the fit that
had all others but not it, and by the fit without its whole label; from these come the temperature
of the probabilities, the threshold under which a message is out of scope, and the doubtful phrases
on which a slower second encoder is worth its time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse  # type: ignore[import-untyped]

from bot.understanding.intents import OUT_OF_SCOPE, REFUSED_SHARE, IntentModel
from bot.understanding.ngrams import Vocabulary, learn_vocabulary
from bot.understanding.scoring import (
    Calibration,
    Fit,
    Membership,
    SecondBudget,
    SecondOpinion,
    Space,
    Vector,
    familiarity,
    gaussian,
)
from bot.understanding.strangers import best_cut, learn_membership

NGRAM_SHARE = 0.35
BIAS_SHARE = 0.05
RIDGE = 0.2
SECOND_RIDGE = 0.3
# Rightly read phrases whose score is as low as in this share of them are not worth asking about.
STRANGE_SHARE = 0.005
ROWS_AT_ONCE = 256
# From so many phrases on, only this many of a sentence vector's 512 dimensions are compared:
# accuracy is as with all of them within its error, here and on the public sets.
PHRASES_TO_SHORTEN = 2_500
MAIN_AXES = 128
TEMPERATURES = np.geomspace(1.0, 32.0, 51)
NOISES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15)

EncodeRows = Callable[[NDArray[np.intp]], Vector]
Classes = NDArray[np.intp]


def fit(
    examples: Sequence[tuple[str, str]],
    vectors: Vector | None,
    second_vectors: EncodeRows | None,
    refused_share: float | None,
    budget: SecondBudget,
) -> IntentModel:
    """Fit and calibrate a model on (phrase, intent) pairs; see `intents.train`.

    `vectors` holds the phrases' raw sentence vectors, shape (phrases, dimensions); None fits on
    n-grams alone. `second_vectors` encodes the phrases of given rows by the second encoder, within
    `budget`. The model that is returned has no encoders.
    """
    labels = tuple(sorted({intent for _, intent in examples}))
    if len(labels) < 2:
        raise ValueError("training needs phrases of at least two intents")
    rows = {label: row for row, label in enumerate(labels)}
    out_of_scope = rows.get(OUT_OF_SCOPE)
    classes = np.array([rows[intent] for _, intent in examples])

    lesson = _lesson([text for text, _ in examples], vectors, classes, len(labels))
    first, held_out = _first_fit(lesson, learn_strangers=out_of_scope is None)
    second = None
    if second_vectors is not None:
        second, held_out = _second_fit(lesson, first, held_out, second_vectors, budget)
    threshold, membership = _boundary(lesson, held_out, out_of_scope, refused_share)
    return IntentModel(
        labels=labels,
        vocabulary=lesson.vocabulary,
        space=lesson.space,
        first=first,
        second=second,
        threshold=threshold,
        membership=membership,
    )


@dataclass(frozen=True, eq=False)
class _Lesson:
    """The phrases as arrays. `kernel` compares each with each; `targets` are 1 for its own label.

    `nearest` is each phrase's nearness to its nearest other, `nearest_stranger` to the nearest
    phrase of another label.
    """

    vocabulary: Vocabulary
    ngrams: sparse.csr_matrix
    space: Space | None
    kernel: Vector
    classes: Classes
    targets: Vector
    nearest: Vector
    nearest_stranger: Vector


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """Each phrase's scores by the fit that had not seen it, and by that without its whole label.

    `strangers` is None where out of scope is taught: nobody needs to be imagined then.
    """

    unseen: Vector
    strangers: Vector | None


def _lesson(texts: Sequence[str], vectors: Vector | None, classes: Classes, count: int) -> _Lesson:
    vocabulary = learn_vocabulary(texts)
    ngrams = _ngram_matrix(texts, vocabulary)
    space = None if vectors is None else _space(vectors)
    nothing = np.zeros(len(texts), dtype=np.float32)
    near = (nothing, nothing) if space is None else _nearest_others(space, classes)
    kernel = _kernel(ngrams, space)
    return _Lesson(
        vocabulary, ngrams, space, kernel, classes, _targets(classes, count), near[0], near[1]
    )


def _first_fit(lesson: _Lesson, learn_strangers: bool) -> tuple[Fit, _HeldOut]:
    weights, held_out = _solve(lesson.kernel.copy(), lesson, RIDGE, learn_strangers)
    calibration = best_calibration(held_out.unseen, lesson.classes)
    return _as_fit(weights, lesson.ngrams, lesson.space, calibration), held_out


def _second_fit(
    lesson: _Lesson,
    first: Fit,
    before: _HeldOut,
    encode_rows: EncodeRows,
    budget: SecondBudget,
) -> tuple[SecondOpinion, _HeldOut]:
    """Fit again with the second encoder's space; return what the two together say of each phrase.

    The lesson's kernel is worked in and lost.
    """
    floor = best_threshold(before.unseen, lesson.classes, -1, STRANGE_SHARE, lesson.nearest)
    chosen = _most_doubtful(before.unseen, budget.phrases)
    own = _space(encode_rows(chosen))
    lesson.kernel[np.ix_(chosen, chosen)] += gaussian(own.exemplars @ own.exemplars.T)
    weights, after = _solve(lesson.kernel, lesson, SECOND_RIDGE, before.strangers is not None)
    calibration = best_calibration(after.unseen, lesson.classes)
    fitted = _as_fit(weights, lesson.ngrams, lesson.space, calibration)

    def together(one: Vector, other: Vector, nearest: Vector) -> Vector:
        asked = first.calibration.probabilities(one).max(axis=1) < budget.doubt
        asked &= familiarity(one, nearest) >= floor
        return np.where(asked[:, None], other, one)

    strangers = None
    if before.strangers is not None and after.strangers is not None:
        strangers = together(before.strangers, after.strangers, lesson.nearest_stranger)
    held_out = _HeldOut(together(before.unseen, after.unseen, lesson.nearest), strangers)
    return SecondOpinion(own, weights[chosen], fitted, budget.doubt, floor), held_out


def _boundary(
    lesson: _Lesson, held_out: _HeldOut, out_of_scope: int | None, refused_share: float | None
) -> tuple[float, Membership | None]:
    """Return the familiarity under which there is no intent, and how likely there is one at all."""
    if held_out.strangers is None:
        taught = -1 if out_of_scope is None else out_of_scope
        share = REFUSED_SHARE if refused_share is None else refused_share
        cut = best_threshold(held_out.unseen, lesson.classes, taught, share, lesson.nearest)
        return cut, None
    known = familiarity(held_out.unseen, lesson.nearest)
    strangers = familiarity(held_out.strangers, lesson.nearest_stranger)
    if refused_share is None:
        right = held_out.unseen.argmax(axis=1) == lesson.classes
        cut = best_cut(known, right, strangers)
    else:
        cut = best_threshold(held_out.unseen, lesson.classes, -1, refused_share, lesson.nearest)
    return cut, learn_membership(known, strangers)


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


def _nearest_others(space: Space, classes: Classes) -> tuple[Vector, Vector]:
    """Return each phrase's nearness to the nearest other, and to the nearest of another label."""
    nearest = np.empty((2, len(classes)), dtype=np.float32)
    for start in range(0, len(classes), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(classes)))
        cosines = space.exemplars[rows] @ space.exemplars.T
        cosines[rows - start, rows] = -1.0
        nearest[0, rows] = cosines.max(axis=1)
        cosines[classes[rows][:, None] == classes] = -1.0
        nearest[1, rows] = cosines.max(axis=1)
    return gaussian(nearest[0]), gaussian(nearest[1])


def _space(vectors: Vector) -> Space:
    """Subtract the vectors' mean and bring them back to length 1; shorten many to main axes."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    if len(vectors) < PHRASES_TO_SHORTEN or vectors.shape[1] <= MAIN_AXES:
        return Space(mean, centred)
    _, directions = np.linalg.eigh(centred.T @ centred)
    axes = np.ascontiguousarray(directions[:, : -MAIN_AXES - 1 : -1])
    return Space(mean, centred @ axes, axes)


def _targets(classes: Classes, count: int) -> Vector:
    targets = np.full((len(classes), count), -1.0, dtype=np.float32)
    targets[np.arange(len(classes)), classes] = 1.0
    return targets


def _solve(
    kernel: Vector, lesson: _Lesson, ridge: float, learn_strangers: bool
) -> tuple[Vector, _HeldOut]:
    """Return a ridge fit's weights, and what it would say of each phrase that it had not seen.

    Leaving one out has a closed form: target minus weight over the diagonal of the inverse; leaving
    a label out has the same with the label's block of it. The kernel's memory is worked in and
    lost.
    """
    kernel[np.diag_indices(len(kernel))] += ridge
    # Symmetric, so the transpose is the same matrix in the order that LAPACK works in place.
    factor, failed = linalg.lapack.spotrf(kernel.T, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise ValueError("the phrases' kernel is not positive definite")
    weights = linalg.cho_solve((factor, True), lesson.targets, check_finite=False)
    weights = weights.astype(np.float32)
    inverse, _ = linalg.lapack.strtri(factor, lower=1, overwrite_c=1)
    diagonal = np.empty(len(kernel), dtype=np.float32)
    strangers = np.empty_like(lesson.targets) if learn_strangers else None
    for label in range(lesson.targets.shape[1]):
        rows = np.flatnonzero(lesson.classes == label)
        half = inverse[rows[0] :, rows]
        diagonal[rows] = np.einsum("ij,ij->j", half, half)
        if strangers is not None:
            changed = np.linalg.solve(half.T @ half, weights[rows])
            strangers[rows] = lesson.targets[rows] - changed
            strangers[rows, label] = -np.inf
    unseen: Vector = lesson.targets - weights / diagonal[:, None]
    return weights, _HeldOut(unseen, strangers)
