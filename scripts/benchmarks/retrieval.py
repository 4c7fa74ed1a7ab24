"""How well and at what cost are documents found? R@1, R@3, R@5, MRR, CPU, and answerability.

    scripts/bench retrieval [shop] [cnil] [held-out] [shop-unseen] [shop-customers]
        [cnil-unseen] [--misses]

`shop` asks tests/evaluation/general_questions.yaml of the sample shop's articles; `cnil` asks
tests/evaluation/cnil_questions.yaml of the help desk's documents, read from
EVAL_DATA_DIR/cnil_kb (ends with an error when it is not there). Weights were chosen on these two;
`held-out` asks the help desk the questions of tests/evaluation/cnil_held_out.yaml, on which
nothing was chosen. The other sets are about documents drawn at random, written by somebody
who knew neither the search nor the other questions. All go through the real database, outbox and
vector store in a temporary folder. Beside ours stands what plain word search finds. Unanswerable
questions are those of tests/evaluation/out_of_knowledge.yaml. `scripts/bench retrieval_growth`
measures what a question costs in a large index.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
from bot.understanding.understand import open_interpreter  # noqa: E402
from core import database as core_database  # noqa: E402
from core.providers.prepared import copy_models  # noqa: E402
from core.runtime import Runtime, open_runtime  # noqa: E402
from core.settings import Settings  # noqa: E402
from knowledge.documents import NewDocument, create_document  # noqa: E402
from knowledge.index import Knowledge, open_knowledge  # noqa: E402
from knowledge.search import ANSWER_THRESHOLD, SearchHit, search  # noqa: E402
from scripts.benchmarks.figures import paired_test, share  # noqa: E402
from scripts.benchmarks.word_search import word_ranks  # noqa: E402
from services.accounts.organizations import create_organization  # noqa: E402

EVALUATION = ROOT / "tests" / "evaluation"
KEPT_MODELS = ROOT / "build" / "test-models"
QUESTIONS = {
    "shop": "general_questions.yaml",
    "cnil": "cnil_questions.yaml",
    "held-out": "cnil_held_out.yaml",
    "shop-unseen": "shop_unseen.yaml",
    "shop-customers": "shop_customers.yaml",
    "cnil-unseen": "cnil_unseen.yaml",
}


@dataclass(frozen=True)
class Asked:
    """A question with the names of the documents that answer it; none: unanswerable."""

    question: str
    language: str
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Where the first right document came (0 is first; None: not among the hits), and its cost."""

    asked: Asked
    rank: int | None
    hits: tuple[SearchHit, ...]
    cpu_ms: float


def shop_documents() -> dict[str, list[NewDocument]]:
    """The sample shop's articles by file name; a name may exist in two languages."""
    found: dict[str, list[NewDocument]] = {}
    for path in sorted((ROOT / "sample_shop" / "articles").glob("*/*.md")):
        _, front, body = path.read_text(encoding="utf-8").split("---", 2)
        about = yaml.safe_load(front)
        document = NewDocument(
            about["title"],
            body.strip(),
            path.parent.name,
            tuple(about.get("tags") or ()),
            "markdown",
        )
        found.setdefault(path.name, []).append(document)
    return found


def cnil_documents() -> dict[str, list[NewDocument]]:
    """The data-protection help desk's documents by id."""
    folder = Path(os.environ.get("EVAL_DATA_DIR", ROOT.parent / "shared" / "data"))
    path = folder / "cnil_kb" / "kb.jsonl"
    if not path.exists():
        sys.exit(f"{path} is not there; set EVAL_DATA_DIR")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {str(row["id"]): [NewDocument(row["title"], row["text"], "fr")] for row in rows}


def is_of_shop(name: str) -> bool:
    """Whether a set of questions is about the sample shop."""
    return name.startswith("shop")


def asked_of(name: str) -> list[Asked]:
    rows = yaml.safe_load((EVALUATION / name).read_text(encoding="utf-8"))
    return [
        Asked(row["question"], row["language"], tuple(str(one) for one in row["documents"]))
        for row in rows
    ]


def unanswerable() -> list[Asked]:
    rows = yaml.safe_load((EVALUATION / "out_of_knowledge.yaml").read_text(encoding="utf-8"))
    return [Asked(question, "fr", ()) for question in rows]


async def load(
    runtime: Runtime, knowledge: Knowledge, corpus: dict[str, list[NewDocument]]
) -> tuple[Any, dict[Any, str]]:
    """Write the documents as the product does, drain the outbox; ids to names."""
    async with runtime.database.transaction(None) as transaction:
        organization = await create_organization(transaction, "Bench", "bench", runtime.clock())
    names: dict[Any, str] = {}
    started, cpu = time.perf_counter(), time.process_time()
    for name, versions in corpus.items():
        async with runtime.database.transaction(organization.id) as transaction:
            for new in versions:
                document = await create_document(transaction, runtime.outbox, new, runtime.clock())
                names[document.id] = name
    written = time.perf_counter() - started
    while await runtime.outbox.drain():
        pass
    await knowledge.settle()
    await knowledge.warm()
    print(
        f"  {len(names)} documents: written in {written:.1f} s, searchable after "
        f"{time.perf_counter() - started:.1f} s ({time.process_time() - cpu:.1f} s CPU)"
    )
    return organization.id, names


async def ask(
    knowledge: Knowledge, organization_id: Any, names: dict[Any, str], questions: Sequence[Asked]
) -> list[Outcome]:
    outcomes = []
    for asked in questions:
        cpu = time.process_time()
        hits = await search(knowledge, organization_id, asked.question, asked.language, 10)
        cpu_ms = (time.process_time() - cpu) * 1_000
        ranks = [i for i, hit in enumerate(hits) if names[hit.document_id] in asked.documents]
        outcomes.append(Outcome(asked, ranks[0] if ranks else None, tuple(hits), cpu_ms))
    return outcomes


def within(ranks: Sequence[int | None], count: int) -> NDArray[np.bool_]:
    """Which right documents are among the first `count`."""
    return np.array([rank is not None and rank < count for rank in ranks])


def compared(ours: Sequence[int | None], theirs: Sequence[int | None]) -> str:
    """How likely the differences to ours are chance (exact McNemar)."""
    tests = (f"R@{n} p={paired_test(within(ours, n), within(theirs, n)):.0e}" for n in (1, 5))
    return ", ".join(tests)


def figures(ranks: Sequence[int | None]) -> str:
    def among(count: int) -> str:
        mean, error = share(within(ranks, count))
        return f"R@{count} {mean:.2f} ({error:.2f})"

    reciprocal = np.array([0.0 if rank is None else 1.0 / (rank + 1) for rank in ranks])
    error = reciprocal.std() / np.sqrt(max(len(reciprocal), 1))
    return (
        f"{among(1)}  {among(3)}  {among(5)}  "
        f"MRR {reciprocal.mean():.2f} ({error:.2f})  n={len(ranks)}"
    )


def answerability(answerable: Sequence[Outcome], not_answerable: Sequence[Outcome]) -> str:
    yes = np.array([o.hits[0].score if o.hits else 0.0 for o in answerable])
    no = np.array([o.hits[0].score if o.hits else 0.0 for o in not_answerable])
    wins = (yes[:, None] > no[None, :]).mean() + 0.5 * (yes[:, None] == no[None, :]).mean()
    return (
        f"AUROC {wins:.2f}; at {ANSWER_THRESHOLD}: {np.mean(yes >= ANSWER_THRESHOLD):.2f} of "
        f"answerable kept, {np.mean(no >= ANSWER_THRESHOLD):.2f} of unanswerable let through"
    )


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Runtime, Knowledge]]:
    """The knowledge of a new product in a temporary folder, reading intents as it does."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), log_level="error")
        if KEPT_MODELS.exists():
            copy_models(KEPT_MODELS, settings.model_folder)
        async with open_runtime(settings, {}) as runtime:
            async with runtime.database.engine.begin() as connection:
                await connection.run_sync(core_database.metadata.create_all)
            interpreter = await open_interpreter(runtime)
            knowledge = await open_knowledge(runtime, interpreter.subject)
            yield runtime, knowledge
            await knowledge.close()


async def bench(name: str, corpus: dict[str, list[NewDocument]], misses: bool) -> None:
    questions = asked_of(QUESTIONS[name])
    print(name)
    async with opened() as (runtime, knowledge):
        organization_id, names = await load(runtime, knowledge, corpus)
        await ask(knowledge, organization_id, names, questions[:5])
        outcomes = await ask(knowledge, organization_id, names, questions)
        again = await ask(knowledge, organization_id, names, questions)
        nothing = await ask(knowledge, organization_id, names, unanswerable())
    words = word_ranks(corpus, [(one.question, one.documents) for one in questions])
    for language in ("fr", "en"):
        chosen = [place for place, one in enumerate(questions) if one.language == language]
        if chosen:
            ours = [outcomes[place].rank for place in chosen]
            theirs = [words[place] for place in chosen]
            print(f"  {language}: {figures(ours)}")
            print(f"      words alone: {figures(theirs)}  {compared(ours, theirs)}")
    print(f"  {answerability(outcomes, nothing)}")
    first, second = (np.mean([o.cpu_ms for o in some]) for some in (outcomes, again))
    print(f"  CPU {first:.1f} ms a question, {second:.1f} ms asked again")
    if misses:
        show_misses(outcomes, names)


def show_misses(outcomes: Sequence[Outcome], names: dict[Any, str]) -> None:
    for outcome in outcomes:
        if outcome.rank != 0:
            found = [f"{names[hit.document_id]} {hit.score:.2f}" for hit in outcome.hits[:3]]
            print(f"    {outcome.asked.question}\n      {outcome.asked.documents} not {found}")


def main() -> None:
    chosen = [one for one in sys.argv[1:] if one in QUESTIONS] or list(QUESTIONS)
    for name in chosen:
        corpus = shop_documents() if is_of_shop(name) else cnil_documents()
        asyncio.run(bench(name, corpus, "--misses" in sys.argv))


if __name__ == "__main__":
    main()
