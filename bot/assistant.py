"""The configuration that a conversation begins with; later releases bring others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Assistant:
    """How the assistant behaves: whose it is, and how sure it must be.

    Scores are those of `knowledge.ranking` (0 to 1). From `sure_score` on an answer is given as it
    is; from `answer_score` on with a word of doubt and the offer of a human; below it the
    assistant says that it does not know. A question that hardly seems to be about the shop needs
    `strict_answer_score`; one that seems to ask what furniture costs or is like is answered by a
    document from `sure_of_documents_score` on.
    """

    revision: int = 1
    shop_name: str = "Meuble de France"
    sure_score: float = 0.5
    answer_score: float = 0.2
    strict_answer_score: float = 0.7
    sure_of_documents_score: float = 0.8
