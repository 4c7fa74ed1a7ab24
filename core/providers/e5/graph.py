"""The encoder as a model that onnxruntime runs: 12 layers of attention, their weights in 8 bits.

The model's input `rows` are the vectors of one text's pieces, (1, pieces, width); its output
`mean` their mean after the last layer, (1, width). Each matrix has a scale a column; what it is
multiplied with is put into 8 bits while it runs.
"""

from __future__ import annotations

from core.providers.e5.weights import Weights
from core.providers.onnx_models import MICROSOFT, Graph, attribute, floats


def model(weights: Weights) -> bytes:
    """The whole model, about 22 MB."""
    graph = Graph()
    names = [graph.constant(weights.vector(one)) for one in ("emb.ln.w", "emb.ln.b")]
    epsilon = attribute("epsilon", weights.epsilon)
    rows = graph.node("LayerNormalization", ["rows", *names], epsilon)
    for layer in range(weights.layers):
        rows = _layer(graph, weights, f"l{layer}", rows)
    settings = (attribute("axes", [1]), attribute("keepdims", 0))
    graph.node("ReduceMean", [rows], *settings, output="mean")
    inputs, outputs = floats("rows", 1, "pieces", weights.width), floats("mean", 1, weights.width)
    return graph.model("multilingual-e5-small", [inputs], [outputs])


def _layer(graph: Graph, weights: Weights, name: str, rows: str) -> str:
    """Attention, then two matrices with a bend between them; each is added to what came in."""
    width, inner = weights.width, weights.inner_width
    asked = [_times(graph, weights, f"{name}.{one}", rows, width) for one in "qkv"]
    heads = attribute("num_heads", weights.heads)
    seen = graph.node("MultiHeadAttention", asked, heads, domain=MICROSOFT)
    seen = _times(graph, weights, f"{name}.ao", seen, width)
    rows = _added(graph, weights, f"{name}.aln", rows, seen)
    thought = _times(graph, weights, f"{name}.fi", rows, width)
    thought = graph.node("Gelu", [thought], domain=MICROSOFT)
    thought = _times(graph, weights, f"{name}.fo", thought, inner)
    return _added(graph, weights, f"{name}.oln", rows, thought)


def _times(graph: Graph, weights: Weights, name: str, rows: str, columns: int) -> str:
    matrix = weights.matrix(f"{name}.w", columns).T
    return graph.in_bytes(rows, matrix, weights.vector(f"{name}.b"))


def _added(graph: Graph, weights: Weights, name: str, rows: str, more: str) -> str:
    """The sum of both, each row brought to mean 0 and spread 1.

    Two nodes: the one that does both at once takes three times as long.
    """
    names = [graph.constant(weights.vector(f"{name}.{one}")) for one in "wb"]
    summed = graph.node("Add", [rows, more])
    return graph.node("LayerNormalization", [summed, *names], attribute("epsilon", weights.epsilon))
