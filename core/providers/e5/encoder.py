"""How near is a question to a passage? Vectors that were taught on questions and their answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.memory import give_back_freed_memory
from core.providers import onnx_models
from core.providers.e5.graph import model
from core.providers.e5.pieces import Pieces, prepare
from core.providers.e5.weights import Weights
from core.providers.onnx_models import open_model
from core.providers.prepared import open_prepared

# A passage of 700 characters has about 170 pieces.
MOST_PIECES = 256
MAXIMUM_CHARACTERS = 2_000
REMEMBERED_QUESTIONS = 128
# Some 40 pieces, which take less than twice the time of a word.
SHORT_QUESTION_CHARACTERS = 160
# Threads that come and go leave the memory of their runs behind, some 15 MB in all.
RUNS_UNTIL_GIVEN_BACK = 100
# The model was taught with these words before its texts.
QUESTION = "query: "
PASSAGE = "passage: "
MODEL_FILE = "model.onnx"


class E5Encoder:
    """multilingual-e5-small with weights of 8 bits, about 5 ms of CPU a question.

    It takes about 65 MB, and half a second at the first use unless an earlier process has left in
    `folder` what its weights become. One thread: see `EmbeddedEncoder`.
    """

    name = "multilingual-e5-small-int8"

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self.folder = folder
        self._path = path
        self._weights = Weights(path)
        self.dimensions = self._weights.width
        self._session: Any = None
        self._pieces: Pieces | None = None
        self._places: NDArray[np.float32] | None = None
        self._recent: dict[str, NDArray[np.float32]] = {}
        self._runs = 0
        self._lock = threading.Lock()

    def questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row a question: (len(texts), dimensions).

        A single one is remembered for a while: a turn may search twice.
        """
        if len(texts) != 1:
            return self._encode(QUESTION, texts)
        known = self._recent.get(texts[0])
        if known is None:
            known = self._encode(QUESTION, texts)
            known.flags.writeable = False
            if len(self._recent) >= REMEMBERED_QUESTIONS:
                self._recent.clear()
            self._recent[texts[0]] = known
        return known

    def question_at_once(self, text: str) -> NDArray[np.float32] | None:
        """A short question's row; None where it is long, or would wait for another's.

        It takes 2 to 4 ms, of which the way to a thread and back would take another .4.
        """
        if self._session is None or len(text) > SHORT_QUESTION_CHARACTERS or self._lock.locked():
            return None
        found: NDArray[np.float32] = self.questions([text])[0]
        return found

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row a passage or title: (len(texts), dimensions)."""
        return self._encode(PASSAGE, texts)

    def _encode(self, kind: str, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for place, text in enumerate(texts):
            # By text: a long list leaves room for the question that comes meanwhile.
            with self._lock:
                vectors[place] = self._run(kind + text[:MAXIMUM_CHARACTERS])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return vectors

    def _run(self, text: str) -> NDArray[np.float32]:
        if self._session is None or self._pieces is None or self._places is None:
            self._session, self._pieces, self._places = self._open()
        pieces = self._pieces.of(text, MOST_PIECES - 2)
        rows = self._weights.rows("emb.word", pieces) + self._places[: len(pieces)]
        mean: NDArray[np.float32] = self._session.run(None, {"rows": rows[None]})[0][0]
        self._runs += 1
        if self._runs % RUNS_UNTIL_GIVEN_BACK == 0:
            give_back_freed_memory()
        return mean

    def _open(self) -> tuple[Any, Pieces, NDArray[np.float32]]:
        ours = sorted(Path(__file__).parent.glob("*.py"))
        sources = [self._path, *ours, Path(onnx_models.__file__)]
        session, words = open_prepared(
            self.folder, "e5", sources, self._prepare, self._open_prepared
        )
        give_back_freed_memory()
        width = self._weights.width
        places = self._weights.vector("emb.pos").reshape(-1, width)[:MOST_PIECES]
        kind = self._weights.vector("emb.type")[:width]
        return session, words, places + kind

    def _prepare(self, folder: Path) -> None:
        (folder / MODEL_FILE).write_bytes(model(self._weights))
        prepare(self._weights.vocabulary(), folder)

    def _open_prepared(self, folder: Path) -> tuple[Any, Pieces]:
        return open_model(folder / MODEL_FILE), Pieces(folder, self._weights.replaced())
