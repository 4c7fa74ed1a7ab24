"""What each document of an organization is about: the subjects and intents of its title.

Read when a document is indexed, never while a customer waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from knowledge.space import Vectors

# What a customer who writes this text, with this raw vector, would want: intents and their shares.
IntentReader = Callable[[str, Vectors], Mapping[str, float]]

INTENT_COLUMNS = 32
COMPARED_DOCUMENTS = 5_000
FIRST_ROWS = 64
MOSTLY_FAMILIAR = 0.5

Row = NDArray[np.float32]


class Readings:
    """One row a document: roots of the shares of its subjects, then of its intents."""

    def __init__(self, subjects: int) -> None:
        self._subjects = subjects
        self._columns: dict[str, int] = {}
        self._rows = np.zeros((FIRST_ROWS, subjects + INTENT_COLUMNS), dtype=np.float32)
        self._ids: list[UUID] = []
        self._places: dict[UUID, int] = {}
        self._familiar: dict[UUID, float] = {}
        self._all_familiar = 0.0

    def __contains__(self, document_id: UUID) -> bool:
        return document_id in self._places

    def row(self, subjects: Row | None, intents: Mapping[str, float]) -> Row:
        """A text's reading as a row; intents beyond the columns there are count for nothing."""
        row = np.zeros(self._rows.shape[1], dtype=np.float32)
        if subjects is not None:
            row[: self._subjects] = subjects
        for intent, share in intents.items():
            if intent not in self._columns and len(self._columns) < INTENT_COLUMNS:
                self._columns[intent] = len(self._columns)
            if intent in self._columns:
                row[self._subjects + self._columns[intent]] = max(share, 0.0) ** 0.5
        return row

    def put(self, document_id: UUID, row: Row) -> None:
        """Keep a document's row, in the place of its former one.

        Its intents count as far as it has a subject: those of a text that no help centre would
        hold say nothing.
        """
        place = self._places.get(document_id)
        self._all_familiar -= self._familiar.get(document_id, 0.0)
        if place is None:
            place = self._places[document_id] = len(self._ids)
            self._ids.append(document_id)
            if place == len(self._rows):
                self._rows = np.vstack([self._rows, np.zeros_like(self._rows)])
        self._rows[place] = row
        self._rows[place, self._subjects :] *= float((row[: self._subjects] ** 2).sum())
        self._familiar[document_id] = float((row[self._subjects :] ** 2).sum())
        self._all_familiar += self._familiar[document_id]

    def remove(self, document_id: UUID) -> None:
        """Forget a document; the last row takes its place."""
        place = self._places.pop(document_id, None)
        if place is None:
            return
        self._all_familiar -= self._familiar.pop(document_id)
        last = self._ids.pop()
        if last != document_id:
            self._ids[place] = last
            self._places[last] = place
            self._rows[place] = self._rows[len(self._ids)]

    def familiar(self, document_id: UUID) -> float:
        """How much of a document's matter the taught intents know, 0 to 1; 1 until it is read.

        That is what they tell of its title, and less where they know less than half of all titles:
        among documents of other matters a title is known by chance.
        """
        if document_id not in self._familiar:
            return 1.0
        return self._familiar[document_id] * self._share_known()

    def _share_known(self) -> float:
        """1 where intents know at least half of all titles, or none are read; less otherwise."""
        if not self._columns:
            return 1.0
        known = self._all_familiar / max(1, len(self._familiar))
        return min(1.0, known / MOSTLY_FAMILIAR)

    def agreements(self, row: Row, subject_weight: float, intent_weight: float) -> Agreements:
        """How far each document is about what a question's row is about.

        Among documents of other matters both agree by chance, and count for less.
        """
        known = self._share_known()
        weights = np.empty_like(row)
        weights[: self._subjects] = known * subject_weight * row[: self._subjects]
        weights[self._subjects :] = known * intent_weight * row[self._subjects :]
        return Agreements(self._ids, self._places, self._rows, weights)


class Agreements:
    """How far the documents of one organization are about what one question is about."""

    def __init__(
        self, ids: list[UUID], places: Mapping[UUID, int], rows: Row, weights: Row
    ) -> None:
        self._ids, self._places, self._rows, self._weights = ids, places, rows, weights
        few = len(ids) <= COMPARED_DOCUMENTS
        # All at once where there are few: one by one costs more.
        self._scores: list[float] | None = (rows[: len(ids)] @ weights).tolist() if few else None

    def of(self, document_id: UUID) -> float:
        place = self._places.get(document_id)
        if place is None:
            return 0.0
        if self._scores is not None:
            return self._scores[place]
        return float(self._rows[place] @ self._weights)

    def best(self, limit: int) -> list[UUID]:
        """The documents that agree most, in no order.

        None of a large organization, where many would: nearness and words have to find them.
        """
        if self._scores is None:
            return []
        if len(self._ids) <= limit:
            return list(self._ids)
        places = np.argpartition(np.negative(self._scores), limit)[:limit]
        return [self._ids[place] for place in places.tolist()]
