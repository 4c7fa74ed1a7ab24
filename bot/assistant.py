"""The configuration that a conversation begins with; later releases bring others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Assistant:
    """How the assistant behaves: whose it is, and how sure it must be.

    Scores are those of `knowledge.ranking` (0 to 1). From `sure_score` on an answer is given as it
    is, up to `certain_score` with another document beside it; from `answer_score` on with a word of
    doubt and the offer of a human; below it the assistant says that it does not know. Where the
    intent says what is asked, less is enough of a document about such things and more is needed of
    one about others, by `expected_ease` and `unexpected_doubt` of what `answer_score` leaves up to
    1. A question that hardly seems to be about the shop needs `strict_answer_score`; `answer_score`
    is enough where the document is of a matter that the intents do not know either, with a word of
    doubt up to the former.

    A message that is read as a task is answered by documents first from `rather_documents_score`
    on; where the reading is in doubt from `doubtful_score` on.
    """

    revision: int = 1
    shop_name: str = "Meuble de France"
    certain_score: float = 0.8
    sure_score: float = 0.5
    answer_score: float = 0.2
    expected_ease: float = 0.0625
    unexpected_doubt: float = 0.125
    strict_answer_score: float = 0.7
    rather_documents_score: float = 0.6
    doubtful_score: float = 0.35
