"""What does a chat turn cost? Plays distinct messages over HTTP against a server of its own.

40 % knowledge, 20 % products, 20 % tickets, 10 % orders, 10 % small talk, in several sessions at
once; prints turns a second, latencies, CPU milliseconds a turn (the whole server process, its
embedded database included) and memory. Run: `scripts/bench chat [--turns 400] [--sessions 4]`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil

# A server that uses less than this share of a core, for so long, has nothing left to prepare.
IDLE_SHARE = 0.1
IDLE_SECONDS = 4

ROOT = Path(__file__).resolve().parents[2]
CITIES = ("Paris", "Lyon", "Marseille", "Lille", "Bordeaux", "Nantes", "Toulouse", "Strasbourg")
FURNITURE = ("canapé", "fauteuil", "lit", "matelas", "buffet", "bureau", "tapis", "table basse")
COLOURS = ("gris", "bleu", "vert", "beige", "noir", "blanc")
NAMES = ("Oslo", "Fjord", "Atelier", "Garance", "Ravel", "Riviera", "Alba", "Colbert")

KNOWLEDGE = (
    "combien coûte la livraison d'un {furniture} à {city} ?",
    "quels sont les horaires du magasin de {city} le samedi ?",
    "comment renvoyer un {furniture} qui ne me plaît pas ?",
    "la garantie couvre-t-elle le {furniture} {colour} ?",
    "peut-on payer un {furniture} {colour} en plusieurs fois ?",
    "comment nettoyer mon {furniture} {colour} ?",
    "vous reprenez mon ancien {furniture} à {city} ?",
    "qui monte le {furniture} à la livraison à {city} ?",
)
PRODUCTS = (
    "je cherche un {furniture} {colour} à moins de {price} euros",
    "vous avez un {furniture} {name} en {colour} ?",
    "un {furniture} {colour} pour un petit salon à {city}, {price} € maximum",
)
TICKETS = (
    "bonjour, mon {furniture} {name} {colour} est cassé depuis {days} jours",
    "il manque des vis pour monter le {furniture} {name} reçu il y a {days} jours",
    "le tissu du {furniture} {colour} s'est déchiré au bout de {days} jours",
)
ORDERS = (
    "où en est ma commande CMD-2026-0001{number:02d} ? mon mail est customer@example.com",
    "ma commande CMD-2026-0001{number:02d} devait arriver il y a {days} jours, "
    "customer@example.com",
)
SMALL_TALK = (
    "bonjour, je suis {name} de {city}",
    "merci beaucoup, bonne journée à {city}",
    "ok super merci pour le {furniture}",
)
MIX = (
    *itertools.repeat(KNOWLEDGE, 4),
    *itertools.repeat(PRODUCTS, 2),
    *itertools.repeat(TICKETS, 2),
    ORDERS,
    SMALL_TALK,
)


def texts(count: int, seed: int) -> Iterator[str]:
    """Distinct messages in the mix, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311  repeatable messages, no secret
    seen: set[str] = set()
    groups = itertools.cycle(MIX)
    while len(seen) < count:
        group = next(groups)
        text = ""
        while not text or text in seen:
            text = chance.choice(group).format(
                furniture=chance.choice(FURNITURE),
                colour=chance.choice(COLOURS),
                city=chance.choice(CITIES),
                name=chance.choice(NAMES),
                price=chance.randrange(100, 2500),
                days=chance.randrange(2, 60),
                number=chance.randrange(1, 41),
            )
        seen.add(text)
        yield text


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(client: httpx.Client, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if client.get("/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server did not become ready; run `mdf doctor`")


def play(address: str, messages: list[str], session: int) -> list[float]:
    """Send messages in one visitor's session; returns the seconds of each answer."""
    took: list[float] = []
    with httpx.Client(base_url=address, timeout=60) as client:
        for text in messages:
            started = time.perf_counter()
            # Each topic is a session of its own, as a customer's is; the visitor stays the same.
            body = {"message": text, "session_id": f"bench-{session}-{len(took) // 5}"}
            client.post("/api/chat", json=body).raise_for_status()
            took.append(time.perf_counter() - started)
    return took


def cpu_seconds(process: psutil.Process) -> float:
    return sum(
        part.cpu_times().user + part.cpu_times().system
        for part in (process, *process.children(recursive=True))
    )


def wait_until_idle(process: psutil.Process, seconds: float) -> None:
    """Let what is done once after a start be done: sentences are encoded in quiet moments."""
    until = time.monotonic() + seconds
    quiet = 0
    while quiet < IDLE_SECONDS and time.monotonic() < until:
        before = cpu_seconds(process)
        time.sleep(1)
        quiet = quiet + 1 if cpu_seconds(process) - before < IDLE_SHARE else 0


def measure(turns: int, sessions: int, warm_up: int) -> dict[str, float]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "DATA_DIR": os.environ.get("BENCH_DATA_DIR", folder),
            "PORT": str(port),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "warning",
            **{name: os.environ[name] for name in ("DATABASE_URL",) if name in os.environ},
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--seed"], cwd=ROOT, env=environment
        )
        try:
            with httpx.Client(base_url=address) as client:
                wait_until_ready(client, 180)
            process = psutil.Process(server.pid)
            play(address, list(texts(warm_up, seed=1)), session=-1)
            wait_until_idle(process, 120)
            messages = list(texts(turns, seed=2))
            before, started = cpu_seconds(process), time.perf_counter()
            with ThreadPoolExecutor(sessions) as pool:
                parts = [messages[index::sessions] for index in range(sessions)]
                took = list(
                    itertools.chain.from_iterable(
                        pool.map(play, itertools.repeat(address), parts, range(sessions))
                    )
                )
            wall, cpu = time.perf_counter() - started, cpu_seconds(process) - before
            memory = process.memory_info().rss
        finally:
            server.terminate()
            server.wait(30)
    quantiles = statistics.quantiles(took, n=100)
    return {
        "turns a second": turns / wall,
        "p50 ms": quantiles[49] * 1000,
        "p95 ms": quantiles[94] * 1000,
        "CPU ms a turn": cpu / turns * 1000,
        "memory MB": memory / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=400)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--warm-up", type=int, default=40)
    options = parser.parse_args()
    figures = measure(options.turns, options.sessions, options.warm_up)
    print(f"{options.turns} turns in {options.sessions} sessions at once")
    for name, value in figures.items():
        print(f"{name:>16}  {value:8.2f}")


if __name__ == "__main__":
    main()
