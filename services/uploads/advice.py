"""Which photos help with a problem, which of them is still missing, and which is hard to see."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from services.tickets.problems import Category
from services.uploads.uploads import Upload

FILE = Path(__file__).parent / "photo_advice.yaml"

Problem = Literal["too_dark", "blurry"]


@cache
def _advice() -> Mapping[str, Any]:
    with FILE.open(encoding="utf-8") as file:
        read: dict[str, Any] = yaml.safe_load(file)
    return read


@cache
def _captions() -> Mapping[str, re.Pattern[str]]:
    return {
        view: re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(_fold(form)) for form in forms)})")
        for view, forms in _advice()["captions"].items()
    }


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def wanted_photos(category: Category) -> tuple[str, ...]:
    """The views that help with a kind of problem, the most helpful first."""
    return tuple(_advice()["wanted"][category])


def view_of(caption: str) -> str | None:
    """What a photo's caption says that is on it; None where it does not say."""
    folded = _fold(caption)
    return next((view for view, found in _captions().items() if found.search(folded)), None)


def missing_photos(category: Category, captions: Sequence[str]) -> tuple[str, ...]:
    """The views that are still missing, given the captions of the photos that are there.

    Photos whose caption says nothing count as the most helpful views that no other shows.
    """
    wanted = wanted_photos(category)
    shown = {view for caption in captions if (view := view_of(caption)) is not None}
    silent = sum(view_of(caption) is None for caption in captions)
    return tuple(view for view in wanted if view not in shown)[silent:]


def photo_problems(upload: Upload) -> tuple[Problem, ...]:
    """What makes a photo hard to judge by; nothing for other files.

    In the dark nothing looks sharp: a dark photo is called dark alone.
    """
    if upload.sharpness is None or upload.brightness is None:
        return ()
    if upload.brightness < _advice()["too_dark_below"]:
        return ("too_dark",)
    return ("blurry",) if upload.sharpness < _advice()["blurry_below"] else ()
