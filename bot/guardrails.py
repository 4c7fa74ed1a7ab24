"""What goes to a language model as mere data, and what of its answer may be shown.

Documents and tool results are wrapped so that they cannot pass for instructions; sentences that
come back lose markup, links and pictures that lead elsewhere, and those that tell the prompt are
refused. Who may do what is never decided here: `run_tool` does.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bot.claims import plain_url, urls
from bot.understanding.entities.text import fold

# Enough consecutive words of the prompt to tell a quotation from a coincidence.
QUOTED_WORDS = 6
QUOTED_SHARE = 0.5
SHORT_RUN_WORDS = 3

_HIDDEN = frozenset({"Cf", "Cc", "Co", "Cn", "Cs"})
_DATA_TAG = re.compile(r"</?\s*data\b[^>]*>", re.I)
_SCRIPT = re.compile(r"<(script|style|iframe|svg|object)\b.*?(?:</\1\s*>|$)", re.I | re.S)
_TAG = re.compile(r"</?[a-z!][^<>]*>?", re.I)
_IMAGE = re.compile(r"!\[([^\]]*)\]\s*(?:\(([^)]*)\)?|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\]]*)\]\s*(?:\(([^)]*)\)?|\[[^\]]*\])")
_DEFINITION = re.compile(r"^\s*\[[^\]]+\]:\s*\S+.*$", re.M)
_SCHEME = re.compile(r"\b(?:javascript|data|vbscript|file):\S*", re.I)
_MARKUP = re.compile(r"\*\*|__|`+|^#{1,6}\s+", re.M)
_WORD = re.compile(r"[a-z0-9]+")


def visible(text: str) -> str:
    """The text without characters that no reader sees: format, bidi, tag and control ones."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in _HIDDEN)


def as_data(name: str, text: str) -> str:
    """Wrap a document or tool result; it can neither close its own wrapping nor hide letters."""
    inside = _DATA_TAG.sub("", visible(text))
    return f'<data name="{name}">\n{inside}\n</data>'


def showable(text: str, evidence: Iterable[str]) -> str:
    """A sentence of a model as it may be shown: no HTML, and no address but those of the evidence.

    A picture is dropped: products have their own. A link keeps its words, and stays whole where
    the evidence has exactly that address: a changed one could carry something away.
    """
    known = {plain_url(url) for part in evidence for url in urls(part)}
    shown = _DEFINITION.sub("", _without_html(visible(text)))
    shown = _LINK.sub(lambda match: _kept_link(match, known), _IMAGE.sub("", shown))
    shown = _SCHEME.sub("", shown)
    for url in urls(shown):
        if plain_url(url) not in known:
            shown = shown.replace(url, "")
    return re.sub(r"[ \t]{2,}", " ", _MARKUP.sub("", shown)).strip()


def _kept_link(match: re.Match[str], known: set[str]) -> str:
    address = (match[2] or "").strip().split(" ")[0]
    return match[0] if address and plain_url(address) in known else match[1]


def _without_html(text: str) -> str:
    """Remove tags until none is left: one may be hidden in the pieces of another."""
    while True:
        shorter = _TAG.sub("", _SCRIPT.sub("", text))
        if shorter == text:
            return text
        text = shorter


@dataclass(frozen=True)
class PromptSeal:
    """Tells whether a sentence repeats the prompt: by a word that only it has, or word by word."""

    canary: str
    words: tuple[str, ...]

    def is_broken_by(self, sentence: str) -> bool:
        if self.canary in sentence:
            return True
        said = _WORD.findall(fold(sentence))
        if _runs(said, QUOTED_WORDS) & _runs(self.words, QUOTED_WORDS):
            return True
        runs = _runs(said, SHORT_RUN_WORDS)
        shared = runs & _runs(self.words, SHORT_RUN_WORDS)
        return len(runs) > 1 and len(shared) >= QUOTED_SHARE * len(runs)


def sealed(prompt: str) -> tuple[str, PromptSeal]:
    """A prompt with a word that nothing else says, and what recognises its repetition."""
    canary = f"k{secrets.token_hex(6)}"
    seal = PromptSeal(canary, tuple(_WORD.findall(fold(prompt))))
    return f"{prompt}\n[{canary}]", seal


def _runs(words: Iterable[str], length: int) -> set[tuple[str, ...]]:
    listed = list(words)
    return {tuple(listed[i : i + length]) for i in range(len(listed) - length + 1)}
