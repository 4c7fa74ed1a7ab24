"""How is a model written for onnxruntime, node by node, and opened?

Field numbers and types are those of onnx.proto. A model whose weights come in another form needs no
more of that format than this.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.providers.protobuf import Value, message

Floats = NDArray[np.float32]

# Operators of onnxruntime's own.
MICROSOFT = "com.microsoft"
_OPERATORS = (("", 17), (MICROSOFT, 1))
_IR_VERSION = 8
_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int8): 3, np.dtype(np.int64): 7}
_FLOAT = 1
_FLOAT_ATTRIBUTE, _INT_ATTRIBUTE, _INTS_ATTRIBUTE = 1, 2, 7


class Graph:
    """Nodes and constants in the order in which they were added; each has one result, its name."""

    def __init__(self) -> None:
        self._nodes: list[Value] = []
        self._constants: list[Value] = []

    def constant(self, values: NDArray[Any] | Sequence[int]) -> str:
        """Floats, bytes or (from a plain list) whole numbers."""
        array = np.ascontiguousarray(values)
        name = f"constant{len(self._constants)}"
        kind, data = _TYPES[array.dtype], array.tobytes()
        self._constants.append(message((1, list(array.shape)), (2, kind), (8, name), (9, data)))
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        *attributes: bytes,
        domain: str = "",
        output: str = "",
    ) -> str:
        name = output or f"node{len(self._nodes)}"
        self._nodes.append(
            message((1, list(inputs)), (2, name), (4, operator), (5, attributes), (7, domain))
        )
        return name

    def in_bytes(self, rows: str, matrix: Floats, bias: Floats) -> str:
        """`rows` times a matrix (columns in, columns out) in 8 bits with a scale a column.

        What it is multiplied with is put into 8 bits while it runs.
        """
        scales = np.abs(matrix).max(axis=0) / np.float32(127.0)
        inputs = [
            rows,
            self.constant(np.rint(matrix / scales).astype(np.int8)),
            self.constant(scales),
            self.constant(np.zeros(matrix.shape[1], dtype=np.int8)),
            self.constant(bias),
        ]
        return self.node("DynamicQuantizeMatMul", inputs, domain=MICROSOFT)

    def model(self, name: str, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
        """The whole model, as a file holds it."""
        nodes, constants = self._nodes, self._constants
        body = message((1, nodes), (2, name), (5, constants), (11, inputs), (12, outputs))
        operators = [message((1, domain), (2, version)) for domain, version in _OPERATORS]
        return message((1, _IR_VERSION), (7, body), (8, operators))


def attribute(name: str, value: float | Sequence[int]) -> bytes:
    """A setting of a node: a whole number, a float or a list of whole numbers."""
    if isinstance(value, int):
        return message((1, name), (3, value), (20, _INT_ATTRIBUTE))
    if isinstance(value, float):
        return message((1, name), (2, value), (20, _FLOAT_ATTRIBUTE))
    return message((1, name), (8, list(value)), (20, _INTS_ATTRIBUTE))


def floats(name: str, *shape: int | str) -> bytes:
    """An input or output of floats; a named length is any length."""
    lengths = [message((1 if isinstance(one, int) else 2, one)) for one in shape]
    tensor = message((1, _FLOAT), (2, message((1, lengths))))
    return message((1, name), (2, message((1, tensor))))


def open_model(path: Path) -> Any:
    """An onnxruntime session on one thread; the file may go afterwards.

    From a file: as bytes a model would take its size more for good.
    """
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The arena would keep the memory of the longest text for good.
    options.enable_cpu_mem_arena = False
    # The graphs are written as they should run: joining more nodes made them slower.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
