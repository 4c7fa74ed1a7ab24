"""Reads a table of questions and answers: a header, then one document a row."""

from __future__ import annotations

import csv
import io

from core.errors import InvalidRequest
from knowledge.reading.source import SourceDocument, decoded, source_document
from knowledge.words import fold

MAXIMUM_ROWS = 5_000
DELIMITERS = (";", ",", "\t")

_TITLES = (
    "question",
    "title",
    "titre",
    "sujet",
    "intitule",
    "frage",
    "titel",
    "pregunta",
    "domanda",
)
_TEXTS = (
    "answer",
    "reponse",
    "text",
    "texte",
    "content",
    "contenu",
    "body",
    "antwort",
    "respuesta",
    "risposta",
    "antwoord",
)
_LANGUAGES = ("language", "langue", "lang")
_TAGS = ("tags", "tag", "theme", "categorie", "category")


def has_known_header(text: str) -> bool:
    """Whether the first line names a title column and a text column."""
    first = text.lstrip().split("\n", 1)[0]
    return len(first) < 2_000 and _columns(first, _delimiter(first)) is not None


def read(data: bytes, stem: str) -> list[SourceDocument]:
    """One document a row; rows without a title or a text are left out."""
    text = decoded(data).lstrip()
    delimiter = _delimiter(text.split("\n", 1)[0])
    columns = _columns(text.split("\n", 1)[0], delimiter)
    if columns is None:
        raise InvalidRequest(
            "The CSV file needs a first line that names its columns: question and answer, "
            "or title and text, separated by ; or , ."
        )
    found: list[SourceDocument] = []
    try:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=False)
        next(rows)
        for number, row in enumerate(rows):
            if number >= MAXIMUM_ROWS:
                raise InvalidRequest(f"The CSV file has more than {MAXIMUM_ROWS} rows; cut it.")
            document = _document(row, columns)
            if document is not None:
                found.append(document)
    except csv.Error as error:
        raise InvalidRequest(f"The CSV file cannot be read: {error}.") from error
    return found


def _delimiter(first_line: str) -> str:
    return max(DELIMITERS, key=first_line.count)


def _columns(first_line: str, delimiter: str) -> dict[str, int] | None:
    try:
        header = next(csv.reader([first_line], delimiter=delimiter), [])
    except csv.Error:
        return None
    names = [fold(name.strip()) for name in header]
    found: dict[str, int] = {}
    for role, known in (
        ("title", _TITLES),
        ("text", _TEXTS),
        ("language", _LANGUAGES),
        ("tags", _TAGS),
    ):
        for position, name in enumerate(names):
            if name in known:
                found.setdefault(role, position)
    return found if "title" in found and "text" in found else None


def _document(row: list[str], columns: dict[str, int]) -> SourceDocument | None:
    def cell(role: str) -> str:
        position = columns.get(role, len(row))
        return row[position].strip() if position < len(row) else ""

    if not cell("title") or not any(character.isalnum() for character in cell("text")):
        return None
    tags = tuple(tag.strip()[:60] for tag in cell("tags").split("|") if tag.strip())
    language = cell("language")[:2].lower() or None
    return source_document(cell("title"), cell("text"), "csv", tags[:20], language)
