"""What holds for every test: no network but loopback, and in CI no test that does not run."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# Fixtures that many folders share: the product opened in this process, with a language model,
# and its server.
pytest_plugins = ["tests.product", "tests.serving", "tests.talking", "tests.valkey", "tests.voices"]

UNIT_TESTS = Path(__file__).parent / "unit"
LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Property tests before a product is open: its job engine's threads draw random numbers.

    Hypothesis takes a draw of another thread for one of a strategy, and calls the test flaky.
    """
    items.sort(key=lambda item: UNIT_TESTS not in item.path.parents)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def _is_local(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name is None or name in LOOPBACK or str(name).startswith("127.")


def _refuse(host: object) -> None:
    raise AssertionError(f"a test reached for the network: {host!r}")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every connection and every name look-up outside this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def check(address: Any) -> None:
        if isinstance(address, tuple) and not _is_local(address[0]):
            _refuse(address[0])

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *more: Any, **named: Any) -> Any:
        if not _is_local(host):
            _refuse(host)
        return look_up(host, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A test that CI skips proves nothing there: it fails. An expected failure stays one."""
    if report.skipped and not hasattr(report, "wasxfail") and _in_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
