"""An article to begin with for questions that have no answer: nothing in it is made up.

It holds the customers' questions and what the nearest documents say, both quoted; a person writes
the answer and publishes it. Addresses and long numbers of customers are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.documents import MAXIMUM_TITLE_CHARACTERS, NewDocument
from knowledge.search import SearchHit

MOST_QUESTIONS = 8
LONGEST_QUOTED_QUESTION = 300
_TITLE_CHARACTERS = 160
_PRIVATE = re.compile(r"\S+@\S+|\+?\d[\d .-]{7,}\d|\b[A-Z]{2,5}-\d{4}-\d{3,}\b")
_HEADINGS = {
    "fr": ("Ce que les clients demandent", "Ce que disent déjà nos documents"),
    "en": ("What customers ask", "What our documents say already"),
}


def draft_article(
    language: str, question: str, asked: Sequence[str], hits: Sequence[SearchHit]
) -> NewDocument:
    """A draft whose title is the question in the middle of a group.

    Headings are French for French questions and English for all others.
    """
    spoken = language if language in _HEADINGS else "en"
    questions_heading, passages_heading = _HEADINGS[spoken]
    different = list(dict.fromkeys(map(_quoted_question, [question, *asked])))
    parts = [f"## {questions_heading}"]
    parts.append("\n".join(f"- {one}" for one in different[:MOST_QUESTIONS] if one))
    if hits:
        parts.append(f"## {passages_heading}")
        parts += [f"### {hit.title}\n\n{hit.passage.strip()}" for hit in hits]
    title = _quoted_question(question)[:_TITLE_CHARACTERS] or questions_heading
    return NewDocument(
        title=title[:MAXIMUM_TITLE_CHARACTERS],
        text="\n\n".join(parts),
        language=language,
        source_kind="text",
        status="draft",
    )


def _quoted_question(text: str) -> str:
    """A question in one line without what tells who asked it."""
    return _PRIVATE.sub("…", " ".join(text.split()))[:LONGEST_QUOTED_QUESTION]
