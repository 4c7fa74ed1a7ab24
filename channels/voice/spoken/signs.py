"""Markup that is not read, abbreviations, and signs that have names."""

from __future__ import annotations

import re

from channels.voice.spoken.wording import Wording

_MARKUP = re.compile(r"\*\*|__|`+|^\s{0,3}#{1,6}\s+|^\s*>\s?", re.MULTILINE)
_ITEM = re.compile(r"^\s*[-*•–]\s+", re.MULTILINE)
_CITATION = re.compile(r"\s?\[\d{1,2}\]")
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]")
_LINE_END = re.compile(r"(?<=[^\s.!?:;,…])[ \t]*\n")


def plain_text(text: str) -> str:
    """Without markup, pictures and marks of sources; each line ends as a sentence does."""
    text = _PICTURES.sub(" ", _CITATION.sub("", text))
    text = _ITEM.sub("", _MARKUP.sub("", text)).replace("’", "'")
    return _LINE_END.sub(".\n", text)


def say_abbreviations(text: str, wording: Wording) -> str:
    """`Mme`, `env.`, `TTC` in full; `SAV` letter by letter."""
    for written, said in wording.abbreviations.items():
        flags = re.IGNORECASE if written == written.lower() else 0
        ending = r"(?=\s|$|[,;:)])" if written.endswith(".") else r"(?!\w)"
        text = re.sub(rf"(?<![\w.]){re.escape(written)}{ending}", said, text, flags=flags)
    if wording.spelt:
        names = "|".join(map(re.escape, sorted(wording.spelt)))
        text = re.sub(rf"(?<!\w)(?:{names})(?!\w)", lambda found: " ".join(found[0]), text)
    return text


def say_signs(text: str, wording: Wording) -> str:
    """`%`, `&`, `+`, `=`, `~` and `°` by name; a slash between words is a pause."""
    words = wording.words
    for pattern, said in (
        (r"[ \u00a0\u202f]?%", f" {words['percent']}"),
        (r"\s?&\s?", f" {words['and']} "),
        (r"(?<=[\w ])\+(?=[\w ])", f" {words['plus']} "),
        (r"\s=\s", f" {words['equals']} "),
        (r"[~≈]\s?(?=\d)", f"{words['about']} "),
        (r"°(?!\w)", f" {words['degrees']}"),
        (r"(?<=\w)/(?=\w)", ", "),
        (r"\s?(?:→|=>)\s?", ", "),
        (r"[«»\"_|<>{}]", " "),
    ):
        text = re.sub(pattern, said, text)
    return text
