"""Reads Markdown or plain text: front matter, headings, and words without their markup."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from core.errors import InvalidRequest
from knowledge.reading.source import SourceDocument, decoded, source_document

MAXIMUM_FRONT_MATTER_CHARACTERS = 10_000
MAXIMUM_TAGS = 20

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"\s*#[ \t]+(\S[^\n]*)(?:\n|\Z)")
_MARKUP = (
    (re.compile(r"^```[^\n]*$", re.MULTILINE), ""),
    (re.compile(r"!\[([^\]\n]{0,300})\]\([^)\s]{0,2000}(?:\s\"[^\"\n]{0,300}\")?\)"), r"\1"),
    (re.compile(r"\[([^\]\n]{1,300})\]\([^)\s]{0,2000}(?:\s\"[^\"\n]{0,300}\")?\)"), r"\1"),
    (re.compile(r"\*\*([^*\n]{1,500})\*\*"), r"\1"),
    (re.compile(r"__([^_\n]{1,500})__"), r"\1"),
    (re.compile(r"(?<![\w*])\*([^*\s][^*\n]{0,500}?)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_([^_\s][^_\n]{0,500}?)_(?!\w)"), r"\1"),
    (re.compile(r"`([^`\n]{1,500})`"), r"\1"),
    (re.compile(r"^>[ \t]?", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE), ""),
)


def read(data: bytes, stem: str) -> list[SourceDocument]:
    """One document; its title is the front matter's, the first heading, or the file's name."""
    text = decoded(data)
    if "\ufffd" in text and text.count("\ufffd") > len(text) / 20:
        raise InvalidRequest("The file is not text that can be read.")
    about, body = _front_matter(text)
    title = str(about.get("title") or "")
    heading = _TITLE.match(body)
    if heading is not None and title in ("", heading.group(1).strip()):
        title = heading.group(1).strip(" #")
        body = body[heading.end() :]
    for pattern, replacement in _MARKUP:
        body = pattern.sub(replacement, body)
    if not body.strip():
        body = title
    return [
        source_document(title or _readable(stem), body, "markdown", _tags(about), _language(about))
    ]


def _front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    match = _FRONT_MATTER.match(text[: MAXIMUM_FRONT_MATTER_CHARACTERS + 10])
    if match is None:
        return {}, text
    try:
        about = yaml.safe_load(match.group(1))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidRequest("The lines between --- at the top are not valid YAML.") from error
    if not isinstance(about, dict):
        return {}, text
    return about, text[match.end() :]


def _tags(about: Mapping[str, Any]) -> tuple[str, ...]:
    tags = about.get("tags") or ()
    if isinstance(tags, str):
        tags = tags.split(",")
    if not isinstance(tags, list | tuple):
        return ()
    return tuple(str(tag).strip()[:60] for tag in tags[:MAXIMUM_TAGS] if isinstance(tag, str | int))


def _language(about: Mapping[str, Any]) -> str | None:
    language = about.get("language") or about.get("lang")
    return language.lower()[:2] if isinstance(language, str) else None


def _readable(stem: str) -> str:
    return re.sub(r"[-_]+", " ", stem).strip()
