"""Keeps several server processes behind one listening socket: who fell is replaced.

The parent holds the socket, so that no connection is refused while processes come and go: SIGTERM
ends all, SIGHUP replaces them one after another.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.commands.output import progress
from core.settings import Settings

LOOK_SECONDS = 0.1
START_SECONDS = 120.0
END_SECONDS = 30.0
# A process that falls sooner is not replaced at once.
SHORTEST_LIFE_SECONDS = 5.0


@dataclass(frozen=True)
class _Child:
    """A process, where it says that it is ready, and what tells it that its parent lives."""

    process: subprocess.Popen[bytes]
    ready: int
    alive: int
    started: float

    def wait_until_ready(self) -> bool:
        """Whether it came up in time."""
        os.set_blocking(self.ready, False)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                return bool(os.read(self.ready, 1))
            except BlockingIOError:
                time.sleep(LOOK_SECONDS)
        return False

    def end(self) -> None:
        """Let it finish what it does, for a while."""
        self.process.terminate()

    def wait(self) -> None:
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.forget()

    def forget(self) -> None:
        os.close(self.ready)
        os.close(self.alive)


def supervise(listener: socket.socket, processes: int, on_ready: Callable[[], None]) -> None:
    """Run so many processes on a bound socket until interrupted."""
    wanted = {"end": False, "renew": False}
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: wanted.update(end=True))
    signal.signal(signal.SIGHUP, lambda *_: wanted.update(renew=True))
    listener.listen(2048)
    children = [_start(listener) for _ in range(processes)]
    try:
        if all(child.wait_until_ready() for child in children):
            on_ready()
        while not wanted["end"]:
            time.sleep(LOOK_SECONDS)
            children = [_alive(child, listener) for child in children]
            if wanted["renew"]:
                wanted["renew"] = False
                children = [_renewed(child, listener) for child in children]
    finally:
        for child in children:
            child.end()
        for child in children:
            child.wait()


def _start(listener: socket.socket) -> _Child:
    alive_read, alive_write = os.pipe()
    ready_read, ready_write = os.pipe()
    descriptors = (listener.fileno(), alive_read, ready_write)
    process = subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", "api.cli", "serve-process", *map(str, descriptors)],
        pass_fds=descriptors,
    )
    os.close(alive_read)
    os.close(ready_write)
    return _Child(process, ready_read, alive_write, time.monotonic())


def _alive(child: _Child, listener: socket.socket) -> _Child:
    """The child, or another in its place."""
    if child.process.poll() is None:
        return child
    progress.print(f"process {child.process.pid} ended; starting another")
    child.forget()
    if time.monotonic() - child.started < SHORTEST_LIFE_SECONDS:
        time.sleep(1.0)
    return _start(listener)


def _renewed(child: _Child, listener: socket.socket) -> _Child:
    """Another process in the child's place, once it is ready; the child where it does not come."""
    other = _start(listener)
    if not other.wait_until_ready():
        progress.print("the new process did not start; the old one goes on")
        other.end()
        other.wait()
        return child
    child.end()
    child.wait()
    return other


def serve_process(settings: Settings, listener: int, alive: int, ready: int) -> None:
    """Serve on an inherited socket; ends with the parent."""
    from api.commands.serve import run

    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    with socket.socket(fileno=listener) as shared:
        run(settings, shared, lambda: _say_ready(ready))


def _say_ready(descriptor: int) -> None:
    os.write(descriptor, b"1")
    os.close(descriptor)


def _end_with_parent(descriptor: int) -> None:
    """Wait for the end of a pipe that only the parent holds open."""
    if not os.read(descriptor, 1):
        os.kill(os.getpid(), signal.SIGTERM)
