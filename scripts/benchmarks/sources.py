"""Does a running product quote the right document? Loads documents and asks, all over HTTP.

    scripts/bench sources
        [shop | cnil | held-out | shop-unseen | shop-customers | cnil-unseen | FOLDER]
        [--server ADDRESS] [--email admin@example.com] [--password password123] [--misses]

FOLDER holds Markdown files (a `# title` or `title:` above the text) and `questions.yaml`: a list of
`{question, language, documents: [file name, ...]}`. The sets about the shop ask a new product with
the sample shop, the others load the help desk of EVAL_DATA_DIR/cnil_kb into an empty one. Documents
go through POST /api/v1/knowledge/documents, questions through POST /api/chat, each in a
conversation of its own. Told is how often `sources[0]` is the right document, how often any of
`sources` is, how often the answer had none, and the same of GET /api/v1/knowledge/search. Without
`--server` a product is started in a temporary folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from knowledge.documents import NewDocument
from scripts.benchmarks.figures import share
from scripts.benchmarks.processes import server
from scripts.benchmarks.retrieval import (
    QUESTIONS,
    Asked,
    asked_of,
    cnil_documents,
    is_of_shop,
    shop_documents,
)

DOCUMENTS = "/api/v1/knowledge/documents"
SEARCH = "/api/v1/knowledge/search"
TIMEOUT_SECONDS = 60.0
SEARCHED = 3
PAGE = 100


@dataclass(frozen=True)
class Answered:
    """The documents that an answer quoted and those that the search found, as names, in order."""

    asked: Asked
    quoted: tuple[str, ...]
    found: tuple[str, ...]


def documents_of(folder: Path) -> dict[str, list[NewDocument]]:
    """The Markdown files of a folder by name."""
    found = {}
    for path in sorted(folder.glob("*.md")):
        lines = path.read_text(encoding="utf-8").strip().splitlines()
        title = lines[0].removeprefix("title:").strip("# ") if lines else path.stem
        found[path.name] = [NewDocument(title, "\n".join(lines[1:]).strip(), "fr")]
    return found


def chosen(name: str) -> tuple[dict[str, list[NewDocument]], list[Asked], bool]:
    """Documents, questions, and whether the product must hold nothing else."""
    if name in QUESTIONS and is_of_shop(name):
        return shop_documents(), asked_of(QUESTIONS[name]), False
    if name in QUESTIONS:
        return cnil_documents(), asked_of(QUESTIONS[name]), True
    folder = Path(name).resolve()
    if not (folder / "questions.yaml").exists():
        sys.exit(f"{folder / 'questions.yaml'} is not there")
    return documents_of(folder), asked_of(str(folder / "questions.yaml")), True


@contextmanager
def product(address: str | None) -> Iterator[str]:
    """The address of a running product."""
    if address is not None:
        yield address
        return
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), 1, {}) as (started, _):
        yield started


class Desk:
    """A running product, with the rights of one who writes what it knows."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS, trust_env=False)
        login = {"email": email, "password": password}
        token = self._json(self.http.post("/api/auth/login", json=login))["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    @staticmethod
    def _json(answer: httpx.Response) -> Any:
        if answer.is_error:
            sys.exit(f"{answer.request.method} {answer.request.url}: {answer.text}")
        return answer.json()

    def known(self) -> list[Mapping[str, Any]]:
        """All documents that the product has."""
        rows: list[Mapping[str, Any]] = []
        while True:
            query = {"per_page": PAGE, "page": len(rows) // PAGE + 1}
            page = self._json(self.http.get(DOCUMENTS, params=query, headers=self.headers))
            rows.extend(page["data"])
            if not page["pagination"]["has_next"]:
                return rows

    def empty(self) -> None:
        for row in self.known():
            self._json(self.http.delete(f"{DOCUMENTS}/{row['id']}", headers=self.headers))

    def add(self, new: NewDocument) -> str:
        body = {"title": new.title, "text": new.text, "language": new.language}
        answer = self._json(self.http.post(DOCUMENTS, json=body, headers=self.headers))
        return str(answer["data"]["id"])

    def quoted(self, asked: Asked) -> list[str]:
        """The documents that the answer to a new visitor quotes."""
        with httpx.Client(base_url=self.http.base_url, timeout=TIMEOUT_SECONDS) as visitor:
            body = {"message": asked.question, "language": asked.language}
            sources = self._json(visitor.post("/api/chat", json=body))["sources"]
        return list(dict.fromkeys(source["id"] for source in sources))

    def found(self, asked: Asked) -> list[str]:
        query: dict[str, str | int] = {"q": asked.question, "limit": SEARCHED}
        rows = self._json(self.http.get(SEARCH, params=query, headers=self.headers))["data"]
        return [row["document_id"] for row in rows]


def ask(desk: Desk, names: Mapping[str, str], questions: Sequence[Asked]) -> list[Answered]:
    return [
        Answered(
            asked,
            tuple(names.get(id, id) for id in desk.quoted(asked)),
            tuple(names.get(id, id) for id in desk.found(asked)),
        )
        for asked in questions
    ]


def report(answered: Sequence[Answered]) -> Iterator[str]:
    rows: tuple[tuple[str, list[bool]], ...] = (
        ("the first source is right", [_hit(one.asked, one.quoted[:1]) for one in answered]),
        ("any source is right", [_hit(one.asked, one.quoted) for one in answered]),
        ("no source", [not one.quoted for one in answered]),
        ("first found is right", [_hit(one.asked, one.found[:1]) for one in answered]),
        (f"right among {SEARCHED} found", [_hit(one.asked, one.found) for one in answered]),
    )
    for name, flags in rows:
        mean, error = share(np.array(flags))
        yield f"{name:>26}  {mean:.2f} ({error:.2f})"


def _hit(asked: Asked, names: Sequence[str]) -> bool:
    return not set(names).isdisjoint(asked.documents)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("documents", nargs="?", default="shop")
    parser.add_argument("--server")
    parser.add_argument("--email", default="admin@example.com")
    parser.add_argument("--password", default="password123")
    parser.add_argument("--misses", action="store_true")
    options = parser.parse_args()
    corpus, questions, alone = chosen(options.documents)
    with product(options.server) as address:
        desk = Desk(address, options.email, options.password)
        if alone:
            desk.empty()
            names = {desk.add(new): name for name, all in corpus.items() for new in all}
        else:
            titles = {new.title: name for name, all in corpus.items() for new in all}
            names = {row["id"]: titles.get(row["title"], "") for row in desk.known()}
        answered = ask(desk, names, questions)
    for language in sorted({one.language for one in questions}):
        chosen_ones = [one for one in answered if one.asked.language == language]
        print(f"{options.documents}, {language}, {len(chosen_ones)} questions")
        print("\n".join(report(chosen_ones)))
    if options.misses:
        for one in answered:
            if not _hit(one.asked, one.quoted[:1]):
                print(f"  {one.asked.question}\n    {one.asked.documents} not {one.quoted}")


if __name__ == "__main__":
    main()
