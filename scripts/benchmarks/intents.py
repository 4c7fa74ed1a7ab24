"""How well, and at what cost, are intents read from messages that training never saw?

    scripts/bench intents [--json]

Reads `tests/evaluation/messages/<language>.yaml` (intent -> messages), trains on the shop's
phrases, and prints per language: accuracy with the threshold applied, accuracy of the best label,
out-of-scope recall and false alarms, calibration error, language accuracy, CPU time a message; then
the most frequent confusions.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from bot.understanding.intents import OUT_OF_SCOPE, IntentModel, load_or_train
from bot.understanding.language import LANGUAGES, detect_language
from bot.understanding.spelling import SpellingLexicon, load_lexicon, normalise
from core.providers.embeddings import Encoder, open_encoder

ROOT = Path(__file__).resolve().parents[2]
PHRASES = ROOT / "bot" / "understanding" / "phrases"
MESSAGES = ROOT / "tests" / "evaluation" / "messages"
BINS = 10
SHOWN_CONFUSIONS = 15


@dataclass(frozen=True)
class Reading:
    """One message with the intent that it has and the intent that was read."""

    language: str
    read_language: str
    expected: str
    best: str
    answered: str
    confidence: float


@dataclass(frozen=True)
class Report:
    """The figures of one language."""

    language: str
    messages: int
    accuracy: float
    best_label_accuracy: float
    out_of_scope_recall: float
    false_alarms: float
    calibration_error: float
    language_accuracy: float
    cpu_milliseconds: float


def read_messages(language: str) -> list[tuple[str, str]]:
    """Return the held-out (message, intent) pairs of one language."""
    content = yaml.safe_load((MESSAGES / f"{language}.yaml").read_text("utf-8"))
    return [(message, intent) for intent, messages in content.items() for message in messages]


def understand(
    message: str, model: IntentModel, encoder: Encoder, lexicon: SpellingLexicon
) -> tuple[str, str, str, float]:
    """Run one message through the whole chain, as the first of a French conversation."""
    language = detect_language(message, "fr")
    text = normalise(message, language, lexicon)
    prediction = model.predict(text, encoder.encode([text])[0])
    best = prediction.ranking[0][0] if prediction.ranking else OUT_OF_SCOPE
    return language, best, prediction.intent or OUT_OF_SCOPE, prediction.confidence


def report(language: str, readings: Sequence[Reading], cpu_seconds: float) -> Report:
    """Sum up the readings of one language."""
    inside = [reading for reading in readings if reading.expected != OUT_OF_SCOPE]
    outside = [reading for reading in readings if reading.expected == OUT_OF_SCOPE]
    return Report(
        language=language,
        messages=len(readings),
        accuracy=share(reading.answered == reading.expected for reading in readings),
        best_label_accuracy=share(reading.best == reading.expected for reading in readings),
        out_of_scope_recall=share(reading.answered == OUT_OF_SCOPE for reading in outside),
        false_alarms=share(reading.answered == OUT_OF_SCOPE for reading in inside),
        calibration_error=calibration_error(readings),
        language_accuracy=share(reading.read_language == language for reading in readings),
        cpu_milliseconds=round(1000 * cpu_seconds / max(len(readings), 1), 2),
    )


def share(found: object) -> float:
    """Return the share of true values, to three places; 0 of nothing is 0."""
    values = list(found)  # type: ignore[call-overload]
    return round(sum(values) / len(values), 3) if values else 0.0


def calibration_error(readings: Sequence[Reading]) -> float:
    """Return the expected calibration error over ten bins of confidence."""
    confidence = np.array([reading.confidence for reading in readings])
    right = np.array([reading.best == reading.expected for reading in readings])
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    error = sum(
        abs(float(right[bins == row].mean() - confidence[bins == row].mean()))
        * float((bins == row).mean())
        for row in np.unique(bins)
    )
    return round(error, 3)


def confusions(readings: Sequence[Reading]) -> list[tuple[str, str, int]]:
    """Return the most frequent (expected, answered, times) of wrong answers."""
    wrong = Counter(
        (reading.expected, reading.answered)
        for reading in readings
        if reading.expected != reading.answered
    )
    return [(*pair, times) for pair, times in wrong.most_common(SHOWN_CONFUSIONS)]


def main() -> int:
    """Print the figures; exit 1 where there are no held-out messages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if not MESSAGES.is_dir():
        print(f"no held-out messages in {MESSAGES}", file=sys.stderr)
        return 1
    encoder, lexicon = open_encoder("embedded"), load_lexicon([PHRASES])
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        model = load_or_train([PHRASES], encoder, Path(folder))
        training_seconds = round(time.perf_counter() - started, 1)
    understand("bonjour", model, encoder, lexicon)
    reports, every = [], []
    for language in LANGUAGES:
        messages = read_messages(language)
        started = time.process_time()
        found = [understand(message, model, encoder, lexicon) for message, _ in messages]
        cpu_seconds = time.process_time() - started
        readings = [
            Reading(language, read, intent, best, answered, confidence)
            for (_, intent), (read, best, answered, confidence) in zip(messages, found, strict=True)
        ]
        reports.append(report(language, readings, cpu_seconds))
        every += readings
    show(reports, confusions(every), training_seconds, arguments.json)
    return 0


def show(
    reports: Sequence[Report],
    wrong: Sequence[tuple[str, str, int]],
    training_seconds: float,
    as_json: bool,
) -> None:
    """Print the reports as a table, or as JSON for scripts."""
    rows = [asdict(each) for each in reports]
    if as_json:
        print(json.dumps({"training_seconds": training_seconds, "languages": rows}))
        return
    print(f"trained in {training_seconds} s")
    print("  ".join(rows[0]))
    for row in rows:
        print("  ".join(str(value).ljust(len(name)) for name, value in row.items()))
    for expected, answered, times in wrong:
        print(f"{times:3}  {expected} read as {answered}")


if __name__ == "__main__":
    sys.exit(main())
