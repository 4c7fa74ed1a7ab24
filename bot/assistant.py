"""The configuration that a conversation begins with; later releases bring others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Assistant:
    """How the assistant behaves: whose it is, and how sure it must be.

    Scores are those of `knowledge.search` (0 to 1). An answer needs `answer_score`; a question
    that hardly seems to be about the shop needs `strict_answer_score`.
    """

    revision: int = 1
    shop_name: str = "Meuble de France"
    answer_score: float = 0.5
    strict_answer_score: float = 0.7
