"""The encoder as a model that onnxruntime runs: 12 layers of attention, their weights in 8 bits.

The model's input `rows` are the vectors of one text's pieces, (1, pieces, width); its output
`mean` their mean after the last layer, (1, width). Each matrix has a scale a column; what it is
multiplied with is put into 8 bits while it runs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.providers.e5.protobuf import Value, message
from core.providers.e5.weights import Weights

# Element types and attribute types of onnx.proto.
_FLOAT, _INT8 = 1, 3
_FLOAT_ATTRIBUTE, _INT_ATTRIBUTE, _INTS_ATTRIBUTE = 1, 2, 7
_IR_VERSION = 8
_OPERATORS = (("", 17), ("com.microsoft", 1))
_MICROSOFT = "com.microsoft"


class _Graph:
    """Nodes and constants in the order in which they were added."""

    def __init__(self) -> None:
        self.nodes: list[Value] = []
        self.constants: list[Value] = []

    def constant(self, name: str, values: NDArray[np.float32] | NDArray[np.int8]) -> str:
        kind = _INT8 if values.dtype == np.int8 else _FLOAT
        data = np.ascontiguousarray(values).tobytes()
        self.constants.append(message((1, list(values.shape)), (2, kind), (8, name), (9, data)))
        return name

    def node(
        self, operator: str, inputs: list[str], output: str, domain: str, *attributes: bytes
    ) -> str:
        self.nodes.append(
            message((1, inputs), (2, output), (4, operator), (5, attributes), (7, domain))
        )
        return output


def model(weights: Weights) -> bytes:
    """The whole model, about 22 MB."""
    graph = _Graph()
    names = [graph.constant(one, weights.vector(one)) for one in ("emb.ln.w", "emb.ln.b")]
    epsilon = _attribute("epsilon", weights.epsilon)
    rows = graph.node("LayerNormalization", ["rows", *names], "first", "", epsilon)
    for layer in range(weights.layers):
        rows = _layer(graph, weights, layer, rows)
    middle = message((1, "axes"), (8, [1]), (20, _INTS_ATTRIBUTE))
    graph.node("ReduceMean", [rows], "mean", "", middle, _attribute("keepdims", 0))
    body = message(
        (1, graph.nodes),
        (2, "multilingual-e5-small"),
        (5, graph.constants),
        (11, _value("rows", 1, "pieces", weights.width)),
        (12, _value("mean", 1, weights.width)),
    )
    operators = [message((1, domain), (2, version)) for domain, version in _OPERATORS]
    return message((1, _IR_VERSION), (7, body), (8, operators))


def _layer(graph: _Graph, weights: Weights, layer: int, rows: str) -> str:
    """Attention, then two matrices with a bend between them; each is added to what came in."""
    name = f"l{layer}"
    width, inner = weights.width, weights.inner_width
    asked = [_times(graph, weights, f"{name}.{one}", rows, width) for one in "qkv"]
    heads = _attribute("num_heads", weights.heads)
    seen = graph.node("MultiHeadAttention", asked, f"{name}.seen", _MICROSOFT, heads)
    seen = _times(graph, weights, f"{name}.ao", seen, width)
    rows = _added(graph, weights, f"{name}.aln", rows, seen)
    thought = _times(graph, weights, f"{name}.fi", rows, width)
    thought = graph.node("Gelu", [thought], f"{name}.bent", _MICROSOFT)
    thought = _times(graph, weights, f"{name}.fo", thought, inner)
    return _added(graph, weights, f"{name}.oln", rows, thought)


def _times(graph: _Graph, weights: Weights, name: str, rows: str, columns: int) -> str:
    matrix = weights.matrix(f"{name}.w", columns)
    scales = np.abs(matrix).max(axis=1) / np.float32(127.0)
    whole = np.rint(matrix / scales[:, None]).astype(np.int8)
    inputs = [
        rows,
        graph.constant(f"{name}.whole", whole.T),
        graph.constant(f"{name}.scales", scales),
        graph.constant(f"{name}.zeros", np.zeros(len(matrix), dtype=np.int8)),
        graph.constant(f"{name}.b", weights.vector(f"{name}.b")),
    ]
    return graph.node("DynamicQuantizeMatMul", inputs, f"{name}.times", _MICROSOFT)


def _added(graph: _Graph, weights: Weights, name: str, rows: str, more: str) -> str:
    """The sum of both, each row brought to mean 0 and spread 1."""
    names = [graph.constant(f"{name}.{one}", weights.vector(f"{name}.{one}")) for one in "wb"]
    epsilon = _attribute("epsilon", weights.epsilon)
    inputs = [rows, more, *names]
    return graph.node("SkipLayerNormalization", inputs, f"{name}.added", _MICROSOFT, epsilon)


def _attribute(name: str, value: float) -> bytes:
    if isinstance(value, int):
        return message((1, name), (3, value), (20, _INT_ATTRIBUTE))
    return message((1, name), (2, value), (20, _FLOAT_ATTRIBUTE))


def _value(name: str, *shape: int | str) -> bytes:
    """An input or output of the graph; a named length is any length."""
    lengths = [message((1 if isinstance(one, int) else 2, one)) for one in shape]
    tensor = message((1, _FLOAT), (2, message((1, lengths))))
    return message((1, name), (2, message((1, tensor))))
